import { LockkeeperError } from '../base/error.ts';
import type { Service, Session, Slot } from './contract.ts';
import { memoryDriver } from './memory-driver.ts';
import { MemoryFleet } from './memory-fleet.ts';
import { MemoryLock } from './memory-lock.ts';
import type { MemoryHostOptions } from './memory-options.ts';
import { writtenTo, type Digest, type MemoryServiceState } from './memory-state.ts';

/** Where a client comes from and the endpoint that it speaks to. */
export interface MemoryClient {
  readonly peer: string;
  readonly endpoint?: string;
}

/** A session that somebody holds open. */
export interface MemorySession extends Session {
  readonly isOpen: () => boolean;
  readonly close: () => void;
}

/**
 * A service with real logins, sessions and a lock, in this process. Like a database it keeps hashes only. Every driver
 * made by `memoryService` on it is another process with its own connection. All that can change is in `state`, except
 * `policy`, and the lock, which `restore` sets free.
 */
export class MemoryHost {
  readonly options: MemoryHostOptions;
  readonly fleet: MemoryFleet;
  readonly lock: MemoryLock;
  /** Why the service takes no new value; undefined where it takes any. */
  policy: ((value: string) => string | undefined) | undefined;

  constructor(options: MemoryHostOptions) {
    this.options = options;
    this.lock = new MemoryLock(options.lockWaits ?? true);
    this.fleet = new MemoryFleet({
      strategy: options.strategy,
      endpoints: options.endpoints ?? ['memory'],
      fleet: options.fleet ?? 'shared',
      capacity: options.capacity ?? (options.strategy === 'additive' ? Infinity : 1),
      kind: options.value?.kind ?? 'text',
    });
  }

  /** All that can change, as it is now: plain data that is never altered. */
  get state(): MemoryServiceState {
    return this.fleet.state;
  }

  /** Goes back to an earlier state of this service; nobody is in the middle of anything then. */
  restore(state: MemoryServiceState): void {
    this.fleet.state = state;
    this.lock.loseAll();
  }

  /** What stands in the way, as `describe` tells it. */
  get problems(): readonly string[] {
    return this.state.problems;
  }
  set problems(problems: readonly string[]) {
    this.fleet.set({ problems });
  }

  /** The statements that fix them. */
  get fixes(): readonly string[] {
    return this.state.fixes;
  }
  set fixes(fixes: readonly string[]) {
    this.fleet.set({ fixes });
  }

  /** Why consumers may be refused, as `describe` tells it. */
  get risks(): readonly string[] {
    return this.state.risks;
  }
  set risks(risks: readonly string[]) {
    this.fleet.set({ risks });
  }

  /** Why those who log in could do no work, by endpoint. */
  get unfit(): Readonly<Record<string, string>> {
    return this.state.unfit;
  }
  set unfit(unfit: Readonly<Record<string, string>>) {
    this.fleet.set({ unfit });
  }

  /** False: no endpoint answers. Setting it sets every endpoint. */
  get isUp(): boolean {
    return this.fleet.named(undefined).some((name) => this.fleet.endpoint(name).isUp);
  }
  set isUp(isUp: boolean) {
    for (const name of this.fleet.named(undefined)) this.setUp(name, isUp);
  }

  /** Failed logins so far by user; each the most on any endpoint. */
  get failedLogins(): ReadonlyMap<Slot, number> {
    const all = new Map<Slot, number>();
    for (const counts of Object.values(this.state.failedLogins))
      for (const [slot, count] of Object.entries(counts)) all.set(slot, Math.max(all.get(slot) ?? 0, count));
    return all;
  }

  /** One endpoint answers, or is silent. It comes back as it was; what it missed it shows after `catchUp`. */
  setUp(endpoint: string, isUp: boolean): void {
    this.fleet.setEndpoint(endpoint, { isUp });
  }

  /** From now on the endpoint shows what it shows now, whatever is written, until it catches up. */
  lag(endpoint: string): void {
    this.fleet.setEndpoint(endpoint, { lags: true });
  }

  /** The endpoint, or every one, shows all that was written. */
  catchUp(endpoint?: string): void {
    for (const name of this.fleet.named(endpoint))
      this.fleet.setEndpoint(name, { lags: false, shown: writtenTo(this.fleet.endpoint(name)), next: undefined });
  }

  /** The endpoint shows again what it showed in an earlier state, as after a restore from a backup. */
  putBack(endpoint: string, earlier: MemoryServiceState): void {
    this.fleet.setEndpoint(endpoint, { shown: earlier.endpoints[endpoint]?.shown ?? {}, next: undefined });
  }

