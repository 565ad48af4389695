import type { ObjectVersion } from '../../shared/objects/contract.ts';

/** Contents are short texts, so that they repeat. */
export interface Seen {
  readonly content: string;
  readonly version: ObjectVersion;
}

/**
 * What was asked about one key and what came back. `uncertain`: it may have taken effect, then or at any time since.
 */
export type Asked =
  | { readonly verb: 'get'; readonly came: Seen | 'missing' }
  | { readonly verb: 'list'; /** A listed size, in bytes. */ readonly came: number | 'missing' }
  | { readonly verb: 'create'; readonly content: string; readonly came: Version | 'exists' | 'uncertain' }
  | {
      readonly verb: 'replace';
      readonly content: string;
      readonly held: ObjectVersion;
      readonly came: Version | 'stale' | 'missing' | 'uncertain';
    }
  | {
      readonly verb: 'delete';
      readonly held: ObjectVersion;
      readonly came: 'done' | 'stale' | 'missing' | 'uncertain';
    };

type Version = { readonly version: ObjectVersion };

/** One call of one client about one key. Moments are counted up over all clients. */
export type Call = Asked & { readonly client: number; readonly called: number; readonly returned: number };

export interface Rules {
  /**
   * True where a create is sent again after a lost answer: where somebody deletes the object meanwhile, it is made once
   * more.
   */
  readonly sendsAgain: boolean;
}

/** Undefined: no object is there. */
type State = Seen | undefined;

/** A point in the order: the calls that had their turn, what stands, and every version that ever stood. */
interface Point {
  readonly taken: bigint;
  readonly state: State;
  readonly made: ReadonlySet<ObjectVersion>;
}

/** Of a write whose version nobody was ever told. */
const unseen = '?';

/** Far more than any history has taken; no machine is brought down by one. */
const pointsAtMost = 200_000;

/**
 * True where an order of the calls of one key explains every answer: each call at one moment between its call and its
 * return, each version made once and never again (Wing and Gong, 1993; each point is looked at once). An uncertain call
 * may have no moment at all.
 */
export function isExplained(calls: readonly Call[], rules: Rules): boolean {
  return new Orders(calls, rules).some();
}

class Orders {
  readonly #calls: readonly Call[];
  readonly #rules: Rules;
  readonly #untold: ReadonlyMap<string, readonly ObjectVersion[]>;
  readonly #must: bigint;

  constructor(calls: readonly Call[], rules: Rules) {
    this.#calls = calls;
    this.#rules = rules;
    this.#untold = untoldVersions(calls);
    this.#must = calls.reduce((mask, { came }, at) => (came === 'uncertain' ? mask : mask | bit(at)), 0n);
  }

