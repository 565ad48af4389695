import { LockkeeperError } from '../base/error.ts';
import type { RotationId } from './contract.ts';

/** One version as it lies in a store that keeps whole secrets; `text` is the value in clear. */
export type ShelfVersion = { readonly id: string; readonly text: string };

/**
 * One whole secret of a store that lockkeeper keeps itself. The rules of the contract are pure functions on it, so that
 * the memory store and the file store cannot differ.
 */
export type Shelf = {
  readonly current: ShelfVersion | null;
  readonly previous: ShelfVersion | null;
  readonly pending: (ShelfVersion & { readonly rotation: RotationId }) | null;
  /** Rotations that were promoted, newest last: their values are never staged again. */
  readonly promoted: readonly RotationId[];
};

/** A secret that exists and holds nothing. */
export const emptyShelf: Shelf = { current: null, previous: null, pending: null, promoted: [] };

/** What an operation leaves behind and answers; the same shelf where nothing changed. */
export interface ShelfChange {
  readonly shelf: Shelf;
  readonly version: ShelfVersion;
}

/** Stages `text` as version `id` unless the rotation has staged before. */
export function staged(shelf: Shelf, rotation: RotationId, fresh: ShelfVersion): ShelfChange {
  checkRotation(rotation);
  if (shelf.pending?.rotation === rotation) return { shelf, version: shelf.pending };
  if (shelf.pending) throw conflict(`rotation ${shelf.pending.rotation} has a value staged`);
  if (shelf.promoted.includes(rotation)) throw conflict(`rotation ${rotation} was promoted before`);
  return { shelf: { ...shelf, pending: { ...fresh, rotation } }, version: fresh };
}

/** Makes the staged value current if `from` is still what is current. */
export function promoted(shelf: Shelf, rotation: RotationId, from: string | undefined): ShelfChange {
  const { current, pending } = shelf;
  if (current && shelf.promoted.at(-1) === rotation) return { shelf, version: current };
  if (pending?.rotation !== rotation) throw conflict(`rotation ${rotation} has nothing staged`);
  if (current?.id !== from) throw conflict(`${current?.id ?? 'nothing'} is current, not ${from ?? 'nothing'}`);
  const version = { id: pending.id, text: pending.text };
  const kept = [...shelf.promoted, rotation].slice(-200);
  return { shelf: { current: version, previous: current, pending: null, promoted: kept }, version };
}

/** Forgets what the rotation staged. */
export function abandoned(shelf: Shelf, rotation: RotationId): Shelf {
  return shelf.pending?.rotation === rotation ? { ...shelf, pending: null } : shelf;
}

/** Ends the previous version if it is `id`. */
export function retired(shelf: Shelf, id: string): Shelf {
  return shelf.previous?.id === id ? { ...shelf, previous: null } : shelf;
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
