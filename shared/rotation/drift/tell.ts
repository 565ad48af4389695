import type { Notice } from '../../approvals/contract.ts';
import { LockkeeperError } from '../../base/error.ts';
import { record as recorded } from '../effects/recorded.ts';
import type { RotationDeps } from '../plan.ts';
import type { Facts } from './facts.ts';
import type { Finding, Found } from './finding.ts';
import { newsOf, toldRecord, type News } from './news.ts';
import { lastOf, writeRecord, type DriftRecord, type HeldRecord } from './record.ts';

/**
 * Puts down what is new and what is over, then tells people, once. Throws what the log and the state store throw; a
 * messenger that is down fails nothing: the next check tells.
 *
 * | killed after | what holds                                             | the next check          |
 * |--------------|--------------------------------------------------------|-------------------------|
 * | the log      | it is in the log, and not known                        | puts it down once more  |
 * | the record   | it is known, and nobody was told                       | tells people            |
 * | the notice   | people know, and the record does not say so            | tells them once more    |
 */
export async function conclude(
  deps: RotationDeps,
  { facts, held, found }: { readonly facts: Facts; readonly held: HeldRecord; readonly found: Found },
): Promise<News> {
  const journal = facts.journal instanceof Error ? undefined : facts.journal;
  const at = { now: facts.now, rotation: journal?.rotation ?? null, journal: lastOf(journal, held.record.journal) };
  const news = newsOf(held.record, found, at);
  const recorder = { deps, held: journal && { journal, version: '' } };
  for (const { id, what, todo } of news.fresh)
    await recorded(recorder, { action: 'rotation.drift', details: { finding: id, text: what, todo } });
  for (const { id, what, since } of news.over)
    await recorded(recorder, { action: 'rotation.drift-over', details: { finding: id, text: what, since } });
  const known = await writeRecord(deps.state, held, news.record);
  const notice = noticeOf(known.record, found.findings);
  if (notice && (await isTold(deps, notice))) await writeRecord(deps.state, known, toldRecord(known.record));
  return news;
}

async function isTold({ notify }: RotationDeps, notice: Notice): Promise<boolean> {
  try {
    await notify(notice);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    return false;
  }
}

const mostTold = 10;

/** Everything that people do not know yet, as one notice; undefined where they know it all. */
function noticeOf({ credential, findings: known, over }: DriftRecord, now: readonly Finding[]): Notice | undefined {
  const untold = known.filter(({ told }) => !told);
  const count = untold.length + over.length;
  if (count === 0) return undefined;
  const lines = [
    ...untold.map(({ id, what }) => {
      const todo = now.find((one) => one.id === id)?.todo;
      return `- ${what}${todo === undefined ? '' : `. ${todo}`}`;
    }),
    ...over.map(({ what }) => `- over: ${what}`),
  ];
  const more = count > mostTold ? [`and ${count - mostTold} more: lockkeeper drift ${credential}`] : [];
  const title =
    untold.length === 0 ? `${credential}: what differed is over` : `${credential}: ${untold.length} differences found`;
  const isUrgent = untold.some(({ id }) => /^(current-refused|ended-accepted) /.test(id));
  const level = isUrgent ? 'alarm' : untold.length === 0 ? 'info' : 'warning';
  return { hash: undefined, level, text: [`${title}:`, ...lines.slice(0, mostTold), ...more].join('\n') };
}
