import type { AuditLog } from '../audit/entry.ts';
import type { Notice } from '../approvals/contract.ts';
import type { ObjectStore } from '../objects/contract.ts';
import type { SecretStore } from '../secrets/contract.ts';
import type { Issuer, Login, Service } from '../services/contract.ts';
import type { Refresh } from '../refreshes/contract.ts';
import type { World } from '../base/world.ts';
import type { ConsumerAddress, ConsumerForm } from './forms/form.ts';
import type { Calendar } from './schedule/calendar.ts';

/** One secret in one store that consumers of the credential read. */
export interface CopyPlace {
  /** The store's name in the configuration. */
  readonly store: string;
  /** The secret's name inside that store. */
  readonly secret: string;
}

/** One of the plan's secrets and how its text holds the login. */
export interface PlannedCopy extends CopyPlace {
  readonly form: ConsumerForm;
}

/** What the configuration says about one credential. */
export interface CredentialPlan {
  /** Names the journal: characters of [A-Za-z0-9._=-]. */
  readonly name: string;
  /** The service's name, for people. */
  readonly service: string;
  /** Every place from which consumers read it, at least one; all hold the same value outside a rotation. */
  readonly stores: readonly PlannedCopy[];
  /** Where consumers reach the service, for texts that lockkeeper writes from nothing. */
  readonly address: ConsumerAddress;
  /** How long a consumer may go on with an old value after a new one was published, in milliseconds. */
  readonly propagationMs: number;
  /** The next rotation is due this long after the last one ended, in milliseconds; a calendar's pattern goes before it. */
  readonly everyMs: number;
  /** When a rotation may begin by itself. Left out: at any time once it is due. */
  readonly calendar?: Calendar;
  /** Who answers for the service; a run may be limited to some of them. */
  readonly owner?: string;
  /** Words by which people choose credentials. */
  readonly tags?: readonly string[];
  /** A drain that lasts this much longer than its window is told once, in milliseconds; a day unless given. */
  readonly overdueMs?: number;
  /** Names of those who are told to read again after a publication, in order; `refreshes` holds how. */
  readonly refreshes: readonly string[];
  /** True allows the `single` strategy, which refuses logins for a moment. */
  readonly acceptDowntime: boolean;
  /**
   * True for lockkeeper's own login that changes itself: nobody but lockkeeper reads it, and lockkeeper knows the value
   * that is staged, so no consumer is refused. False unless given.
   */
  readonly changesItself?: boolean;
}

/** Everything a run of the rotation story works with. */
export interface RotationDeps {
  readonly plan: CredentialPlan;
  /** The stores by the names that the plan uses. */
  readonly stores: Readonly<Record<string, SecretStore>>;
  readonly service: Service;
  /** Of a login that changes itself: the service as `login` reaches it, which no store holds before it is imported. */
  readonly serviceAs?: (login: Login) => Service;
  /** Makes the values of a service whose values are `issued`; needed there only. */
  readonly issuer?: Issuer;
  /** Who is told to read again after a new value was published, by a name that the journal remembers. */
  readonly refreshes?: Readonly<Record<string, Refresh>>;
  readonly state: ObjectStore;
  readonly audit: AuditLog;
  readonly world: World;
  /** Tells people: a rotation that is blocked, an emergency that is over. */
  readonly notify: (notice: Notice) => Promise<void>;
  /** Who caused this run; `lockkeeper` for a scheduled one. */
  readonly actor: string;
  /** The account at the terminal where this run was ordered, user@host; left out for a scheduled one. */
  readonly account?: string | undefined;
  /** With it, log entries carry HMAC fingerprints of values, so that two lines can be matched without the value. */
  readonly fingerprintKey?: Uint8Array;
}
