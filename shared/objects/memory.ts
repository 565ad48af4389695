import type { ObjectStore, StoredObject } from './contract.ts';
import { checkKey } from './key.ts';

/** Objects of several stores that share one place, as several processes share a bucket. */
export class MemoryBucket {
  readonly objects = new Map<string, StoredObject>();
  #writes = 0;

  /** A version that no other write ever had. */
  nextVersion(): string {
    this.#writes += 1;
    return `v${this.#writes}`;
  }
}

/** An object store in this process; gone with it. Two stores on one bucket see each other's writes at once. */
export function memoryObjects(bucket = new MemoryBucket()): ObjectStore {
  const { objects } = bucket;
  const put = (key: string, bytes: Uint8Array) => {
    const version = bucket.nextVersion();
    objects.set(key, { bytes: Uint8Array.from(bytes), version });
    return { outcome: 'done', version } as const;
  };
  return {
    async get(key) {
      checkKey(key);
      const held = objects.get(key);
      return held && { bytes: Uint8Array.from(held.bytes), version: held.version };
    },
    async create(key, bytes) {
      checkKey(key);
      const held = objects.get(key);
      if (!held) return put(key, bytes);
      return Buffer.compare(held.bytes, bytes) === 0
        ? { outcome: 'done', version: held.version }
        : { outcome: 'exists' };
    },
    async replace(key, bytes, version) {
      checkKey(key);
      const held = objects.get(key);
      if (!held) return { outcome: 'missing' };
      return held.version === version ? put(key, bytes) : { outcome: 'stale' };
    },
    async *list(prefix, after = '') {
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).toSorted();
      for (const key of keys) {
        const held = objects.get(key);
        if (held) yield { key, size: held.bytes.length };
      }
    },
    async delete(key, version) {
      checkKey(key);
      const held = objects.get(key);
      if (!held) return { outcome: 'missing' };
      if (held.version !== version) return { outcome: 'stale' };
      objects.delete(key);
      return { outcome: 'done' };
    },
  };
}
