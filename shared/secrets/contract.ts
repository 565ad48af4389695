import type { Sealed } from '../base/sealed.ts';

/** Names one change of one credential; 1–64 characters of [a-z0-9-]. It is the idempotence key of staging. */
export type RotationId = string;

export interface SecretVersion {
  /** The store's own id of this version. */
  readonly id: string;
  readonly value: Sealed;
}

export interface SecretState {
  /** What consumers read now; undefined where nothing was ever published. */
  readonly current: SecretVersion | undefined;
  /** What was current before, as long as the store keeps it. */
  readonly previous: SecretVersion | undefined;
  /** The staged value that consumers cannot see, and the rotation that staged it. */
  readonly pending: (SecretVersion & { readonly rotation: RotationId }) | undefined;
}

/**
 * One secret store. Absent is `not-found` for the secret itself, never an empty state; denied is never absent.
 * Errors of every method: not-found, denied, throttled, unreachable, uncertain (read before trying again).
 */
export interface SecretStore {
  /** What consumers see and what is staged, in one consistent answer. */
  read(secret: string): Promise<SecretState>;
  /**
   * Makes `value` durable where consumers cannot see it. The first value staged under a rotation wins and is
   * returned to everyone who stages under that rotation again, whatever they pass. `conflict` while another
   * rotation's value is staged, or when this rotation was already promoted.
   */
  stage(secret: string, rotation: RotationId, value: Sealed): Promise<SecretVersion>;
  /**
   * Makes the staged value current, only if the current version is still `from` (undefined: never published);
   * else `conflict`. Repeating it after it happened answers the current version again.
   */
  promote(secret: string, rotation: RotationId, from: string | undefined): Promise<SecretVersion>;
  /** Forgets what `rotation` staged and did not promote. Nothing staged under it: no change. */
  abandon(secret: string, rotation: RotationId): Promise<void>;
  /** Ends `previous` if it is version `id`: nobody can read it afterwards. Never touches current. Repeatable. */
  retire(secret: string, id: string): Promise<void>;
}
