import { describe, expect, test } from '@jest/globals';
import { hour } from '../../shared/base/time.ts';
import { rehearse } from '../../shared/rotation/rehearse.ts';
import { rotate } from '../../shared/rotation/run.ts';
import { Faults } from '../broken-writes.ts';
import { runCrashTable, type CrashTable } from './crash-table.ts';
import { watched } from './killed-events.ts';
import { makePlace, runUntilDone, unlessKilled } from './place.ts';

const itself = { strategy: 'single', changesItself: true, oneStore: true } as const;
const settlesMs = 3 * hour;

/** A sample: the proof rotation-crash-memory breaks every write. */
const tables: readonly (readonly [string, CrashTable])[] = [
  ['in a store that shows it at once', { ...itself, every: 5 }],
  ['in a store that settles for hours', { ...itself, vault: { settlesMs }, every: 9 }],
  ['in a store that settles and gives it another id', { ...itself, vault: { settlesMs, ids: 'renewed' }, every: 9 }],
  ['in a store that only checks', { ...itself, vault: { writes: 'checked', keepsPrevious: false }, every: 9 }],
  ['that leaked', { ...itself, leaked: { reason: 'found in a chat' }, every: 9 }],
];

describe("broken at many a write, in any way, once or twice, a rotation of lockkeeper's own login by itself never locks lockkeeper out:", () => {
  test.each(tables)(
    '%s',
    async (_name, table) => {
      const { cases, violations } = await runCrashTable(table);
      expect(violations).toEqual([]);
      expect(cases).toBeGreaterThan(20);
    },
    60_000,
  );
});

describe('in the middle of its rotation every other process of lockkeeper gets in', () => {
  test.each([undefined, { settlesMs }, { settlesMs, writes: 'checked' }] as const)(
    'after every write of it, also where the store still shows what was before: %j',
    async (vault) => {
      const good = await makePlace({ ...itself, ...(vault && { vault }) });
      const writes = new Faults();
      await good.run({ now: true }, writes);
      for (let at = 0; at < writes.writes.length; at += 1) {
        const place = await makePlace({ ...itself, ...(vault && { vault }) });
        await unlessKilled(place.run({ now: true }, new Faults(new Map([[at, 'killed-after']]))));
        await expect(place.deps().service.describe()).resolves.toMatchObject({ strategy: 'single' });
      }
      expect(writes.writes.length).toBeGreaterThan(20);
    },
  );

  test('and where what the secret hands out was spoilt by hand', async () => {
    const place = await makePlace(itself);
    await unlessKilled(rotate(place.deps(new Faults(new Map([[12, 'killed-after']]))), { now: true }));
    place.vaults['one']?.setByHand('app-db', 'no login at all');
    await expect(place.deps().service.describe()).resolves.toMatchObject({ strategy: 'single' });
  });
});

describe('several lockkeepers at once rotate the login that all of them use', () => {
  test.each(['service.change before', 'service.change guarded', 'one.stage after', 'one.promote before'])(
    'one that is paused at %s while another goes on stops, or finishes, and nobody is locked out',
    async (moment) => {
      const place = await makePlace(itself);
      let resume = () => undefined as void;
      const paused = new Promise<void>((resolve) => (resume = resolve));
      let isPaused = () => undefined as void;
      const reached = new Promise<void>((resolve) => (isPaused = resolve));
      const first = rotate(
        watched(place.deps(), (name) => {
          if (name !== moment) return undefined;
          isPaused();
          return paused;
        }),
        { now: true },
      );
      await reached;
      const second = place.run({ now: true });
      // Where the paused one holds the service's lock, the other one waits for it.
      await Promise.race([second, new Promise((resolve) => setTimeout(resolve, 20))]);
      resume();
      const outcomes = [(await first).outcome, (await second).outcome];
      expect(outcomes).toContain('done');
      expect(outcomes.every((one) => one === 'done' || one === 'busy')).toBe(true);
      expect(place.consumerLogsIn('one')).toBe(true);
      expect(place.host.count('app_a')).toBe(1);
      await expect(place.deps().service.describe()).resolves.toMatchObject({ strategy: 'single' });
    },
  );
});

test('it needs no acceptDowntime, its rehearsal promises 0, and says who would be refused', async () => {
  const place = await makePlace(itself);
  const { failedLogins, wouldFinish, why } = await rehearse(place.deps());
  expect({ failedLogins, wouldFinish }).toEqual({ failedLogins: 0, wouldFinish: true });
  expect(why).toContain('if lockkeeper alone logs in as app_a');
  expect(why).toContain('Anybody else is refused');
  expect(await runUntilDone(place)).toMatchObject({ outcome: 'done' });
});
