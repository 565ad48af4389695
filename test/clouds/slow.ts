import { setTimeout as pause } from 'node:timers/promises';

/** An answer that takes its time: so many milliseconds pass before the request takes effect, or after. */
export interface Slow {
  readonly slowMs: number;
  readonly slow: 'before' | 'after';
}

/** Waits, where a fault is such a slowness at this time. */
export async function slowly(fault: unknown, when: Slow['slow']): Promise<void> {
  if (isSlow(fault) && fault.slow === when) await pause(fault.slowMs);
}

/** True for a fault of this kind. */
export function isSlow(fault: unknown): fault is Slow {
  return typeof fault === 'object' && fault !== null && 'slowMs' in fault && 'slow' in fault;
}
