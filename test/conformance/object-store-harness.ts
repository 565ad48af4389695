import type { CreateAnswer, ObjectStore, ReplaceAnswer, StoredObject } from '../../shared/objects/contract.ts';

/** A fresh place and two handles on it, as two processes would hold them. */
export interface ObjectStoreHarness {
  readonly one: ObjectStore;
  readonly two: ObjectStore;
  /** What is stored under `key`, seen without the driver. */
  observe(key: string): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

export interface ObjectStoreAbilities {
  /** True where an object cannot be the folder of another one. */
  readonly folders: boolean;
}

/** The UTF-8 bytes of a text. */
export function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

/** The text of some bytes, or undefined for none. */
export function text(content: Uint8Array | undefined): string | undefined {
  return content && new TextDecoder().decode(content);
}

/** Everybody in turn: the first handle for even numbers, the second for odd ones. */
export function turn(harness: ObjectStoreHarness, i: number): ObjectStore {
  return i % 2 === 0 ? harness.one : harness.two;
}

/** All keys that a store lists. */
export async function keysOf(store: ObjectStore, prefix: string, after?: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix, after)) found.push(key);
  return found;
}

/** An object that must be there. */
export async function held(store: ObjectStore, key: string): Promise<StoredObject> {
  const object = await store.get(key);
  if (!object) throw new Error(`${key} is not there`);
  return object;
}

/** The version of a write that must have been done. */
export function done(answer: CreateAnswer | ReplaceAnswer): string {
  if (answer.outcome !== 'done') throw new Error(`answered ${answer.outcome}`);
  return answer.version;
}
