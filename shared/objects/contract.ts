/**
 * Opaque token of one stored state of one object. It differs between any two writes, equal bytes included, or the
 * store is refused at start: an ETag that is an MD5 lets A → B → A pass for "unchanged".
 */
export type ObjectVersion = string;

export interface StoredObject {
  readonly bytes: Uint8Array;
  readonly version: ObjectVersion;
}

export interface ObjectInfo {
  readonly key: string;
  /** Size in bytes. */
  readonly size: number;
  /**
   * What is there instead of an object, for people ("a FIFO"), where a driver over a file system meets something that
   * nobody can have put there by it: `get` of its key does not answer. A folder that cannot be looked into is one too.
   */
  readonly oddity?: string;
}

export type CreateAnswer =
  { readonly outcome: 'done'; readonly version: ObjectVersion } | { readonly outcome: 'exists' };
export type ReplaceAnswer =
  | { readonly outcome: 'done'; readonly version: ObjectVersion }
  | { readonly outcome: 'stale' }
  | { readonly outcome: 'missing' };
export type DeleteAnswer =
  { readonly outcome: 'done' } | { readonly outcome: 'stale' } | { readonly outcome: 'missing' };

/**
 * Objects by key with conditional writes, strongly consistent. Keys are relative paths of [A-Za-z0-9._=-] segments
 * joined by "/", no segment "." or ".."; anything else is `invalid`. Whoever chooses keys makes none the folder of
 * another ("a" and "a/b"): stores with real folders refuse that as `invalid`.
 *
 * What was asked for and could not be, because of the state of the store, is a value. Errors: `throttled`, `denied`,
 * `unreachable` (nothing was written), `uncertain` (it may have been written: read back), `rejected` (store full),
 * `conflict` (what is there is no object, or longer than the limit with which the store was opened).
 */
export interface ObjectStore {
  /** The object as one consistent pair of bytes and version, or undefined. */
  get(key: string): Promise<StoredObject | undefined>;
  /**
   * Writes only where no object is. Durable on return. Repeating it with the same bytes answers `done` (a lost
   * acknowledgement heals itself), so whoever needs exactly one winner puts something unique into the bytes. A driver
   * may repeat it by itself: where somebody deletes the object meanwhile it is made once more, as another version.
   */
  create(key: string, bytes: Uint8Array): Promise<CreateAnswer>;
  /** Writes only where `held` is still the current version. Durable on return. */
  replace(key: string, bytes: Uint8Array, held: ObjectVersion): Promise<ReplaceAnswer>;
  /**
   * All objects whose key starts with `prefix`, in the order of their keys' UTF-8 bytes, only keys after `after` if
   * given.
   */
  list(prefix: string, after?: string): AsyncIterable<ObjectInfo>;
  /** Deletes only where `held` is still the current version. */
  delete(key: string, held: ObjectVersion): Promise<DeleteAnswer>;
}

/** How many bytes an object of this key may have at most, as whoever opens a store knows its own objects. */
export type SizeLimit = (key: string) => number;

/** Longer than any object of lockkeeper. What holds for a store that is opened without a limit of its own. */
export const longestObject = 1_073_741_824;

/** An object of which the store remembers more than the state that `get` tells. */
export interface AlteredObject {
  readonly key: string;
  /** How many contents the store keeps under this key, today's included. */
  readonly contents: number;
  /** True where it was deleted, or hidden behind a delete marker, at any time the store remembers. */
  readonly deleted: boolean;
}

/**
 * What a store remembers of its past: versions, delete markers, soft-deleted objects. A driver offers it beside
 * ObjectStore where its service keeps a past. Retention protects versions, not names: whoever may delete can hide a
 * locked object behind a delete marker and create another one under its name, and only the past shows it.
 */
export interface ObjectHistory {
  /**
   * Objects whose key starts with `prefix` that were ever replaced or deleted, in the order of their keys. Errors: as
   * `list`.
   */
  altered(prefix: string): AsyncIterable<AlteredObject>;
}

/**
 * The one object that the self-test leaves in a store where nothing can be deleted. Nobody else writes below
 * self-test/.
 */
export const selfTestObject = {
  key: 'self-test/create-only',
  text: 'lockkeeper made this to prove that the store never replaces an object.\n',
} as const;