  /**
   * Sets the one value of a user on every endpoint, or on the named one, as an administrator would by hand. Undefined:
   * nobody can log in as it.
   */
  setByHand(slot: Slot, value: string | undefined, endpoint?: string): void {
    const values = value === undefined ? [] : [this.#goodDigest(value)];
    for (const name of this.fleet.named(endpoint)) this.fleet.writeByHand(name, slot, values);
  }

  /** Adds a value by hand, whatever the slot can hold. */
  addByHand(slot: Slot, value: string, endpoint?: string): void {
    const digest = this.#goodDigest(value);
    for (const name of this.fleet.named(endpoint)) {
      const others = this.fleet.written(name, slot).filter((one) => one !== digest);
      this.fleet.writeByHand(name, slot, [...others, digest]);
    }
  }

  /** True if every endpoint, or the named one, shows the value as one of the user's. Looking is no login. */
  holds(slot: Slot, value: string, endpoint?: string): boolean {
    return this.fleet.named(endpoint).every((name) => this.fleet.shows(name, slot, value));
  }

  /** True if any endpoint shows the value as one of the user's. */
  holdsSomewhere(slot: Slot, value: string): boolean {
    return this.fleet.named(undefined).some((name) => this.fleet.shows(name, slot, value));
  }

  /** How many values the user has: the most on any endpoint, or on the named one. */
  count(slot: Slot, endpoint?: string): number {
    return Math.max(...this.fleet.named(endpoint).map((name) => this.fleet.shown(name, slot).length));
  }

  /**
   * True if a client that read this value gets in on every endpoint, or on the named one. Where the service is replacing,
   * any value that was not retired will do, as long as the endpoint shows one at all. Looking is no login.
   */
  clientLogsIn(slot: Slot, value: string, endpoint?: string): boolean {
    return this.fleet.named(endpoint).every((name) => this.fleet.letsIn(name, slot, value));
  }

  /**
   * Logs in on every endpoint, or on the named one: true if accepted everywhere. Refusals are counted. `unreachable`
   * where one of them is silent.
   */
  logIn(slot: Slot, value: string, endpoint?: string): boolean {
    const names = this.fleet.named(endpoint);
    for (const name of names) this.fleet.checkUp(name);
    const refusing = names.filter((name) => !this.fleet.shows(name, slot, value));
    for (const name of refusing) this.fleet.countFailure(name, slot);
    return refusing.length === 0;
  }

  /** A client logs in at one endpoint, the first unless `from` names one, and stays; undefined where refused. */
  openSession(slot: Slot, value: string, from: string | MemoryClient): MemorySession | undefined {
    const { peer, endpoint }: MemoryClient = typeof from === 'string' ? { peer: from } : from;
    const [name = ''] = this.fleet.named(endpoint);
    this.fleet.checkUp(name);
    if (this.fleet.letsIn(name, slot, value)) {
      const since = this.options.world.now();
      const { id } = this.fleet.opened({ slot, peer, since, endpoint: name });
      return this.#session({ slot, peer, since }, id);
    }
    this.fleet.countFailure(name, slot);
    return undefined;
  }

  sessionsOf(slot: Slot): readonly MemorySession[] {
    const open = this.state.sessions.filter((session) => session.slot === slot);
    return open.map(({ id, peer, since }) => this.#session({ slot, peer, since }, id));
  }

  /** Throws `unreachable` where no endpoint answers. */
  checkUp(): void {
    if (!this.isUp)
      throw new LockkeeperError('unreachable', 'the service in memory is down', { hint: 'Bring it up again.' });
  }

  #session(session: Session, id: number): MemorySession {
    return {
      ...session,
      isOpen: () => this.state.sessions.some((one) => one.id === id),
      close: () => this.fleet.endSessions((one) => one.id === id),
    };
  }

  #goodDigest(value: string): Digest {
    const digest = this.fleet.digest(value);
    if (digest !== undefined) return digest;
    throw new LockkeeperError('rejected', 'the service in memory refuses the value: it is of another kind', {
      hint: 'Make another value.',
    });
  }
}

/**
 * A driver on `host`. Errors: unreachable where no endpoint that takes changes answers, rejected by its policy or for a
 * value of another kind, conflict from the guard or the fence.
 */
export function memoryService(host: MemoryHost): Service {
  return memoryDriver(host);
}
