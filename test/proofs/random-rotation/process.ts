import { LockkeeperError } from '../../../shared/base/error.ts';
import type { Break } from '../../broken-writes.ts';
import { Killed } from '../../broken-writes.ts';

/** One call of something that a process holds. */
export interface Call {
  /** `state`, `log`, `messenger`, `service`, `issuer`, `receiver`, or a store's name. */
  readonly of: string;
  readonly method: string;
}

/** What a ground wants to know of the calls of its processes. */
export interface Listener {
  /** Throws where what is called cannot be reached now. */
  checkReachable(call: Call): void;
  /** Just before it is carried out. */
  before(process: Process, name: string): void;
  /** Just after it took effect. */
  after(process: Process, name: string): void;
}

/** Writes: what breaks before or after them leaves their effect unknown. */
const writes: ReadonlySet<string> = new Set([
  'state.create',
  'state.replace',
  'state.delete',
  'log.record',
  'messenger.notify',
  'receiver.poke',
  'service.change',
  'service.retire',
  'issuer.issue',
  'issuer.recall',
  'store.stage',
  'store.promote',
  'store.abandon',
  'store.retire',
]);

/** The name of a call as `writes` has it. */
export function nameOfCall({ of, method }: Pick<Call, 'of' | 'method'>): string {
  return `${of.startsWith('store') ? 'store' : of.startsWith('receiver') ? 'receiver' : of}.${method}`;
}

/**
 * One process of lockkeeper: it counts its calls, breaks those that it was told to, dies with all it holds, and stands
 * still before a call as long as its gate is shut.
 */
export class Process {
  readonly name: string;
  readonly #breaks: ReadonlyMap<number, Break>;
  readonly #listener: Listener;
  #calls = 0;
  isDead = false;
  isEnded = false;
  /** A person or the world changed something while it stood still: what it saw before may be wrong, and no code can help. */
  isStale = false;
  /** It stood still, or others ran beside it. */
  gate: (() => Promise<void>) | undefined;
  /** The action of the intent that has no outcome yet. */
  intent: string | undefined;
  /** What would be wrong with the retirement that it asked for. */
  endingInUse: string | undefined;
  /** Logins that were refused in this run, with their endpoints. */
  readonly refused = new Set<string>();

  constructor(name: string, breaks: readonly (readonly [number, Break])[], listener: Listener) {
    this.name = name;
    this.#breaks = new Map(breaks);
    this.#listener = listener;
  }

  /** `target` as this process holds it. */
  wrap<T extends object>(target: T, of: string): T {
    return new Proxy(target, {
      get: (object, property) => {
        const member: unknown = Reflect.get(object, property);
        if (typeof member !== 'function' || typeof property !== 'string') return member;
        return (...args: unknown[]): unknown =>
          this.#call({ of, method: property }, () => Reflect.apply(member, object, args));
      },
    });
  }

  /** Waits where others may come in between. */
  async stand(): Promise<void> {
    this.#checkAlive();
    if (this.gate) await this.gate();
    this.#checkAlive();
  }

  async #call(call: Call, work: () => unknown): Promise<unknown> {
    await this.stand();
    const how = this.#breaks.get(this.#calls);
    this.#calls += 1;
    if (how === 'killed-before') this.#die();
    this.#listener.checkReachable(call);
    const isWrite = writes.has(nameOfCall(call));
    if (how === 'lost-before' || (how === 'lost-after' && !isWrite)) this.#lose(call, isWrite);
    this.#listener.before(this, nameOfCall(call));
    const answer: unknown = await work();
    this.#listener.after(this, nameOfCall(call));
    if (how === 'killed-after') this.#die();
    if (how === 'lost-after') this.#lose(call, isWrite);
    await this.stand();
    return answer;
  }

  #die(): never {
    this.isDead = true;
    throw new Killed(`${this.name} is dead`);
  }

  #checkAlive(): void {
    if (this.isDead) throw new Killed(`${this.name} is dead`);
  }

  /** A login is no write, and `accepts` never throws for what an endpoint did: it is left alone. */
  #lose(call: Call, isWrite: boolean): void {
    if (call.method === 'accepts') return;
    const code = isWrite ? 'uncertain' : 'unreachable';
    throw new LockkeeperError(code, `${call.of}.${call.method}: the answer was lost`);
  }
}
