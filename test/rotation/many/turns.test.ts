import { expect, test } from '@jest/globals';
import { hour } from '../../../shared/base/time.ts';
import { inOrder, type Standing } from '../../../shared/rotation/many/order.ts';
import { roundAfter } from '../../../shared/rotation/many/turns.ts';
import { fc } from '../../properties.ts';
import { manyPlaces } from './fleet.ts';

const kinds = ['unread', 'under-way', 'due', 'resting'] as const;
const names = (count: number) => Array.from({ length: count }, (_, at) => `c${at}`);

/** Standings that change from run to run in any way. */
const changing = fc.array(fc.record({ kind: fc.constantFrom(...kinds), since: fc.integer({ min: 0, max: 9 }) }), {
  minLength: 8,
  maxLength: 40,
});

function standings(
  count: number,
  drawn: readonly Pick<Standing, 'kind' | 'since'>[],
  run: number,
): readonly Standing[] {
  return names(count).map((name, at) => {
    const { kind = 'due', since = 0 } = drawn[(run * 7 + at) % drawn.length] ?? {};
    return { name, kind, since, rotation: undefined };
  });
}

test('where k of n fit into a run all are reached in n / k runs, and nobody waits for more than two rounds', () => {
  const held = fc.check(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), changing, (count, fits, drawn) => {
      const round = Math.ceil(count / fits);
      const last = new Map(names(count).map((name) => [name, 0]));
      let reached: ReadonlySet<string> = new Set();
      for (let run = 1; run <= 4 * round; run += 1) {
        const now = inOrder(standings(count, drawn, run), reached)
          .slice(0, fits)
          .map(({ name }) => name);
        reached = roundAfter(reached, names(count), new Set(now));
        for (const name of now) last.set(name, run);
        const longest = Math.max(...[...last.values()].map((at) => run - at));
        if (longest >= 2 * round || (run === round && longest >= round)) return false;
      }
      return true;
    }),
    { numRuns: 100 },
  );
  expect(held.counterexample).toBeNull();
});

test('runs over a part of the credentials take nobody’s turn from the others', () => {
  fc.assert(
    fc.property(
      fc.subarray(names(9)),
      fc.subarray(names(9)),
      fc.array(fc.boolean(), { minLength: 9 }),
      (before, chosen, hit) => {
        const now = new Set(chosen.filter((_, at) => hit[at]));
        const after = roundAfter(new Set(before), chosen, now);
        for (const name of names(9).filter((one) => !chosen.includes(one)))
          expect(after.has(name)).toBe(before.includes(name));
      },
    ),
  );
});

test.each([1, 3])('real runs that the deadline cuts short reach all in turn, %d at once', async (concurrency) => {
  const many = await manyPlaces(names(7), { propagationMs: hour });
  const count = 3;
  const request = { now: true };
  const reached = new Set<string>();
  for (let run = 1; run <= 3; run += 1) {
    const { reports, left } = await many.runUntil(count, { concurrency, request });
    expect(reports.size).toBeGreaterThanOrEqual(count);
    expect(reports.size + left.length).toBe(7);
    for (const [name, { outcome, steps }] of reports) if (outcome !== 'stopped' || steps.length > 0) reached.add(name);
  }
  expect([...reached].toSorted()).toEqual(names(7));
});
