import { createHash } from 'node:crypto';
import { after, instant, parseInstant, type Instant } from '../shared/base/time.ts';
import type { World } from '../shared/base/world.ts';

/** A world for tests: the clock stands until it is moved, randomness repeats from a seed. */
export interface TestWorld extends World {
  pass(ms: number): void;
  setDeadline(at: Instant): void;
}

/** Begins at `start` (RFC 3339); the same seed gives the same randomness. */
export function testWorld(start = '2026-10-01T00:00:00Z', seed = 'seed'): TestWorld {
  let now = parseInstant(start);
  let drawn = 0;
  let ends = instant(Number.MAX_SAFE_INTEGER / 4);
  return {
    now: () => now,
    deadline: () => ends,
    random(bytes) {
      const blocks: Buffer[] = [];
      while (Buffer.concat(blocks).length < bytes) {
        drawn += 1;
        blocks.push(createHash('sha256').update(`${seed}:${drawn}`).digest());
      }
      return Buffer.concat(blocks).subarray(0, bytes);
    },
    pass(ms) {
      now = after(now, ms);
    },
    setDeadline(at) {
      ends = at;
    },
  };
}
