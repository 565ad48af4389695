import type { Sealed } from '../base/sealed.ts';

/** Names one change of one credential; 1–64 characters of [a-z0-9-]. It is the idempotence key of staging. */
export type RotationId = string;

export interface SecretVersion {
  /** The store's own id of this version. */
  readonly id: string;
  readonly value: Sealed;
}

/** A staged version and the rotation that staged it. */
export interface StagedVersion extends SecretVersion {
  readonly rotation: RotationId;
}

export interface SecretState {
  /** What consumers read now; undefined where nothing was ever published. */
  readonly current: SecretVersion | undefined;
  /** What was current before, as long as the store keeps it. */
  readonly previous: SecretVersion | undefined;
  /** The staged value that consumers cannot see, and the rotation that staged it. */
  readonly pending: StagedVersion | undefined;
  /** Of the versions that were asked for by id those that can still be read, whatever they are now. */
  readonly asked: readonly SecretVersion[];
}

/**
 * One secret store. Absent is `not-found` for the secret itself, never an empty state; denied is never absent.
 * Errors of every method: not-found, denied, throttled, unreachable, uncertain (read before trying again), invalid (what
 * lies there cannot be read).
 *
 * The answer of a write counts, not a second look: for `settlesMs` after a write `read` may still show what was before,
 * in `current`, `previous` and `pending`. A version asked for by its id is there as soon as its write was answered.
 */
export interface SecretStore {
  /**
   * `conditional`: the store itself compares, so stage and promote hold against other writers. `checked`: the driver
   * reads and then writes; between the two another writer may come. The caller then promotes inside the service's own
   * lock and after claiming the journal, and takes the version that the journal names for the staged one.
   */
  readonly writes: 'conditional' | 'checked';
  /** How long readers may still see the old value after a promotion, in milliseconds. 0: none. */
  readonly settlesMs: number;
  /** What consumers see and what is staged, and the versions in `ids` that the store still has. */
  read(secret: string, ids?: readonly string[]): Promise<SecretState>;
  /**
   * Makes `value` durable where consumers cannot see it. The first value staged under a rotation wins and is
   * returned to everyone who stages under that rotation again, whatever they pass. `conflict` while another
   * rotation's value is staged, or when this rotation was already promoted.
   */
  stage(secret: string, rotation: RotationId, value: Sealed): Promise<SecretVersion>;
  /**
   * Makes the version `staged.id`, staged under `staged.rotation`, current, only if the current version is still `from`
   * (undefined: never published); else `conflict`. Repeating it after it happened answers the current version again.
   * The version that consumers read may have another id than the staged one.
   */
  promote(
    secret: string,
    staged: { readonly rotation: RotationId; readonly id: string },
    from: string | undefined,
  ): Promise<SecretVersion>;
  /** Forgets what `rotation` staged and did not promote. Nothing staged under it: no change. */
  abandon(secret: string, rotation: RotationId): Promise<void>;
  /**
   * Ends version `id`, which was current once: nobody can read it afterwards. Never touches what is current or staged.
   * Repeatable.
   */
  retire(secret: string, id: string): Promise<void>;
}
