import type { SignedCheckpoint } from '../sealing/checkpoints.ts';
import { checkpointKey, sequenceKey, verifierKeyKey } from '../layout.ts';
import type { VerifierKey } from '../tlog/note.ts';
import type { TreeReport } from './check-tree.ts';
import type { Finding, Note } from './finding.ts';
import type { Findings } from './findings.ts';
import type { Waiting } from './leftovers.ts';
import type { WitnessReport } from './witness-check.ts';

/** What verifying came to. */
export interface VerifyReport extends TreeReport {
  /** Nothing was changed, and as many witnesses cosigned as must. */
  readonly ok: boolean;
  /** Everything that was changed, each named; empty where nothing was. Of very many the first thousand. */
  readonly findings: readonly Finding[];
  /** How many findings there are. */
  readonly found: number;
  /** How many entries were signed. */
  readonly size: number;
  /** Acknowledged entries without a place in the tree; whoever seals next gives them one. */
  readonly waiting: Waiting;
  /** The key that counted, and whether the caller gave it. */
  readonly verifierKey: string | undefined;
  readonly isKeyGiven: boolean;
  /** The newest checkpoint that counts. */
  readonly checkpoint: SignedCheckpoint | undefined;
  /**
   * How many entries the published checkpoint covers; undefined where none is known: then nobody can see that newer
   * ones were cut off.
   */
  readonly published: number | undefined;
  /** Who cosigned, of the witnesses that were given. */
  readonly witnesses: WitnessReport | undefined;
}

type Told = TreeReport &
  Pick<VerifyReport, 'size' | 'waiting' | 'checkpoint' | 'published' | 'witnesses'> & {
    readonly verifierKey: VerifierKey | undefined;
    readonly given: string | undefined;
  };

/** Findings and what else was seen, as callers read it. */
export function report({ verifierKey, given, ...told }: Told, findings: Findings): VerifyReport {
  const key = verifierKey && `${verifierKey.name}+${verifierKey.id}`;
  const ok = findings.found === 0 && told.witnesses?.isEnough !== false;
  return {
    ...told,
    ok,
    findings: findings.first,
    found: findings.found,
    verifierKey: given ?? key,
    isKeyGiven: given !== undefined,
  };
}

interface Sizes {
  readonly sequenced: number;
  readonly size: number;
  readonly since: SignedCheckpoint | undefined;
  readonly hasKey: boolean;
}

/** Notes a log that is shorter than what was signed or saved, and one that nobody signed. */
export function tellShort(note: Note, { sequenced, size, since, hasKey }: Sizes): void {
  if (sequenced < size)
    note({
      key: sequenceKey(sequenced),
      index: sequenced,
      kind: 'cut-off',
      what: `is missing: ${size} entries were signed, and only ${sequenced} have their place`,
    });
  if (since && since.size > size)
    note({
      key: checkpointKey(since.size),
      kind: 'cut-off',
      what: `is missing: the log was longer, ${since.size} entries, when the checkpoint given was made`,
    });
  if (!hasKey && sequenced > 0)
    note({ key: verifierKeyKey, kind: 'missing', what: 'is missing: nobody can tell whether the entries were signed' });
}
