import type { Instant } from '../base/time.ts';
import type { Sealed } from '../base/sealed.ts';

/**
 * How a credential can change: `additive` – one user holds two passwords; `alternating` – two users take turns;
 * `single` – one user, one password, so every change refuses somebody for a moment.
 */
export type Strategy = 'additive' | 'alternating' | 'single';

/** The user name that logs in. An additive credential has one slot that holds two values for a while. */
export type Slot = string;

/** What a client shows the service. */
export interface Login {
  readonly slot: Slot;
  readonly value: Sealed;
}

export interface ValueRule {
  /** Characters that a new value may be made of. */
  readonly alphabet: string;
  readonly length: number;
}

export interface ServiceDescription {
  readonly strategy: Strategy;
  /** Two slots for `alternating`, else one. */
  readonly slots: readonly Slot[];
  /** Addresses at which a value must work before consumers get it. */
  readonly endpoints: readonly string[];
  /** `exact`: sessions are seen per slot; `age`: only how old each is; `none`: not at all. */
  readonly sessionsSeen: 'exact' | 'age' | 'none';
  /** True where a new value travels as a hash or verifier, so no log of the service can hold it. */
  readonly preHashed: boolean;
  readonly valueRule: ValueRule;
  /** What must be fixed before lockkeeper may change anything, each with what to do. Empty: ready. */
  readonly problems: readonly string[];
  /** The statements out of `problems` alone and in order, for a person to read and run. Problems hold foreign names. */
  readonly fixes: readonly string[];
  /** True where both slots see the same objects and rights (the precondition of alternating). */
  readonly slotsEqual: boolean;
}

export interface LoginAnswer {
  readonly endpoint: string;
  readonly accepted: boolean;
  /** TLS was used for this login. It is never given up where the service offers it. */
  readonly encrypted: boolean;
}

export interface Session {
  readonly slot: Slot;
  /** Where it comes from: address, and the program's own name where it gives one. */
  readonly peer: string;
  readonly since: Instant | undefined;
}

/**
 * Runs inside the service's own lock, before the change and in the same transaction where there is one: throws to
 * stop a writer whose journal has moved on.
 */
export type Guard = () => Promise<void>;

/**
 * One port-bound service and the one credential that consumers use on it. Errors: unreachable (nothing happened),
 * uncertain (a change may have happened), denied (lockkeeper's own login lacks a right), rejected (the service's
 * policy refuses this value: make another), conflict (the lock or the guard), throttled.
 */
export interface Service {
  /** Reads only. What the service is, what it can do and what stands in the way. */
  describe(): Promise<ServiceDescription>;
  /**
   * Makes `login` valid, under the service's own lock with `guard` run under it. Repeating it with the same login
   * changes nothing that a consumer could notice.
   */
  change(login: Login, guard: Guard): Promise<void>;
  /**
   * Logs in for real on every endpoint, one attempt each. "No" only if the service itself refused the login; anything
   * else that goes wrong is thrown.
   */
  accepts(login: Login): Promise<readonly LoginAnswer[]>;
  /** Sessions that were opened with `slot`, on every endpoint; `unsupported` where sessionsSeen is `none`. */
  sessions(slot: Slot): Promise<readonly Session[]>;
  /**
   * Makes `login` worthless, under lock and guard; ends the slot's older sessions too if `endSessions`. Repeatable.
   * After it `accepts` answers no for this login; another value of an additive slot stays valid.
   */
  retire(login: Login, guard: Guard, options?: { readonly endSessions: boolean }): Promise<void>;
}
