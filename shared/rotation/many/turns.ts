import { LockkeeperError } from '../../base/error.ts';
import type { ObjectStore } from '../../objects/contract.ts';

const key = 'rotation-turns/next.json';

/**
 * Whose turn it is in the next run: the first name that the last run did not reach; undefined where it reached all. It only
 * decides the order, so whatever cannot be read counts as nothing.
 */
export async function readTurn(state: ObjectStore): Promise<string | undefined> {
  const stored = await state.get(key);
  if (!stored) return undefined;
  const text = Buffer.from(stored.bytes).toString('utf8');
  const match = /^\{"next":"([A-Za-z0-9._=-]+)"\}$/.exec(text);
  return match?.[1];
}

/**
 * Remembers where the next run begins. Of two runs that write at once one wins, and the other order is as good. Lost
 * before it took effect: the next run begins where this one did.
 */
export async function writeTurn(state: ObjectStore, next: string): Promise<void> {
  const bytes = Buffer.from(`{"next":"${next}"}`);
  const stored = await state.get(key);
  if (stored) await state.replace(key, bytes, stored.version);
  else await state.create(key, bytes);
}

/** `names` from `first` on, and then those before it. Pure. */
export function inTurn(names: readonly string[], first: string | undefined): readonly string[] {
  if (first === undefined) return names;
  const sorted = names.toSorted((a, b) => (a < b ? -1 : Number(a > b)));
  const at = sorted.findIndex((name) => name >= first);
  return at < 0 ? sorted : [...sorted.slice(at), ...sorted.slice(0, at)];
}

/** What the world did; a defect is thrown. */
export async function triedTurn<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof LockkeeperError) return undefined;
    throw thrown;
  }
}
