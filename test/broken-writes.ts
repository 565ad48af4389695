import { LockkeeperError } from '../shared/base/error.ts';

/**
 * How a write breaks. `lost`: the process lives on and sees an uncertain error. `killed`: the process is dead, so every
 * later call of anything it held fails too, until the next run begins.
 */
export type Break = 'lost-before' | 'lost-after' | 'killed-before' | 'killed-after';

export const breaks: readonly Break[] = ['lost-before', 'lost-after', 'killed-before', 'killed-after'];

/** Thrown by everything a dead process still calls. */
export class Killed extends Error {}

/** Counts the writes of a run and breaks the ones it was told to. */
export class Faults {
  /** Names of the writes so far, in order: the rows of the broken-writes table. */
  readonly writes: string[] = [];
  readonly #broken: ReadonlyMap<number, Break>;
  #dead = false;

  /** `broken` maps the ordinal of a write (from 0, counted over all runs) to how it breaks. */
  constructor(broken: ReadonlyMap<number, Break> = new Map()) {
    this.#broken = broken;
  }

  /** A new process begins. */
  restart(): void {
    this.#dead = false;
  }

  /** `target` with the named methods counted as writes; its reads fail too once the process is dead. */
  wrap<T extends object>(target: T, name: string, writes: readonly (keyof T & string)[]): T {
    const isWrite = new Set<PropertyKey>(writes);
    return new Proxy(target, {
      get: (object, property) => {
        const member: unknown = Reflect.get(object, property);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): unknown => {
          if (this.#dead) throw new Killed(`${name}.${String(property)} after the process died`);
          const call = (): unknown => Reflect.apply(member, object, args);
          return isWrite.has(property) ? this.#write(`${name}.${String(property)}`, call) : call();
        };
      },
    });
  }

  async #write(what: string, call: () => unknown): Promise<unknown> {
    const how = this.#broken.get(this.writes.length);
    this.writes.push(what);
    if (how === undefined) return await call();
    if (how.endsWith('after')) await call();
    if (how.startsWith('killed')) {
      this.#dead = true;
      throw new Killed(`killed at ${what}`);
    }
    throw new LockkeeperError('uncertain', `${what}: the answer was lost`);
  }
}
