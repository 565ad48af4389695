import type { LockkeeperError } from '../base/error.ts';
import type { Instant } from '../base/time.ts';
import type { Sealed } from '../base/sealed.ts';

/**
 * How a credential can change:
 *
 * | strategy    | slots | values that are valid at once                              | who is refused meanwhile    |
 * |-------------|-------|------------------------------------------------------------|-----------------------------|
 * | additive    | 1     | two or more of one user                                    | nobody                      |
 * | alternating | 2     | one of each user                                           | nobody                      |
 * | replacing   | 1     | one; clients accept the next one too (a certificate)       | nobody                      |
 * | single      | 1     | one                                                        | whoever reads the store late |
 */
export type Strategy = 'additive' | 'alternating' | 'replacing' | 'single';

/**
 * What stops a writer that was paused while another went on. `lock`: change and retire run the guard inside the
 * service's own lock. `exact`: they read what the slot holds, run the guard, and then add or remove exactly what they
 * named, so that a value which came later is never touched. `none`: nothing; a paused writer can still land.
 */
export type Fence = 'lock' | 'exact' | 'none';

/** The user name that logs in. */
export type Slot = string;

/** What a client shows the service. */
export interface Login {
  readonly slot: Slot;
  readonly value: Sealed;
}

/** A point in the service's own order of sessions; only the driver that made it reads it. */
export type Mark = string;

export interface ValueRule {
  /** Characters that a new value may be made of. */
  readonly alphabet: string;
  readonly length: number;
}

/**
 * What a value is and who makes it. `text`: drawn here by the rule. `key-pair`: an Ed25519 private key (PKCS #8 PEM)
 * drawn here; the driver derives the public half and registers that. `issued`: the Issuer makes it.
 */
export type ValueKind =
  { readonly kind: 'text'; readonly rule: ValueRule } | { readonly kind: 'key-pair' } | { readonly kind: 'issued' };

/** Everything is told anew by every call: endpoints may change with the topology. */
export interface ServiceDescription {
  readonly strategy: Strategy;
  /** Two slots for `alternating`, else one. */
  readonly slots: readonly Slot[];
  /** Addresses at which a value must work before consumers get it. */
  readonly endpoints: readonly string[];
  readonly fence: Fence;
  /** How many values one slot can hold at once; Infinity where there is no limit. 1 unless `additive`. */
  readonly capacity: number;
  /**
   * How many values each slot holds now, the most on any endpoint; a slot that is not named was not counted. Required
   * of every slot where the capacity is more than 1: without it a forgotten value could stay valid unseen.
   */
  readonly holds: Readonly<Record<Slot, number>>;
  readonly value: ValueKind;
  /**
   * `exact`: a session tells its slot, and a slot has one value. `marked`: sessions are told apart by a mark only. `none`:
   * not seen at all.
   */
  readonly sessionsSeen: 'exact' | 'marked' | 'none';
  /** Sessions that begin from now on are after it; undefined where sessions are not `marked`. */
  readonly mark: Mark | undefined;
  /** The service's own time; undefined where it tells none. */
  readonly clock: Instant | undefined;
  /** True where a new value travels as a hash or verifier, so no log of the service can hold it. */
  readonly preHashed: boolean;
  /** True where every login is promised to be encrypted; a login that is not is then never good enough. */
  readonly encrypted: boolean;
  /** What must be fixed before lockkeeper may change anything, each with what to do. Empty: ready. */
  readonly problems: readonly string[];
  /** The statements out of `problems` alone and in order, for a person to read and run. Problems hold foreign names. */
  readonly fixes: readonly string[];
  /**
   * Why consumers may be refused although nothing is in the way of a change, each with what to do: clients that cannot
   * answer the server's way of asking, a user that expires before the next rotation. People hear of them before anything
   * is changed, and no rehearsal promises 0 failed logins beside one.
   */
  readonly risks: readonly string[];
  /** True where both slots see the same objects and rights (the precondition of alternating); else of no meaning. */
  readonly slotsEqual: boolean;
}

/** What one endpoint said to a login. `no-answer`: neither yes nor no, with the reason; it proves nothing. */
export interface LoginAnswer {
  readonly endpoint: string;
  readonly answer: 'accepted' | 'refused' | 'no-answer';
  /** TLS was used for this login. It is never given up where the service offers it. */
  readonly encrypted: boolean;
  /** Only with `no-answer`. */
  readonly error?: LockkeeperError;
  /**
   * Only with `accepted`: why a consumer that logs in here could not do its work, with what to do: it is not who it should
   * be, the endpoint only reads. A login with it is never good enough to be handed out.
   */
  readonly unfit?: string;
}

/** What became of a change at one endpoint; undefined: done there. */
export interface EndpointResult {
  readonly endpoint: string;
  readonly error: LockkeeperError | undefined;
}

export interface Session {
  readonly slot: Slot;
  /** Where it comes from: address, and the program's own name where it gives one. */
  readonly peer: string;
  readonly since: Instant | undefined;
}

/**
 * Runs where the fence says, before anything is changed: throws `conflict` to stop a writer whose journal has moved on.
 * What it throws comes out as it is.
 */
export type Guard = () => Promise<void>;

/**
 * One port-bound service and the one credential that consumers use on it. Every endpoint answers for itself: change and
 * retire try all of them, then report. They throw where nothing was changed anywhere: unreachable, denied (lockkeeper's
 * own login lacks a right), rejected (the service's policy refuses this value: make another), conflict (the lock or the
 * guard), throttled, not-found (no such slot); or uncertain, where a change may have happened.
 */
export interface Service {
  /** Reads only. What the service is, what it can do and what stands in the way. */
  describe(): Promise<ServiceDescription>;
  /**
   * Makes `login` valid and leaves `keep`, which consumers use, valid beside it. Where the slot is full, other values go;
   * `keep` never does. A slot of capacity 1 holds nothing but `login` afterwards. Repeating it with the same login
   * changes nothing that a consumer could notice, and runs the guard again.
   */
  change(login: Login, keep: Login | undefined, guard: Guard): Promise<readonly EndpointResult[]>;
  /** Logs in for real on every endpoint, one attempt each. Never throws for what an endpoint did. */
  accepts(login: Login): Promise<readonly LoginAnswer[]>;
  /**
   * Sessions that were opened with `slot`, on every endpoint; with `before` only those older than the mark. Throws where
   * one endpoint does not answer; `unsupported` where sessionsSeen is `none`.
   */
  sessions(slot: Slot, before?: Mark): Promise<readonly Session[]>;
  /**
   * Makes every value of `slot` worthless but `keep`, under the fence; without `keep` nobody logs in as `slot`
   * afterwards. `keep` itself is never made: where the slot of capacity 1 holds another value, that one stays. With
   * `endSessions` the slot's sessions are ended too. Repeatable.
   */
  retire(
    slot: Slot,
    keep: Login | undefined,
    guard: Guard,
    options?: { readonly endSessions: boolean },
  ): Promise<readonly EndpointResult[]>;
}

/** Who makes values of the kind `issued`: a certificate authority, an API that hands out keys. */
export interface Issuer {
  /**
   * A value for `rotation`, and for nobody else. Repeating it answers the same value, or a new one and makes the one
   * before worthless: a crash between issuing and staging leaves nothing alive that no store holds.
   */
  issue(rotation: string, slot: Slot): Promise<Sealed>;
  /** Ends what was issued for a rotation that was given up. Nothing issued: no change. */
  recall(rotation: string): Promise<void>;
}
