import type { Refused } from '../../shared/audit/sealing/waiting.ts';
import type { Shown } from './audit-shown.ts';

/** What a reader of entries has to know beside them. */
export interface Caveats extends Shown {
  /** Whether entries were compared with the signed tree. */
  readonly isVerified: boolean;
  readonly unreadable: number;
  readonly unproven: number;
  readonly refused: readonly Refused[];
  /** Names that only look like the one that was asked for. */
  readonly alike: readonly string[];
}

const mostNamed = 20;

/** One line for each thing that was left out, not read, or not compared with anything signed. */
export function caveats({ refused, alike, unreadable, ...counted }: Caveats): readonly string[] {
  return [
    ...leftOut(refused),
    ...(alike.length > 0 ? [`Not shown: entries by ${alike.join(', ')}, which only looks like that name.`] : []),
    ...(unreadable > 0 ? [`${unreadable} of the entries cannot be read by this version.`] : []),
    ...vouching(counted),
  ];
}

function leftOut(refused: readonly Refused[]): readonly string[] {
  const lines = refused.slice(0, mostNamed).map(({ key, why }) => `${key} is left out: it ${why}`);
  if (refused.length <= mostNamed) return lines;
  return [...lines, `and ${refused.length - mostNamed} more are left out: \`lockkeeper audit verify\` names them`];
}

function vouching({ unsigned, unproven, isVerified }: Pick<Caveats, 'unsigned' | 'unproven' | 'isVerified'>): string[] {
  const lines: string[] = [];
  if (unproven > 0)
    lines.push(
      `${unproven} of the entries are unproven: they are not signed, and anybody who may write to the log store can have put them there. Give the writer key: --writer-key FILE.`,
    );
  const proven = unsigned - unproven;
  if (!isVerified)
    lines.push(
      'Not verified: this is what lies there. Run `lockkeeper audit verify` to compare it with what was signed.',
    );
  else if (proven > 0)
    lines.push(`${proven} of the entries wait to be signed; the key of their writer vouches for them.`);
  return lines;
}
