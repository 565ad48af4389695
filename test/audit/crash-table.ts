import type { Acknowledgement } from '../../shared/audit/entry.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { breaks, Faults, Killed, type Break } from '../broken-writes.ts';
import { allEntries, event, place, runOn, type LogPlace } from './place.ts';

/** An acknowledged event. */
export interface Acknowledged extends Acknowledgement {
  readonly number: number;
}

const appends = 5;

/** Records until every event is acknowledged, sealing on the way; after each error another process goes on. */
export async function appendUntilAcknowledged(
  at: LogPlace,
  broken: ReadonlyMap<number, Break>,
  faults = new Faults(broken),
): Promise<readonly Acknowledged[]> {
  const acknowledged: Acknowledged[] = [];
  for (let process = 0, ended = false; !ended; process += 1) {
    if (process > 9) throw new Error('did not recover');
    faults.restart();
    const stores = {
      log: faults.wrap(at.log, 'log', ['create']),
      state: faults.wrap(at.state, 'state', ['create', 'replace', 'delete']),
    };
    const log = runOn({ ...at, ...stores }, `process-${process}`);
    try {
      while (acknowledged.length < appends) {
        const number = acknowledged.length;
        acknowledged.push({ ...(await log.record(event(number))), number });
        if (number === 2) await log.seal();
      }
      await log.end();
      ended = true;
    } catch (thrown) {
      if (!(thrown instanceof Killed || (thrown instanceof LockkeeperError && thrown.code === 'uncertain')))
        throw thrown;
    }
  }
  return acknowledged;
}

/** The names of the writes of a run in which nothing breaks. */
export async function writesOfAGoodRun(): Promise<readonly string[]> {
  const faults = new Faults();
  await appendUntilAcknowledged(place(), new Map(), faults);
  return faults.writes;
}

/**
 * Rows of the table for a run of so many writes: each in each way; with one of the next three in each way; with one of
 * the later ones in one way, which takes turns.
 */
export function brokenRuns(writes: number): readonly (readonly (readonly [number, Break])[])[] {
  const places = Array.from({ length: writes }, (_, at) => at);
  const once = places.flatMap((at) => breaks.map((how) => [at, how] as const));
  const twice = once.flatMap(([at, how], turn) =>
    places.slice(1).flatMap((later) => {
      const kinds = later <= 3 ? breaks : breaks.slice((turn + later) % breaks.length).slice(0, 1);
      return at + later < writes + 4
        ? kinds.map(
            (again) =>
              [
                [at, how],
                [at + later, again],
              ] as const,
          )
        : [];
    }),
  );
  return [...once.map((one) => [one]), ...twice];
}

/** What does not hold afterwards: now, and when one more run has written. Empty where all is well. */
export async function unsound(at: LogPlace, acknowledged: readonly Acknowledged[]): Promise<readonly unknown[]> {
  const before = await verifyLog(at);
  const last = runOn(at, 'last');
  await last.record(event(99));
  await last.end();
  const after = await verifyLog(at);
  const hashes = new Map((await allEntries(at)).map(({ hash, event: { details } }) => [hash, details['number']]));
  const lost = acknowledged.filter(({ hash, number }) => hashes.get(hash) !== number);
  const open =
    after.waiting.batches === 0 && after.size === after.entries
      ? []
      : [`${after.waiting.batches} batches wait, ${after.size} of ${after.entries} are signed`];
  return [...before.findings, ...after.findings, ...lost, ...open];
}
