import { describe, expect, test } from '@jest/globals';
import { publishedKey } from '../../shared/audit/layout.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { allEntries, event, filled, grow, runOn, stored, type LogPlace } from './place.ts';

/**
 * The log, to which others append 300 entries and seal just before the read number `turn`: more than a bundle takes.
 */
function growingAt(
  { log, ...rest }: LogPlace,
  turn: number,
): { readonly log: ObjectStore; readonly count: () => number } {
  let reads = 0;
  const before = async () => {
    reads += 1;
    if (reads === turn) await grow({ ...rest, log }, 300);
  };
  return {
    count: () => reads,
    log: {
      ...log,
      async get(key) {
        await before();
        return await log.get(key);
      },
      async *list(prefix, after) {
        await before();
        yield* log.list(prefix, after);
      },
    },
  };
}

describe('a log that goes on while it is read', () => {
  test.each(['from its beginning', 'from a saved checkpoint'])(
    'is verified %s, and nothing is found, whenever others seal',
    async (from) => {
      const at = await filled(300, 150);
      const since = from === 'from its beginning' ? undefined : Buffer.from(stored(at.heads, publishedKey)).toString();
      const still = growingAt(at, 0);
      await verifyLog({ ...at, log: still.log, since });
      for (let turn = 1; turn <= still.count(); turn += 1 + Math.floor(still.count() / 6)) {
        const own = await filled(300, 150);
        const { findings } = await verifyLog({ ...own, log: growingAt(own, turn).log, since });
        expect([turn, findings]).toEqual([turn, []]);
      }
    },
  );
  test('is shown with everything that was acknowledged before, whenever others seal', async () => {
    for (let turn = 1; turn <= 40; turn += 5) {
      const at = await filled(10, 3);
      const log = runOn(at, 'waits');
      await log.record(event(77));
      const before = (await allEntries(at)).map(({ hash }) => hash);
      const shown = (await allEntries({ log: growingAt(at, turn).log, state: at.state })).map(({ hash }) => hash);
      expect(shown).toEqual(expect.arrayContaining(before));
      expect(new Set(shown).size).toBe(shown.length);
    }
  });
});
