import { fc } from '../properties.ts';
import { expect, test } from '@jest/globals';
import { MemoryAuthority, memoryIssuer } from '../../shared/services/memory-issuer.ts';
import { testWorld } from '../world.ts';

test('a rotation gets the same value again and again, and shares it with nobody', async () => {
  const issuer = memoryIssuer(new MemoryAuthority(testWorld()));
  const first = await issuer.issue('r-1', 'app_a');
  expect((await issuer.issue('r-1', 'app_a')).open()).toBe(first.open());
  const others = [await issuer.issue('r-2', 'app_a'), await issuer.issue('r-1', 'app_b')];
  expect(new Set([first, ...others].map((one) => one.open())).size).toBe(3);
  expect(first.open()).toMatch(/^[\w-]{32}$/);
});

test('recall ends what was issued for the rotation and nothing else; the next value is another one', async () => {
  const authority = new MemoryAuthority(testWorld());
  const issuer = memoryIssuer(authority);
  const [ended, other] = [await issuer.issue('r-1', 'app_a'), await issuer.issue('r-2', 'app_a')];
  await issuer.recall('r-1');
  await issuer.recall('r-1');
  await issuer.recall('r-never');
  expect([ended, other].map((one) => authority.isAlive(one.open()))).toEqual([false, true]);
  const again = await issuer.issue('r-1', 'app_a');
  expect(again.open()).not.toBe(ended.open());
  expect(authority.isAlive(again.open())).toBe(true);
});

test('going back to an earlier state gives exactly what was then, and states hold no value', () => {
  const step = fc.record({ ends: fc.boolean(), rotation: fc.constantFrom('r-1', 'r-2', 'r-3') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), fc.array(step, { maxLength: 20 }), (before, later) => {
      const authority = new MemoryAuthority(testWorld());
      const run = (steps: typeof before) =>
        steps.map(({ ends, rotation }) => (ends ? authority.recall(rotation) : authority.issue(rotation, 'app_a')));
      const issued = run(before);
      const state = authority.state;
      const copy = structuredClone(state);
      const first = run(later);
      expect(state).toEqual(copy);
      authority.restore(state);
      expect(run(later)).toEqual(first);
      const states = JSON.stringify([state, authority.state]);
      const made = [...issued, ...first].filter((value) => value !== undefined);
      expect(made.filter((value) => states.includes(value))).toEqual([]);
    }),
    { numRuns: 50 },
  );
});
