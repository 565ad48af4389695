import { asLockkeeperError, type ErrorCode } from '../base/error.ts';
import { after, day, instant } from '../base/time.ts';
import type { World } from '../base/world.ts';
import { isMachines } from '../base/machine.ts';
import { anyTime, type FlowLog, type LogObject, type UsageBatch, type Within } from '../flow-logs/contract.ts';

/** A clock of another machine may be ahead by this much; what is later was not written by a clock. */
const aheadMs = day;

/** Times that rows can be of when they are read now. */
export function untilNow(world: World): Within {
  return { from: anyTime.from, to: instant(Math.min(anyTime.to, after(world.now(), aheadMs))) };
}

/**
 * Reads objects together. An object on which the flow log fails, whatever the failure, is found by halving, reported as
 * unreadable, and the others are read without it. Nothing is written meanwhile, so a crash loses nothing. Errors: what the
 * log throws where the failure is not about an object: the log is not reached, the machine is short, or no object alone
 * fails.
 */
export async function readObjects(
  flowLog: FlowLog,
  objects: readonly LogObject[],
  within: Within,
): Promise<UsageBatch> {
  try {
    return await flowLog.usage(objects, within);
  } catch (thrown) {
    if (objects.length === 0 || !isAboutObjects(thrown)) throw thrown;
    // Where not even nothing can be read, the objects are not to blame.
    const nothing = await flowLog.usage([], within);
    const culprits = new Map<LogObject, string>();
    await find(flowLog, { objects, within, culprits, thrown });
    if (culprits.size === 0) throw thrown;
    const rest = objects.filter((object) => !culprits.has(object));
    const usage = rest.length === 0 ? nothing : await flowLog.usage(rest, within);
    return { ...usage, objects: objects.flatMap((object) => reportsOf(object, culprits.get(object), usage)) };
  }
}

/** True where the failure may come from an object and not from the way to it. */
export function isAboutObjects(thrown: unknown): boolean {
  return !(elsewhere.has(asLockkeeperError(thrown).code) || isMachines(thrown));
}

const elsewhere: ReadonlySet<ErrorCode> = new Set([
  'denied',
  'throttled',
  'unreachable',
  'uncertain',
  'not-found',
  'conflict',
]);

interface Search {
  /** These failed together, with this. */
  readonly objects: readonly LogObject[];
  readonly thrown: unknown;
  readonly within: Within;
  readonly culprits: Map<LogObject, string>;
}

async function find(flowLog: FlowLog, { objects, thrown, within, culprits }: Search): Promise<void> {
  const [only] = objects;
  if (objects.length === 1 && only !== undefined) {
    culprits.set(only, asLockkeeperError(thrown).message.slice(0, 300));
    return;
  }
  const middle = objects.length >> 1;
  for (const half of [objects.slice(0, middle), objects.slice(middle)]) {
    try {
      await flowLog.usage(half, within);
    } catch (cause) {
      if (!isAboutObjects(cause)) throw cause;
      await find(flowLog, { objects: half, thrown: cause, within, culprits });
    }
  }
}

function reportsOf({ key, version }: LogObject, why: string | undefined, { objects }: UsageBatch) {
  if (why !== undefined) return [{ key, version, records: 0, malformed: 0, unreadable: why }];
  return objects.filter((report) => report.key === key);
}
