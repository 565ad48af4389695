import { expect, test } from '@jest/globals';
import type { Acknowledgement } from '../../shared/audit/entry.ts';
import { auditLog } from '../../shared/audit/log.ts';
import { verify } from '../../shared/audit/verify.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { breaks, Faults, Killed, type Break } from '../broken-writes.ts';
import { testWorld } from '../world.ts';
import { allEntries, event, place } from './place.ts';

const appends = 4;

/** Appends until `appends` events are acknowledged, beginning a new process after each error, and gives all acknowledgements. */
async function append(at: ReturnType<typeof place>, faults: Faults): Promise<readonly (Acknowledgement & { readonly number: number })[]> {
  const acknowledged: (Acknowledgement & { readonly number: number })[] = [];
  for (let process = 0; acknowledged.length < appends; process += 1) {
    if (process > 8) throw new Error('did not recover');
    faults.restart();
    const stores = { log: faults.wrap(at.log, 'log', ['create']), state: faults.wrap(at.state, 'state', ['create', 'replace']) };
    const log = auditLog({ ...stores, world: testWorld(undefined, `process ${process}`), run: `process-${process}` });
    try {
      while (acknowledged.length < appends) {
        const number = acknowledged.length;
        acknowledged.push({ ...(await log.record(event(number))), number });
      }
      await log.flush();
    } catch (thrown) {
      if (!(thrown instanceof Killed || (thrown instanceof LockkeeperError && thrown.code === 'uncertain'))) throw thrown;
    }
  }
  return acknowledged;
}

/** What does not hold afterwards: now, and when one more run has written. */
async function unsound(at: ReturnType<typeof place>, acknowledged: Awaited<ReturnType<typeof append>>): Promise<readonly unknown[]> {
  const before = await verify(at);
  const last = auditLog({ ...at, world: testWorld(undefined, 'last'), run: 'last' });
  await last.record(event(99));
  await last.flush();
  const after = await verify(at);
  const entries = await allEntries(at.log);
  const lost = acknowledged.filter(({ index, hash, number }) => entries[index]?.hash !== hash || entries[index]?.event.details['number'] !== number);
  const places = new Set(acknowledged.map(({ index }) => index));
  const uncovered = after.covered === after.entries ? [] : ['the head does not cover the log'];
  return [...before.findings, ...after.findings, ...lost, ...uncovered, ...(places.size === appends ? [] : ['a place was given twice'])];
}

async function rows(): Promise<readonly string[]> {
  const faults = new Faults();
  await append(place(), faults);
  return faults.writes;
}

test('a good run writes a head, and then an entry and a head an append', async () => {
  expect(await rows()).toEqual(['state.create', ...Array.from({ length: appends }, () => ['log.create', 'state.replace']).flat()]);
});

const writes = 1 + 2 * appends;
const once = breaks.flatMap((how) => Array.from({ length: writes }, (_, at): [Break, number][] => [[how, at]]));
const twice = breaks.flatMap((how) => breaks.flatMap((again) => Array.from({ length: writes }, (_, at): [Break, number][] => [[how, at], [again, at + 1]])));
const later = breaks.flatMap((how) => Array.from({ length: writes }, (_, at): [Break, number][] => [[how, at], ['killed-after', at + 2]]));

test.each([...once, ...twice, ...later].map((broken) => [broken.map(([how, at]) => `write ${at} ${how}`).join(', then '), broken] as const))(
  'no acknowledged entry is lost and nothing forks: %s',
  async (_, broken) => {
    const at = place();
    const faults = new Faults(new Map(broken.map(([how, ordinal]) => [ordinal, how])));
    const acknowledged = await append(at, faults);
    expect(await unsound(at, acknowledged)).toEqual([]);
  },
);

test('an uncertain create is healed without the caller noticing', async () => {
  for (const how of ['lost-before', 'lost-after'] as const) {
    const at = place();
    const faults = new Faults(new Map([[1, how]]));
    const log = auditLog({ log: faults.wrap(at.log, 'log', ['create']), state: faults.wrap(at.state, 'state', ['create', 'replace']), world: testWorld(), run: 'run' });
    expect((await log.record(event(0))).index).toBe(0);
    await log.flush();
    expect(await allEntries(at.log)).toHaveLength(1);
  }
});
