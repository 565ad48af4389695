import { hash } from 'node:crypto';

/** One thing that can happen in a state. */
export interface Way<S> {
  /** In plain words, for people. */
  readonly label: string;
  /** 1: a move of the adversary. 0: what happens anyway. */
  readonly cost: 0 | 1;
  readonly state: S;
  /** Promises that were broken on the way. */
  readonly broken: readonly string[];
}

/** A space of states: where it begins, what can happen, when two states are the same, what must hold. */
export interface Space<S> {
  readonly start: S;
  next(state: S): AsyncIterable<Way<S>>;
  /** Equal for two states exactly when nothing that can follow tells them apart. */
  key(state: S): string;
  /** Promises that do not hold in this state. */
  check(state: S): Promise<readonly string[]>;
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
}

/**
 * Every reachable state, breadth first: all that needs no move of the adversary, then all that needs one, and so on. A
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
    const queue = await this.#entered(begin);
    for (let at = 0; at < queue.length && !this.#isOver(); at += 1) {
      const [state, index] = queue[at] ?? [];
      if (state === undefined || index === undefined) break;
      queue[at] = [state, index];
      for await (const way of this.#space.next(state)) {
        if (way.cost > 0 && moves >= this.#bounds.moves) continue;
        this.#transitions += 1;
        for (const promise of way.broken) this.#note(promise, [...this.#pathTo(index), way.label]);
        if (way.cost === 0) queue.push(...(await this.#entered([[way.state, this.#name(index, way.label)]])));
        else if (!this.#seen.has(this.#keyOf(way.state))) further.push([way.state, this.#name(index, way.label)]);
      }
      // What was looked at is not needed any more; the space is larger than the memory.
      delete queue[at];
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
      for (const promise of await this.#space.check(state)) this.#note(promise, this.#pathTo(index));
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

  /** The first path to each kind of violation is the shortest. */
  #note(promise: string, path: readonly string[]): void {
    if (!this.#violations.has(promise)) this.#violations.set(promise, { promise, path });
  }

  #name(parent: number, label: string): number {
    return this.#found.push({ parent, label }) - 1;
  }

  #pathTo(index: number): readonly string[] {
    const path: string[] = [];
    for (let at = this.#found[index]; at; at = this.#found[at.parent]) path.unshift(at.label);
    return path;
  }
}
