import { describe, expect, test } from '@jest/globals';
import { hour } from '../../shared/base/time.ts';
import { rehearse } from '../../shared/rotation/rehearse.ts';
import { rotate } from '../../shared/rotation/run.ts';
import { Faults } from '../broken-writes.ts';
import { runCrashTable, type CrashTable } from './crash-table.ts';
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

test('it needs no acceptDowntime, its rehearsal promises 0, and says who would be refused', async () => {
  const place = await makePlace(itself);
  const { failedLogins, wouldFinish, why } = await rehearse(place.deps());
  expect({ failedLogins, wouldFinish }).toEqual({ failedLogins: 0, wouldFinish: true });
  expect(why).toContain('if lockkeeper alone logs in as app_a');
  expect(why).toContain('Anybody else is refused');
  expect(await runUntilDone(place)).toMatchObject({ outcome: 'done' });
});
