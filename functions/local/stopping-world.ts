import type { World } from '../../shared/base/world.ts';

/** `world`, whose deadline has come once `signal` is aborted: every story then stops at its next safe place. */
export function stoppingWorld(world: World, signal: AbortSignal): World {
  return { ...world, deadline: () => (signal.aborted ? world.now() : world.deadline()) };
}
