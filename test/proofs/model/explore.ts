import { hash } from 'node:crypto';

/** One thing that can happen in a state. */
export interface Way<S> {
  /** In plain words, for people. */
  readonly label: string;
  /** 1: a move of the adversary. 0: what happens anyway. */
  readonly cost: 0 | 1;
  readonly state: S;
  /** Promises that were broken on the way. */
  readonly broken: readonly Broken[];
}

/** A promise that does not hold, and what came after the state in which that was decided. */
export interface Broken {
  readonly promise: string;
  readonly after?: readonly string[];
}

/** A space of states: where it begins, what can happen, when two states are the same, what must hold. */
export interface Space<S> {
  readonly start: S;
  /** `mayMove`: the adversary has a move left; without it only what costs nothing is wanted. */
  next(state: S, mayMove: boolean): AsyncIterable<Way<S>>;
  /** Equal for two states exactly when nothing that can follow tells them apart. */
  key(state: S): string;
  /** Promises that do not hold in this state. */
  check(state: S): Promise<readonly Broken[]>;
}

export interface Bounds {
  /** Moves of the adversary on one path, at most. */
  readonly moves: number;
  /** States, at most; where this cuts the space off, nothing is proven. */
  readonly states: number;
  /** Violations of different kinds, after which it stops. */
  readonly violations: number;
}

/** A promise that does not hold, and the shortest way there. */
export interface Violation {
  readonly promise: string;
  readonly path: readonly string[];
}

export interface Explored {
  readonly states: number;
  readonly transitions: number;
  /** How many of the states were first reached with 0, 1, 2, … moves of the adversary. */
  readonly byMoves: readonly number[];
  readonly violations: readonly Violation[];
  /** True where every state within the bounds was looked at. */
  readonly exhausted: boolean;
}

interface Found {
  readonly parent: number;
  readonly label: string;
  readonly cost: number;
}

/**
 * Every reachable state, breadth first: all that needs no move of the adversary, after all that needs one, and so on. A
 * state that was reached with fewer moves is not looked at again with more: whatever follows it has been seen already.
 */
export async function explore<S>(space: Space<S>, bounds: Bounds): Promise<Explored> {
  return await new Exploration(space, bounds).run();
}

class Exploration<S> {
  readonly #space: Space<S>;
  readonly #bounds: Bounds;
  readonly #seen = new Set<string>();
  readonly #found: Found[] = [];
  readonly #violations = new Map<string, Violation>();
  readonly #byMoves: number[] = [];
  #transitions = 0;
  #isCut = false;

  constructor(space: Space<S>, bounds: Bounds) {
    this.#space = space;
    this.#bounds = bounds;
  }

  async run(): Promise<Explored> {
    let level: [S, number][] = [[this.#space.start, -1]];
    for (let moves = 0; moves <= this.#bounds.moves && level.length > 0 && !this.#isOver(); moves += 1) {
      const before = this.#seen.size;
      level = await this.#exhaust(level, moves);
      this.#byMoves.push(this.#seen.size - before);
    }
    return {
      states: this.#seen.size,
      transitions: this.#transitions,
      byMoves: this.#byMoves,
      violations: [...this.#violations.values()],
      exhausted: !this.#isCut,
    };
  }

  /** Looks at all that follows `begin` without a further move; answers what a further move leads to. */
  async #exhaust(begin: readonly [S, number][], moves: number): Promise<[S, number][]> {
    const further: [S, number][] = [];
    const queue: ([S, number] | undefined)[] = await this.#entered(begin);
    for (let at = 0; at < queue.length && !this.#isOver(); at += 1) {
      const [state, index] = queue[at] ?? [];
      if (state === undefined || index === undefined) break;
      for await (const way of this.#space.next(state, moves < this.#bounds.moves)) {
        this.#transitions += 1;
        for (const broken of way.broken) this.#note(broken, this.#name(index, way));
        if (way.cost === 0) queue.push(...(await this.#entered([[way.state, this.#name(index, way)]])));
        else if (!this.#seen.has(this.#keyOf(way.state))) further.push([way.state, this.#name(index, way)]);
      }
      // What was looked at is not needed any more; the space is larger than the memory.
      queue[at] = undefined;
    }
    return further;
  }

  /** Those of `states` that were never seen, each checked. */
  async #entered(states: readonly [S, number][]): Promise<[S, number][]> {
    const fresh: [S, number][] = [];
    for (const [state, index] of states) {
      const key = this.#keyOf(state);
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      for (const broken of await this.#space.check(state)) this.#note(broken, index);
      fresh.push([state, index]);
    }
    return fresh;
  }

  #keyOf(state: S): string {
    return hash('sha1', this.#space.key(state), 'base64');
  }

  #isOver(): boolean {
    if (this.#seen.size < this.#bounds.states && this.#violations.size < this.#bounds.violations) return false;
    this.#isCut = true;
    return true;
  }

  /** The first path to a broken promise is the shortest; other moves of the adversary make another violation. */
  #note({ promise, after = [] }: Broken, index: number): void {
    const path = this.#pathTo(index);
    const moves = path.flatMap(({ label, cost }) => (cost > 0 ? [label] : []));
    const kind = [promise, ...moves].join(' | ');
    if (!this.#violations.has(kind))
      this.#violations.set(kind, { promise, path: [...path.map(({ label }) => label), ...after] });
  }

  #name(parent: number, { label, cost }: Way<S>): number {
    return this.#found.push({ parent, label, cost }) - 1;
  }

  #pathTo(index: number): readonly Found[] {
    const path: Found[] = [];
    for (let at = this.#found[index]; at; at = this.#found[at.parent]) path.push(at);
    return path.toReversed();
  }
}