  some(): boolean {
    const known = new Set<string>();
    // Depth first: a right history has its order after hardly more points than calls.
    const open: Point[] = [{ taken: 0n, state: undefined, made: new Set() }];
    for (let point = open.pop(); point; point = open.pop()) {
      if ((point.taken & this.#must) === this.#must) return true;
      for (const next of this.#after(point)) {
        const name = nameOf(next);
        if (known.has(name)) continue;
        known.add(name);
        if (known.size > pointsAtMost)
          throw new Error(`no order found among ${pointsAtMost} points of ${this.#calls.length} calls`);
        open.push(next);
      }
    }
    return false;
  }

  *#after(point: Point): Generator<Point> {
    const waiting = this.#calls.flatMap((call, at) => ((point.taken & bit(at)) === 0n ? [{ call, at }] : []));
    if (waiting.some(({ call }) => call.came !== 'uncertain' && isTooLate(call, point))) return;
    const first = Math.min(...waiting.map(({ call }) => (call.came === 'uncertain' ? Infinity : call.returned)));
    const created = new Set<string>();
    for (const { call, at } of waiting.toSorted((one, two) => one.call.called - two.call.called)) {
      if (call.called > first) break;
      const mayBeAgain = this.#rules.sendsAgain && call.verb === 'create' && call.came !== 'exists';
      if (mayBeAgain && !point.state) yield* this.#written(point, call.content);
      if (call.came === 'uncertain' && call.verb === 'create') {
        // Of several lost creates of one content any stands for all.
        if (mayBeAgain || created.has(call.content)) continue;
        created.add(call.content);
      }
      for (const next of this.#turnOf(call, point)) yield { ...next, taken: point.taken | bit(at) };
    }
  }

  *#turnOf(call: Call, point: Point): Generator<Point> {
    const { state } = point;
    if (call.came === 'uncertain') {
      const isNow = call.verb === 'create' ? !state : state?.version === call.held;
      if (isNow) yield* call.verb === 'delete' ? [{ ...point, state: undefined }] : this.#written(point, call.content);
      return;
    }
    if (call.verb !== 'get' && call.verb !== 'list' && typeof call.came === 'object') {
      const { content } = call;
      const { version } = call.came;
      if (call.verb === 'create' && state?.content === content && state.version === version) yield point;
      if ((call.verb === 'create' ? !state : state?.version === call.held) && !point.made.has(version))
        yield made(point, { content, version });
      return;
    }
    if (isRead(call, state))
      yield call.verb === 'delete' && call.came === 'done' ? { ...point, state: undefined } : point;
  }

  /**
   * Written by somebody who was not told the version: it is one that others saw with this content, or that nobody saw.
   */
  *#written(point: Point, content: string): Generator<Point> {
    yield { ...point, state: { content, version: unseen } };
    for (const version of this.#untold.get(content) ?? [])
      if (!point.made.has(version)) yield made(point, { content, version });
  }
}

/** True for a call that met a version which stood, and stands no more: it never comes back. */
function isTooLate(call: Call, { state, made: versions }: Point): boolean {
  const isDone = call.came === 'done' || typeof call.came === 'object';
  const met = (call.verb === 'replace' || call.verb === 'delete') && isDone ? call.held : versionIn(call);
  return met !== undefined && versions.has(met) && state?.version !== met;
}

function versionIn({ came }: Call): ObjectVersion | undefined {
  return typeof came === 'object' ? came.version : undefined;
}

/** Whether an answer that tells of no write is right where `state` stands. */
function isRead(call: Call, state: State): boolean {
  if (call.came === 'missing') return !state;
  if (call.verb === 'get')
    return typeof call.came === 'object' && state?.content === call.came.content && state.version === call.came.version;
  if (call.verb === 'list') return state?.content.length === call.came;
  if (call.verb === 'create') return state !== undefined && state.content !== call.content;
  return state !== undefined && (state.version === call.held) === (call.came === 'done');
}

function made(point: Point, state: Seen): Point {
  return { ...point, state, made: new Set([...point.made, state.version]) };
}

/** By content: versions that somebody saw and that no replace was told as its own. */
function untoldVersions(calls: readonly Call[]): ReadonlyMap<string, readonly ObjectVersion[]> {
  const told = new Set(
    calls.flatMap(({ verb, came }) => (verb === 'replace' && typeof came === 'object' ? [came.version] : [])),
  );
  const seen = calls.flatMap((call): Seen[] => {
    if (typeof call.came !== 'object') return [];
    if (call.verb === 'get') return [call.came];
    return call.verb === 'create' ? [{ content: call.content, version: call.came.version }] : [];
  });
  const untold = Map.groupBy(
    seen.filter(({ version }) => !told.has(version)),
    ({ content }) => content,
  );
  return new Map([...untold].map(([content, all]) => [content, [...new Set(all.map(({ version }) => version))]]));
}

function bit(at: number): bigint {
  return 1n << BigInt(at);
}

function nameOf({ taken, state, made: versions }: Point): string {
  return `${taken.toString(36)} ${state?.content} ${state?.version} ${[...versions].toSorted().join(',')}`;
}
