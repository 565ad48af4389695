import type { Notice } from '../../shared/approvals/contract.ts';
import type { SealReport } from '../../shared/audit/sealing/integrate.ts';
import type { Unsigned } from '../../shared/audit/sealing/unsigned.ts';
import type { LockkeeperError } from '../../shared/base/error.ts';
import { formatInstant, minute, type Instant } from '../../shared/base/time.ts';

/** How one sealing went. */
export interface Sealing {
  readonly at: Instant;
  /** What it answered, or why it failed. */
  readonly report: SealReport | undefined;
  readonly failure: LockkeeperError | undefined;
  /** What is not signed afterwards; undefined where that cannot be read. */
  readonly unsigned: Unsigned | undefined;
}

/** What is wrong with the log: one text for each thing, under a name that stays the same as long as it lasts. */
export interface Trouble {
  readonly text: string;
  /** What people are told of it; undefined: it is for the log of `serve` alone. */
  readonly level: 'warning' | 'alarm' | undefined;
  /** What tells it: while there is none, nobody knows whether it is over. */
  readonly source: 'report' | 'failure' | 'unsigned';
}

export type Troubles = ReadonlyMap<string, Trouble>;

/** An acknowledged entry has its place in a signed tree after so long, or something is wrong. */
export const longestUnsignedMs = 15 * minute;

/** What came before a sealing. */
export interface Earlier {
  readonly troubles: Troubles;
  /** When the first of the sealings failed that failed in a row, this one included. */
  readonly failingSince: Instant | undefined;
}

/** Everything that is wrong after a sealing. What was wrong before and cannot be told of this time is taken to last. */
export function troublesOf(
  { at, report, failure, unsigned }: Sealing,
  { troubles: before, failingSince }: Earlier,
): Troubles {
  const lasting = [...before].filter(
    ([, { source }]) => (source === 'report' && !report) || (source === 'unsigned' && !unsigned),
  );
  const troubles = new Map<string, Trouble>([...lasting, ...(report ? toldBy(report) : [])]);
  if (failure) {
    const text = `the audit log could not be sealed: ${failure.message}${failure.hint === undefined ? '' : `. ${failure.hint}`}`;
    troubles.set(nameOf(text), { text, level: failure.code === 'conflict' ? 'alarm' : undefined, source: 'failure' });
  }
  const since = earlier(unsigned?.since, failingSince);
  if (since !== undefined && at - since > longestUnsignedMs) {
    troubles.set('late', {
      text: `what was recorded since ${formatInstant(since)} is not in the signed audit log yet`,
      level: 'warning',
      source: 'unsigned',
    });
  }
  return troubles;
}

/** So many objects are told one by one: whoever may write to the log store is not to fill people's channels. */
const mostNamed = 10;

function toldBy({ problems, alarms, refused, witnessed, cosigned }: SealReport): Troubles {
  const troubles = new Map<string, Trouble>();
  const add = (text: string, level: Trouble['level'], name = nameOf(text)) =>
    troubles.set(name, { text, level, source: 'report' });
  for (const problem of problems) add(problem, alarms.includes(problem) ? 'alarm' : undefined);
  for (const { key, why } of refused.slice(0, mostNamed))
    add(`${key} in the log store ${why}, and stays outside the tree`, 'alarm', key);
  if (refused.length > mostNamed)
    add(
      `more than ${mostNamed} objects in the inbox of the log store stay outside the tree, for nobody is known to have written them: \`lockkeeper audit verify\` names them`,
      'alarm',
      'refused',
    );
  if (!witnessed)
    add(`too few witnesses cosign the audit log: ${cosigned} by now; it goes on recording`, 'warning', 'witnessed');
  return troubles;
}

/** Sizes and times in it change while the same is wrong. */
function nameOf(text: string): string {
  return text.replaceAll(/\d+/g, '#');
}

function earlier(one: Instant | undefined, other: Instant | undefined): Instant | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one < other ? one : other;
}

/** What has begun to be wrong, and what is over, since the sealing before. */
export interface News {
  readonly begun: readonly Trouble[];
  readonly over: readonly Trouble[];
}

/** Compares by name: what lasts is no news. */
export function newsBetween(before: Troubles, now: Troubles): News {
  const missingIn = (others: Troubles, from: Troubles) =>
    [...from].filter(([name]) => !others.has(name)).map(([, trouble]) => trouble);
  return { begun: missingIn(before, now), over: missingIn(now, before) };
}

/** What people are told of these news, in order. That an alarm is silent again does not make good what it was about. */
export function noticesOf({ begun, over }: News): readonly Notice[] {
  const told = begun.flatMap(({ text, level }) =>
    level === undefined ? [] : [{ hash: undefined, level, text: `Audit log: ${text}.` } as const],
  );
  const ended = over
    .filter(({ level }) => level === 'warning')
    .map(({ text }) => ({ hash: undefined, level: 'info', text: `Audit log, over: ${text}.` }) as const);
  return [...told, ...ended];
}
