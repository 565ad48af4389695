import { createHash } from 'node:crypto';
import { LockkeeperError } from '../base/error.ts';
import type { Instant } from '../base/time.ts';
import type { World } from '../base/world.ts';
import type { Guard, Login, Service, ServiceDescription, Session, Slot, Strategy } from './contract.ts';

/** How a service in memory is set up. */
export interface MemoryServiceOptions {
  readonly strategy: Strategy;
  readonly slots: readonly Slot[];
  readonly world: World;
  /** Names of its endpoints; one called `memory` unless given. */
  readonly endpoints?: readonly string[];
  /** `exact` for alternating, else `age`, unless given. */
  readonly sessionsSeen?: ServiceDescription['sessionsSeen'];
}

/** A session that somebody holds open. */
export interface MemorySession extends Session {
  readonly isOpen: () => boolean;
  readonly close: () => void;
}

/**
 * A service with real logins, sessions and a lock, in this process. Like a database it keeps hashes only. Every driver
 * made by `memoryService` on it is another process with its own connection.
 */
export class MemoryHost {
  readonly options: MemoryServiceOptions;
  /** What stands in the way, as `describe` tells it. */
  problems: readonly string[] = [];
  /** The statements that fix them. */
  fixes: readonly string[] = [];
  /** Why the service takes no new value; undefined where it takes any. */
  policy: ((value: string) => string | undefined) | undefined;
  /** False: no connection succeeds. */
  isUp = true;
  /** Failed logins so far by user. */
  readonly failedLogins = new Map<Slot, number>();
  readonly #values = new Map<Slot, ReadonlySet<string>>();
  readonly #sessions = new Set<MemorySession>();
  #lock: Promise<void> = Promise.resolve();

  constructor(options: MemoryServiceOptions) {
    this.options = options;
  }

  /** Sets the one value of a user, as an administrator would by hand; undefined: nobody can log in as it. */
  setByHand(slot: Slot, value: string | undefined): void {
    this.#values.set(slot, new Set(value === undefined ? [] : [hash(value)]));
  }

  /** Adds a value, and drops the user's other ones unless users may hold two. */
  addValue(slot: Slot, value: string): void {
    const kept = this.options.strategy === 'additive' ? (this.#values.get(slot) ?? []) : [];
    this.#values.set(slot, new Set([...kept, hash(value)]));
  }

  /** Drops one value of an additive or single user, or all values of an alternating one. */
  dropValue(slot: Slot, value: string): void {
    const all = this.#values.get(slot) ?? new Set<string>();
    const kept = this.options.strategy === 'alternating' ? [] : [...all].filter((one) => one !== hash(value));
    this.#values.set(slot, new Set(kept));
  }

  /** True if the value is one of the user's; looking is no login. */
  holds(slot: Slot, value: string): boolean {
    return this.#values.get(slot)?.has(hash(value)) ?? false;
  }

  /** What any client gets: true if the login is accepted. `unreachable` while the service is down. */
  logIn(slot: Slot, value: string): boolean {
    this.checkUp();
    const accepted = this.holds(slot, value);
    if (!accepted) this.failedLogins.set(slot, (this.failedLogins.get(slot) ?? 0) + 1);
    return accepted;
  }

  /** Logs in and stays; undefined where refused. */
  openSession(slot: Slot, value: string, peer: string): MemorySession | undefined {
    if (!this.logIn(slot, value)) return undefined;
    const since: Instant = this.options.world.now();
    const session: MemorySession = {
      slot,
      peer,
      since,
      isOpen: () => this.#sessions.has(session),
      close: () => void this.#sessions.delete(session),
    };
    this.#sessions.add(session);
    return session;
  }

  sessionsOf(slot: Slot): readonly MemorySession[] {
    return [...this.#sessions].filter((session) => session.slot === slot);
  }

  checkUp(): void {
    if (!this.isUp)
      throw new LockkeeperError('unreachable', 'the service in memory is down', { hint: 'Bring it up again.' });
  }

  /** Runs `work` while nobody else holds the lock. */
  async locked(work: () => Promise<void>): Promise<void> {
    const before = this.#lock;
    const mine = Promise.withResolvers<void>();
    this.#lock = mine.promise;
    await before;
    try {
      await work();
    } finally {
      mine.resolve();
    }
  }
}

/** A driver on `host`. Errors: unreachable while it is down, rejected by its policy, conflict from the guard. */
export function memoryService(host: MemoryHost): Service {
  const {
    strategy,
    slots,
    endpoints = ['memory'],
    sessionsSeen = strategy === 'alternating' ? 'exact' : 'age',
  } = host.options;
  const checkSlot = (slot: Slot) => {
    if (!slots.includes(slot))
      throw new LockkeeperError('not-found', `the service in memory has no user ${slot}`, {
        hint: 'Name one of its users.',
      });
  };
  const underLock = (login: Login, guard: Guard, work: () => void) => {
    host.checkUp();
    checkSlot(login.slot);
    return host.locked(async () => {
      await guard();
      work();
    });
  };
  return {
    async describe() {
      host.checkUp();
      const valueRule = { alphabet: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', length: 32 };
      return {
        strategy,
        slots,
        endpoints,
        sessionsSeen,
        preHashed: true,
        valueRule,
        problems: host.problems,
        fixes: host.fixes,
        slotsEqual: strategy === 'alternating',
      };
    },
    async change(login, guard) {
      const refused = host.policy?.(login.value.open());
      if (refused !== undefined)
        throw new LockkeeperError('rejected', `the service in memory refuses the value: ${refused}`, {
          hint: 'Make another value.',
        });
      await underLock(login, guard, () => host.addValue(login.slot, login.value.open()));
    },
    async accepts(login) {
      const accepted = host.logIn(login.slot, login.value.open());
      return endpoints.map((endpoint) => ({ endpoint, accepted, encrypted: false }));
    },
    async sessions(slot) {
      host.checkUp();
      if (sessionsSeen === 'none')
        throw new LockkeeperError('unsupported', 'the service in memory was told to show no sessions', {
          hint: 'Drain by time.',
        });
      return host.sessionsOf(slot).map(({ peer, since }) => ({ slot, peer, since }));
    },
    async retire(login, guard, options) {
      await underLock(login, guard, () => {
        host.dropValue(login.slot, login.value.open());
        if (options?.endSessions) for (const session of host.sessionsOf(login.slot)) session.close();
      });
    },
  };
}

function hash(value: string): string {
  return createHash('sha256').update(value).digest('hex');
}
