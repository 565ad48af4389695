import { minute } from '../base/time.ts';
import type { Mark } from './contract.ts';

/** A point in one server's life, in microseconds since 1970 by that server's own clock. */
export interface ServerPoint {
  readonly at: number;
  /** When that server was started, which tells it from the one that may answer at the same address later. */
  readonly started: number;
}

/** What a server tells about a session; `began` is undefined where lockkeeper may not see it. */
export interface SessionPoint {
  readonly began: number | undefined;
  readonly started: number;
}

/** How far clocks of two servers may differ, in microseconds. */
const clockDifference = 5 * minute * 1_000;

/**
 * One mark for all endpoints: each one's own time, because each server stamps its sessions by its own clock. An endpoint
 * that did not answer is left out. The primary's must be among them.
 */
export function markOf(points: ReadonlyMap<string, ServerPoint>): Mark {
  return JSON.stringify({ version: 1, points: Object.fromEntries(points) });
}

/**
 * True where the session at `endpoint` began before the mark. On the server that gave the mark only its own clock counts,
 * and lockkeeper's never does. After a failover or a restart another server answers at the address, whose clock may
 * differ: then what began up to five minutes after the mark counts as older. The same where an endpoint gave no time,
 * by the latest time of the others. So a failover can make old sessions of new ones for some minutes, and never the
 * other way round. A session whose beginning is hidden is older, and so is every one where the mark cannot be read.
 */
export function isOlder(mark: Mark, endpoint: string, { began, started }: SessionPoint): boolean {
  const points = pointsOf(mark);
  const own = points.get(endpoint);
  if (began === undefined || points.size === 0) return true;
  if (own?.started === started) return began < own.at;
  return began < (own?.at ?? Math.max(...[...points.values()].map(({ at }) => at))) + clockDifference;
}

function pointsOf(mark: Mark): ReadonlyMap<string, ServerPoint> {
  const read = parsed(mark);
  const points = isObject(read) && read['version'] === 1 && isObject(read['points']) ? read['points'] : {};
  return new Map(Object.entries(points).flatMap(([endpoint, point]) => pointOf(endpoint, point)));
}

function pointOf(endpoint: string, point: unknown): readonly (readonly [string, ServerPoint])[] {
  if (!isObject(point)) return [];
  const { at, started } = point;
  return typeof at === 'number' && typeof started === 'number' ? [[endpoint, { at, started }]] : [];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
