import { encodeSequence, decodeSequence, endOf } from '../../shared/audit/sealing/sequence.ts';
import { sequenceKey, sequencePrefix } from '../../shared/audit/layout.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { sha256 } from '../../shared/base/canonical.ts';
import type { MemoryBucket } from '../../shared/objects/memory.ts';
import { stored, tamper } from '../audit/place.ts';

/** Objects that somebody may put his hands on. */
export interface Ground {
  /** Where they lie, and the keys that verification looks at by now. */
  readonly stores: readonly { readonly bucket: MemoryBucket; readonly keys: () => readonly string[] }[];
  /** Another log with the same keys. */
  readonly other: MemoryBucket;
  readonly random: () => number;
}

/** One random change; answers the keys that it touched, none where it found nothing to do. */
export type Hand = (ground: Ground) => readonly string[];

/** A random one of them; throws where there is none. */
export function pick<T>(from: readonly T[], random: () => number): T {
  const found = from[Math.floor(random() * from.length)];
  if (found === undefined) throw new Error('nothing to pick from');
  return found;
}

interface Picked {
  readonly bucket: MemoryBucket;
  readonly key: string;
  readonly bytes: Uint8Array;
  /** The others of its kind in that store. */
  readonly alike: readonly string[];
}

/** Rare kinds of objects as often as those of which there are many. */
function anObject({ stores, random }: Ground): Picked {
  const { bucket, keys } = pick(random() < 0.15 ? stores : stores.slice(0, 1), random);
  const alike = pick([...Map.groupBy(keys(), kindOf).values()], random);
  const key = pick(alike, random);
  return { bucket, key, bytes: stored(bucket, key), alike: alike.filter((one) => one !== key) };
}

function kindOf(key: string): string {
  return key.split('/')[0] ?? key;
}

/** Everything that whoever may write to the stores can do to objects without reading them. */
export const blindHands: Readonly<Record<string, Hand>> = {
  delete(ground) {
    const { bucket, key } = anObject(ground);
    bucket.objects.delete(key);
    return [key];
  },
  swap(ground) {
    const { bucket, key, bytes, alike } = anObject(ground);
    if (alike.length === 0) return [];
    const other = pick(alike, ground.random);
    tamper(bucket, key, stored(bucket, other));
    tamper(bucket, other, bytes);
    return [key, other];
  },
  copyOver(ground) {
    const [{ bytes }, { bucket, key }] = [anObject(ground), anObject(ground)];
    tamper(bucket, key, bytes);
    return [key];
  },
  rename(ground) {
    const { bucket, key, bytes } = anObject(ground);
    const name = besides(key, ground.random);
    if (bucket.objects.has(name)) return [];
    tamper(bucket, name, bytes);
    bucket.objects.delete(key);
    return [key, name];
  },
  copyBeside(ground) {
    const { bucket, key, bytes } = anObject(ground);
    const name = pick(
      [besides(key, ground.random), `${key}x`, key.replace(/\d/, '9'), `${key}/00000000`],
      ground.random,
    );
    if (bucket.objects.has(name)) return [];
    tamper(bucket, name, bytes);
    return [name];
  },
  truncate: (ground) => rewrite(ground, (bytes) => bytes.subarray(0, Math.floor(ground.random() * bytes.length))),
  empty: (ground) => rewrite(ground, () => new Uint8Array()),
  // Two bundles, one after the other, are a bundle.
  putAfter(ground) {
    const { bucket, key, bytes, alike } = anObject(ground);
    if (alike.length === 0) return [];
    tamper(bucket, key, Uint8Array.from(Buffer.concat([bytes, stored(bucket, pick(alike, ground.random))])));
    return [key];
  },
  extend: (ground) =>
    rewrite(ground, (bytes) =>
      Buffer.concat([
        bytes,
        pick([Buffer.from('\n'), Buffer.from('x'), Buffer.alloc(1), Buffer.alloc(2), bytes], ground.random),
      ]),
    ),
  splice: (ground) =>
    rewrite(ground, (bytes) => {
      const [at, count] = [Math.floor(ground.random() * bytes.length), 1 + Math.floor(ground.random() * 40)];
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + count)]);
    }),
  flip: (ground) =>
    rewrite(ground, (bytes) => {
      const at = Math.floor(ground.random() * bytes.length);
      return bytes.with(at, (bytes[at] ?? 0) ^ (1 << Math.floor(ground.random() * 8)));
    }),
  takeFromAnotherLog({ stores, other, random }) {
    const key = pick(
      [...other.objects.keys()].filter((one) => !one.startsWith('evidence/')),
      random,
    );
    const [store] = stores;
    if (store) tamper(store.bucket, key, stored(other, key));
    return [key];
  },
};

/** The key with another digit at its end. */
function besides(key: string, random: () => number): string {
  return key.replace(/\d(?=\D*$)/, (digit) => String((Number(digit) + 1 + Math.floor(random() * 8)) % 10));
}

function rewrite(ground: Ground, change: (bytes: Uint8Array) => Uint8Array): readonly string[] {
  const { bucket, key, bytes } = anObject(ground);
  if (bytes.length === 0) return [];
  tamper(bucket, key, Uint8Array.from(change(bytes)));
  return [key];
}

/**
 * The same, and one who knows how records of places hang together: he changes one of them, and makes all that follow
 * anew.
 */
export const hands: Readonly<Record<string, Hand>> = { ...blindHands, resequence };

function resequence({ stores, random }: Ground): readonly string[] {
  const bucket = stores[0]?.bucket;
  const records = bucket && readable(bucket);
  if (!bucket || !records || records.length === 0) return [];
  const at = Math.floor(random() * records.length);
  const [changed, ...rest] = records.slice(at);
  if (!changed) return [];
  const batches = pick(
    [
      changed.batches.toReversed(),
      changed.batches.slice(1),
      [
        ...changed.batches,
        pick(
          records.flatMap((one) => one.batches),
          random,
        ),
      ],
    ],
    random,
  );
  if (batches.length === 0) return [];
  // The same places again are no tampering: a signed record's proof of its writer has nothing left to prove.
  if (JSON.stringify(batches) === JSON.stringify(changed.batches)) return [];
  for (const { first } of records.slice(at)) bucket.objects.delete(sequenceKey(first));
  const touched = records.slice(at).map(({ first }) => sequenceKey(first));
  let { first, previous } = changed;
  for (const next of [batches, ...rest.map((one) => one.batches)]) {
    const record = { first, previous, batches: next };
    const bytes = encodeSequence(record);
    tamper(bucket, sequenceKey(first), bytes);
    touched.push(sequenceKey(first));
    [first, previous] = [endOf(record), sha256(bytes)];
  }
  return [...touched, ...changed.batches.map(({ key }) => key)];
}

/** All records in their order; undefined where one was changed before. */
function readable(bucket: MemoryBucket) {
  try {
    const keys = [...bucket.objects.keys()].filter((key) => key.startsWith(sequencePrefix)).toSorted();
    return keys.map((key) => decodeSequence(stored(bucket, key)));
  } catch (thrown) {
    if (thrown instanceof LockkeeperError) return undefined;
    throw thrown;
  }
}
