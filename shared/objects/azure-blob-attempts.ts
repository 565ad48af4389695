import { setTimeout as pause } from 'node:timers/promises';
import type { ErrorCode, LockkeeperError } from '../base/error.ts';
import type { World } from '../base/world.ts';
import { azureAnswer, azureError, type AzureRequest } from '../clouds/azure.ts';

/** What is tried. */
export interface Trial {
  readonly kind: keyof typeof kinds;
  /** What on what, for errors. */
  readonly tried: string;
  readonly world: World;
  /** How long one request may take, in milliseconds. */
  readonly requestLimitMs: number;
}

/** One try of it. */
export interface Try {
  /** The time limit of one request. */
  readonly limit: () => { readonly abortSignal: AbortSignal };
  /** An earlier try may have been written. */
  readonly isInDoubt: boolean;
}

/** Longest pauses before the second, third and fourth try, in milliseconds. */
const pausesMs = [100, 300, 900];
/** Whoever wants to be left alone for longer gets no further try in this run. */
const longestPauseMs = 3_000;

/**
 * Whether it writes, what it takes, and after which errors it is tried again. A change is not, once it may have
 * happened: the second try would find its own work and call it stale. A create is: it finds its own bytes.
 */
const kinds = {
  read: {
    written: false,
    needs: 'the role Storage Blob Data Reader on the container',
    repeated: ['throttled', 'unreachable'],
  },
  create: {
    written: true,
    needs: 'the role Storage Blob Data Contributor on the container',
    repeated: ['throttled', 'unreachable', 'uncertain'],
  },
  change: {
    written: true,
    needs: 'the role Storage Blob Data Contributor on the container',
    repeated: ['throttled', 'unreachable'],
  },
} as const satisfies Record<string, AzureRequest & { readonly repeated: readonly ErrorCode[] }>;

/**
 * Runs `act` up to four times within seconds, not beyond the run's deadline. Throws the last error; but where any try
 * may have been written, the first such `uncertain`: that a later one was refused does not make it unhappen. A try that
 * took its whole time limit is the last one.
 */
export async function persist<T>(
  { kind, tried, world, requestLimitMs }: Trial,
  act: (one: Try) => Promise<T>,
): Promise<T> {
  const repeated: readonly ErrorCode[] = kinds[kind].repeated;
  // The SDK throws an AbortError for a broken body too: only the signal tells whether the time was up.
  let last: AbortSignal | undefined;
  const limit = () => ({ abortSignal: (last = AbortSignal.timeout(requestLimitMs)) });
  let doubt: LockkeeperError | undefined;
  for (let tries = 0; ; tries += 1) {
    try {
      return await act({ limit, isInDoubt: doubt !== undefined });
    } catch (thrown) {
      const error = azureError(thrown, tried, kinds[kind]);
      if (error.code === 'uncertain') doubt ??= error;
      const pauseMs = last?.aborted === true ? undefined : pauseOf(thrown, pausesMs[tries], world);
      if (pauseMs === undefined || !repeated.includes(error.code)) throw doubt ?? error;
      await pause(pauseMs);
    }
  }
}

/**
 * Half of a pause is chance, so that those who were refused together do not come back together. Undefined: no further
 * try.
 */
function pauseOf(thrown: unknown, longestMs: number | undefined, world: World): number | undefined {
  if (longestMs === undefined) return undefined;
  const [chance = 0] = world.random(1);
  const pauseMs = Math.max(azureAnswer(thrown).retryAfterMs ?? 0, longestMs * (1 - chance / 512));
  return pauseMs <= longestPauseMs && world.now() + pauseMs < world.deadline() ? pauseMs : undefined;
}
