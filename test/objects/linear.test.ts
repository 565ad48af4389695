import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { isExplained, type Asked, type Call } from './linear.ts';
import { lossy, memoryHandles, roughPlaces } from './linear-places.ts';
import { histories } from './linear-run.ts';

describe('whatever several clients do at once while answers get lost, one order of their calls explains every answer', () => {
  // The proof objects-linear does the same a thousand times.
  test.each(Object.entries(roughPlaces))(
    '%s',
    async (_, open) => {
      const place = await open();
      try {
        const reports = await histories(place, { firstSeed: 1, count: 8, atOnce: 8 });
        expect(reports.flatMap(({ violations }) => violations)).toEqual([]);
        expect(reports.reduce((sum, { calls }) => sum + calls, 0)).toBeGreaterThan(100);
      } finally {
        await place.close();
      }
    },
    60_000,
  );
});

/** Faults that a driver may have, each in a store that is right but for it. */
const wrong: Readonly<Record<string, (store: ObjectStore) => ObjectStore>> = {
  'that answers done to a stale replace': (store) => ({
    ...store,
    replace: async (key, bytes, held) => {
      const answer = await store.replace(key, bytes, held);
      return answer.outcome === 'stale' ? { outcome: 'done', version: `${held}+` } : answer;
    },
  }),
  'that replaces whatever is held': (store) => ({
    ...store,
    replace: async (key, bytes, held) => await store.replace(key, bytes, (await store.get(key))?.version ?? held),
  }),
  'that calls its own write stale where the answer was lost': (store) => ({
    ...store,
    replace: async (key, bytes, held) => {
      await store.replace(key, bytes, held);
      return await store.replace(key, bytes, held);
    },
  }),
  'that says nothing was written where it was': (store) => ({
    ...store,
    create: async (key, bytes) => {
      await store.create(key, bytes);
      throw new LockkeeperError('throttled', 'slower');
    },
  }),
  'that lists without what is at the end': (store) => ({
    ...store,
    async *list(prefix) {
      for await (const one of store.list(prefix)) if (!one.key.endsWith('0')) yield one;
    },
  }),
  'that reads what it read before': (store) => {
    const known = new Map<string, ReturnType<ObjectStore['get']>>();
    const remembered = (key: string) => known.get(key) ?? store.get(key);
    return { ...store, get: (key) => known.set(key, remembered(key)).get(key) ?? store.get(key) };
  },
};

describe('is found out: a driver', () => {
  test.each(Object.entries(wrong))('%s', async (_, wrap) => {
    const reports = await histories(lossy('wrong', memoryHandles(wrap)), { firstSeed: 1, count: 24, atOnce: 1 });
    expect(reports.flatMap(({ violations }) => violations).length).toBeGreaterThan(5);
  });

  test('whose versions come back with the same bytes', () => {
    const a = { content: 'a', version: 'A' };
    const first = inTurn(
      { verb: 'create', content: 'a', came: { version: 'A' } },
      { verb: 'delete', held: 'A', came: 'done' },
    );
    expect(isExplained(first, { sendsAgain: true })).toBe(true);
    const again = inTurn(...first, { verb: 'create', content: 'a', came: { version: 'A' } }, { verb: 'get', came: a });
    expect(isExplained(again, { sendsAgain: true })).toBe(false);
  });
});

describe('an order of calls', () => {
  const made: Asked = { verb: 'create', content: 'a', came: { version: 'A' } };
  const lost: Asked = { verb: 'replace', content: 'b', held: 'A', came: 'uncertain' };

  test('may have a call of which nobody knows at any later time, or never', () => {
    const later: Asked = { verb: 'get', came: { content: 'b', version: 'B' } };
    const before: Asked = { verb: 'get', came: { content: 'a', version: 'A' } };
    expect(isExplained(inTurn(made, lost, before, before), { sendsAgain: false })).toBe(true);
    expect(isExplained(inTurn(made, lost, before, later), { sendsAgain: false })).toBe(true);
    expect(isExplained(inTurn(made, lost, later, before), { sendsAgain: false })).toBe(false);
    expect(isExplained(inTurn(made, later, lost), { sendsAgain: false })).toBe(false);
  });

  test('has an object twice by one create only where that may be sent again, and not after it returned', () => {
    const twice: readonly Call[] = [
      { verb: 'get', came: { content: 'a', version: 'A0' }, client: 1, called: 2, returned: 3 },
      { verb: 'delete', held: 'A0', came: 'done', client: 1, called: 4, returned: 5 },
      { ...made, client: 0, called: 1, returned: 6 },
    ];
    expect(isExplained(twice, { sendsAgain: true })).toBe(true);
    expect(isExplained(twice, { sendsAgain: false })).toBe(false);
    const afterwards = inTurn(
      made,
      { verb: 'delete', held: 'A', came: 'done' },
      { verb: 'get', came: { content: 'a', version: 'A1' } },
    );
    expect(isExplained(afterwards, { sendsAgain: true })).toBe(false);
  });
});

/** Each call begins when the one before is over. */
function inTurn(...asked: readonly Asked[]): readonly Call[] {
  return asked.map((one, at) => ({ ...one, client: 0, called: 2 * at, returned: 2 * at + 1 }));
}
