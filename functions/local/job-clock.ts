import { after, instant, type Instant } from '../../shared/base/time.ts';
import type { World } from '../../shared/base/world.ts';
import type { LocalDeps } from './deps-wire.ts';

/** The world as a job sees it: every run has a deadline, at which its story stops at the next safe place. */
export interface JobClock {
  readonly world: World;
  /** A run begins. */
  begin(): void;
}

/** `world`, with `ms` for each run of a job. */
export function jobClock(world: World, ms: number): JobClock {
  let ends: Instant | undefined;
  const deadline = () => (ends === undefined ? world.deadline() : instant(Math.min(ends, world.deadline())));
  return {
    world: { ...world, deadline },
    begin() {
      ends = after(world.now(), ms);
    },
  };
}

/** The same dependencies for stories that go by another clock's deadline. */
export function withWorld(deps: LocalDeps, world: World): LocalDeps {
  return {
    ...deps,
    world,
    async rotations(by) {
      return new Map([...(await deps.rotations(by))].map(([name, one]) => [name, { ...one, world }]));
    },
    async reminders(by) {
      return new Map([...(await deps.reminders(by))].map(([name, one]) => [name, { ...one, world }]));
    },
    closing: async (approvals) => ({ ...(await deps.closing(approvals)), world }),
  };
}
