import { LockkeeperError } from '../base/error.ts';
import type { World } from '../base/world.ts';
import { selfTestObject, type CreateAnswer, type ObjectStore, type ReplaceAnswer } from './contract.ts';

export interface ProofOptions {
  readonly world: World;
  /**
   * `all` leaves nothing behind. `create-only` is for a store under retention, where nothing can be removed: it leaves
   * the one object `selfTestObject`, always the same.
   */
  readonly writes: 'all' | 'create-only';
}

/**
 * Proves that a store honours conditions, before lockkeeper trusts it: some S3-compatible stores answer 200 to a
 * false If-Match. Throws `unsupported` and names what the store did; and what the store throws. Repeatable, also by
 * several processes at once.
 */
export async function proveConditions(store: ObjectStore, { world, writes }: ProofOptions): Promise<void> {
  if (writes === 'create-only') {
    const mine = encode(selfTestObject.text);
    await proveCreate(store, selfTestObject.key, mine);
    return;
  }
  const key = `self-test/${Buffer.from(world.random(12)).toString('hex')}`;
  const first = await proveCreate(store, key, encode('A'));
  const second = await proveReplace(store, key, first);
  await proveDelete(store, key, { stale: first, current: second });
}

async function proveCreate(store: ObjectStore, key: string, mine: Uint8Array): Promise<string> {
  const version = versionOf(await store.create(key, mine), 'refused to create an object');
  const again = await store.create(key, encode('something else'));
  must(again.outcome === 'exists', 'created an object twice');
  must(Buffer.compare((await store.get(key))?.bytes ?? encode(''), mine) === 0, 'did not keep what was created first');
  must((await store.get(otherCase(key))) === undefined, 'does not tell keys apart that differ in case only');
  return version;
}

/** From A to B to A: the third state must not pass for the first. */
async function proveReplace(store: ObjectStore, key: string, first: string): Promise<string> {
  const second = versionOf(await store.replace(key, encode('B'), first), 'refused a replace of the current version');
  const third = versionOf(await store.replace(key, encode('A'), second), 'refused a replace of the current version');
  must(new Set([first, second, third]).size === 3, 'gave two writes the same version');
  const stale = await store.replace(key, encode('C'), first);
  must(stale.outcome === 'stale', 'let a stale replace through');
  return third;
}

async function proveDelete(
  store: ObjectStore,
  key: string,
  versions: { stale: string; current: string },
): Promise<void> {
  must((await store.delete(key, versions.stale)).outcome === 'stale', 'let a stale delete through');
  must((await store.delete(key, versions.current)).outcome === 'done', 'refused a delete of the current version');
  must((await store.replace(key, encode('D'), versions.current)).outcome === 'missing', 'replaced a deleted object');
  must((await store.get(key)) === undefined, 'kept a deleted object');
}

function versionOf(answer: CreateAnswer | ReplaceAnswer, otherwise: string): string {
  if (answer.outcome === 'done') return answer.version;
  throw refusal(otherwise);
}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw refusal(otherwise);
}

function refusal(what: string): LockkeeperError {
  return new LockkeeperError('unsupported', `the object store ${what} in the self-test`, {
    hint: 'lockkeeper needs create-only and conditional writes that hold: use another store, or a newer version of this one.',
  });
}

function otherCase(key: string): string {
  return key.replace('self-test/', 'self-TEST/');
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
