import { fc } from '../properties.ts';
import { expect, test } from '@jest/globals';
import { minute } from '../../shared/base/time.ts';
import { rotate, type RotationReport } from '../../shared/rotation/run.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import { firstValue, makePlace, runUntilDone, window, type Place } from './place.ts';

const strategies = ['alternating', 'additive'] as const;

test('several rotators in any interleaving lock nobody out, and a quiet run afterwards finishes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.constantFrom(...strategies),
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 4 }),
      async (scheduler, strategy, phases) => {
        const place = await makePlace({ strategy });
        // Each rotator gets in line at another stage of one or two whole rotations.
        for (let turn = 0; turn < (phases[0] ?? 0); turn += 1) await place.run({ now: true });
        const violations: string[] = [];
        const watch = watched(place, violations);
        const rotators = phases.map(async () => rotate(slowed(place, scheduler, watch), { now: true }));
        await scheduler.waitFor(Promise.all(rotators));
        watch();
        place.world.pass(window);
        const report: RotationReport = await runUntilDone(place);
        expect(report.outcome).toBe('done');
        watch();
        expect(violations).toEqual([]);
        expect(place.host.holds('app_a', firstValue)).toBe(false);
      },
    ),
    { numRuns: 60 },
  );
}, 60_000);

/**
 * Every call of every driver waits its turn, before and after it takes effect; after each one the invariants are
 * checked.
 */
function slowed(place: Place, scheduler: fc.Scheduler, watch: () => void): RotationDeps {
  const deps = place.deps();
  const slow = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, property) {
        const member: unknown = Reflect.get(object, property);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]): Promise<unknown> => {
          await scheduler.schedule(Promise.resolve(), String(property));
          const answer: unknown = await Reflect.apply(member, object, args);
          watch();
          await scheduler.schedule(Promise.resolve(), `${String(property)} done`);
          return answer;
        };
      },
    });
  const stores = Object.fromEntries(Object.entries(deps.stores).map(([name, store]) => [name, slow(store)]));
  return { ...deps, stores, service: slow(deps.service), state: slow(deps.state) };
}

function watched(place: Place, violations: string[]): () => void {
  return () => {
    for (const store of ['one', 'two'])
      if (!place.consumerLogsIn(store)) violations.push(`what store ${store} hands out is refused`);
    const journal = place.journal();
    const inWindow =
      journal?.phase !== 'done' &&
      journal?.phase !== 'retired' &&
      place.world.now() < (journal?.startedAt ?? 0) + minute;
    if (inWindow && journal?.past.length === 0 && !place.host.holds('app_a', firstValue))
      violations.push('the first value was refused before its window was over');
  };
}
