import { LockkeeperError } from '../base/error.ts';
import { Sealed } from '../base/sealed.ts';
import type { RotationId, SecretState, SecretVersion, StagedVersion } from './contract.ts';

/** Names one staged version: what `promote` is given. */
export type StagedName = Pick<StagedVersion, 'rotation' | 'id'>;

/** One version as it lies in a store that keeps whole secrets; `text` is the value in clear. */
export type ShelfVersion = {
  readonly id: string;
  readonly text: string;
  /** What it was staged as. Absent where a person wrote it. */
  readonly staged?: StagedName;
};

/** A staged version as it lies in such a store. */
export type ShelfStaged = { readonly id: string; readonly text: string; readonly rotation: RotationId };

/**
 * One whole secret of a store that lockkeeper keeps itself. The rules of the contract are pure functions on it, so that
 * the memory store and the file store cannot differ.
 */
export type Shelf = {
  readonly current: ShelfVersion | null;
  /** What was current before, newest first, at most `earlierKept`. */
  readonly earlier: readonly ShelfVersion[];
  readonly pending: ShelfStaged | null;
  /** Staged versions that a later write put out of sight. Only a store with checked writes ever has them. */
  readonly hidden?: readonly ShelfStaged[];
  /** Rotations that were promoted, newest last: their values are never staged again. */
  readonly promoted: readonly RotationId[];
};

/** How many earlier versions a shelf keeps; what is older is gone. */
export const earlierKept = 20;

/** A secret that exists and holds nothing. */
export const emptyShelf: Shelf = { current: null, earlier: [], pending: null, promoted: [] };

/** What an operation leaves behind and answers; the same shelf where nothing changed. */
export interface ShelfChange {
  readonly shelf: Shelf;
  readonly version: { readonly id: string; readonly text: string };
}

/** What `read` answers: the shelf that readers see now, and of `ids` what `held` still has. */
export function stateOf(shown: Shelf, ids: readonly string[], held = shown): SecretState {
  const { current, earlier, pending } = shown;
  const readable = [held.current, ...held.earlier, held.pending, ...(held.hidden ?? [])];
  return {
    current: current ? sealed(current) : undefined,
    previous: earlier[0] ? sealed(earlier[0]) : undefined,
    pending: pending ? { ...sealed(pending), rotation: pending.rotation } : undefined,
    asked: [...new Set(ids)].flatMap((id) => readable.find((version) => version?.id === id) ?? []).map(sealed),
  };
}

/** A version with its value sealed. */
export function sealed(version: ShelfChange['version']): SecretVersion {
  return { id: version.id, value: new Sealed(version.text) };
}

/** Stages `fresh` unless its rotation has staged before. */
export function staged(shelf: Shelf, fresh: ShelfStaged): ShelfChange {
  const before = stagedBefore(shelf, fresh.rotation);
  return before ? { shelf, version: before } : { shelf: withStaged(shelf, fresh), version: fresh };
}

/** Makes the version named `name` current if `from` is still what is current. */
export function promoted(shelf: Shelf, name: StagedName, from: string | undefined): ShelfChange {
  const { published, toPublish } = promotable(shelf, name, from);
  if (published) return { shelf, version: published };
  const { rotation, id } = name;
  const version = { id, text: toPublish.text, staged: { rotation, id } };
  return { shelf: withCurrent(shelf, version), version };
}

/** What `rotation` staged before; undefined where it may stage now. `conflict` where it may not. */
export function stagedBefore(shelf: Shelf, rotation: RotationId): ShelfStaged | undefined {
  checkRotation(rotation);
  if (shelf.pending?.rotation === rotation) return shelf.pending;
  if (shelf.pending) throw conflict(`rotation ${shelf.pending.rotation} has a value staged`);
  if (shelf.promoted.includes(rotation)) throw conflict(`rotation ${rotation} was promoted before`);
  return shelf.hidden?.find((version) => version.rotation === rotation);
}

/** The shelf after `fresh` was staged, whatever it holds: what another writer staged meanwhile is out of sight. */
export function withStaged(shelf: Shelf, fresh: ShelfStaged): Shelf {
  const { pending, hidden = [] } = shelf;
  return pending
    ? { ...shelf, pending: fresh, hidden: [pending, ...hidden].slice(0, earlierKept) }
    : { ...shelf, pending: fresh };
}

/** The version that was published as `name` already, or the one to publish; `conflict` where it may not be. */
export function promotable(
  shelf: Shelf,
  name: StagedName,
  from: string | undefined,
):
  | { readonly published: ShelfVersion; readonly toPublish?: never }
  | { readonly published?: never; readonly toPublish: ShelfStaged } {
  const { current, pending, hidden = [] } = shelf;
  if (current?.staged && isNamed(name, current.staged.rotation, current.staged.id)) return { published: current };
  const toPublish = [pending, ...hidden].find((version) => version && isNamed(name, version.rotation, version.id));
  if (!toPublish) throw conflict(`rotation ${name.rotation} has no version ${name.id} staged`);
  if (current?.id !== from) throw conflict(`${current?.id ?? 'nothing'} is current, not ${from ?? 'nothing'}`);
  return { toPublish };
}

/** The shelf after `version` became current, whatever it held. Nothing of a rotation that is promoted stays staged. */
export function withCurrent(shelf: Shelf, version: ShelfVersion): Shelf {
  const { current, earlier } = shelf;
  const before = [...(current ? [current] : []), ...earlier].filter(({ id }) => id !== version.id);
  const after = { ...shelf, current: version, earlier: before.slice(0, earlierKept) };
  const rotation = version.staged?.rotation;
  if (rotation === undefined) return after;
  const others = shelf.promoted.filter((one) => one !== rotation);
  return { ...abandoned(after, rotation), promoted: [...others, rotation].slice(-200) };
}

/** Forgets what the rotation staged. */
export function abandoned(shelf: Shelf, rotation: RotationId): Shelf {
  const { hidden, ...rest } = shelf;
  const others = hidden?.filter((version) => version.rotation !== rotation) ?? [];
  const isStaged = shelf.pending?.rotation === rotation;
  if (!isStaged && others.length === (hidden?.length ?? 0)) return shelf;
  const pending = isStaged ? null : shelf.pending;
  return { ...rest, pending, ...(others.length > 0 && { hidden: others }) };
}

/** The shelf after `rotation` was abandoned, whatever is staged by then: nothing shows as staged. */
export function withNothingStaged(shelf: Shelf, rotation: RotationId): Shelf {
  const left = abandoned(shelf, rotation);
  const { pending, hidden = [] } = left;
  return pending ? { ...left, pending: null, hidden: [pending, ...hidden].slice(0, earlierKept) } : left;
}

/** Ends the earlier version `id`. */
export function retired(shelf: Shelf, id: string): Shelf {
  const earlier = shelf.earlier.filter((version) => version.id !== id);
  return earlier.length < shelf.earlier.length ? { ...shelf, earlier } : shelf;
}

function isNamed(name: StagedName, rotation: RotationId, id: string): boolean {
  return name.rotation === rotation && name.id === id;
}

function checkRotation(rotation: RotationId): void {
  if (/^[a-z0-9-]{1,64}$/.test(rotation)) return;
  throw new LockkeeperError('invalid', `${JSON.stringify(rotation)} cannot name a rotation`, {
    hint: 'Use 1 to 64 of a-z, 0-9 and "-".',
  });
}

function conflict(what: string): LockkeeperError {
  return new LockkeeperError('conflict', `the secret is not as expected: ${what}`, {
    hint: 'Read it again and decide anew.',
  });
}
