import { expect, test } from '@jest/globals';
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
  /**
   * For a server that imitates a cloud: titles of promises it breaks, each with what it does instead of what the cloud
   * does. Such a promise is run all the same, and has to fail: a server that learned it shows.
   */
  readonly deviations?: Readonly<Record<string, string>>;
  /**
   * For such a server: titles of promises it breaks now and then, in a race, each with what it does then. Such a
   * promise is run, and nothing follows from it; a store that lockkeeper relies on may have none.
   */
  readonly unsteady?: Readonly<Record<string, string>>;
  /** How long one promise may take where the store is far away. */
  readonly limitMs?: number;
}

/**
 * `test` for one store: a promise that is in its list of deviations must fail, one that is unsteady may; both say why.
 */
export type Promised = (title: string, body: () => Promise<void>) => void;

/** Declares promises of the contract for a store with these abilities. */
export function promises({ deviations = {}, unsteady = {}, limitMs = 20_000 }: ObjectStoreAbilities): Promised {
  return (title, body) => {
    const [deviation, race] = [deviations[title], unsteady[title]];
    if (deviation !== undefined)
      test(`DEVIATES, ${title}: ${deviation}`, async () => await expect(body()).rejects.toThrow(/./s), limitMs);
    else if (race !== undefined)
      test(
        `UNSTEADY, ${title}: ${race}`,
        async () => expect(await Promise.allSettled([body()])).toHaveLength(1),
        limitMs,
      );
    // oxlint-disable-next-line jest/expect-expect, jest/valid-title -- the promise brings both
    else test(title, body, limitMs);
  };
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
