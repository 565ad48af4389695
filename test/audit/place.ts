import type { AuditEvent } from '../../shared/audit/entry.ts';
import { auditLog, type RunLog } from '../../shared/audit/log.ts';
import type { SealReport } from '../../shared/audit/sealing/integrate.ts';
import type { LogDeps } from '../../shared/audit/log-deps.ts';
import { entries, type IndexedEntry } from '../../shared/audit/read.ts';
import type { LogWriter } from '../../shared/audit/writer-key.ts';
import { MemoryBucket, memoryObjects } from '../../shared/objects/memory.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { memorySigner } from '../../shared/signers/memory.ts';
import { testWorld, type TestWorld } from '../world.ts';

/** An event like those of a rotation; `number` tells two apart. */
export function event(number: number, more: Partial<AuditEvent> = {}): AuditEvent {
  const subject = { kind: 'credential', id: 'orders-db' } as const;
  return {
    action: 'rotation.set',
    stage: 'intent',
    subject,
    actor: 'lockkeeper',
    correlation: 'r-1',
    details: { number },
    ...more,
  };
}

/** The name and the key of every log in these tests. */
export const identity = {
  origin: 'lockkeeper.test/log',
  signer: memorySigner(Uint8Array.from({ length: 32 }, (_, at) => at)),
  writerKey: async () => Uint8Array.from({ length: 32 }, (_, at) => 255 - at),
};

/** Whose proofs the batches of these logs carry. */
export const writer: LogWriter = {
  key: Uint8Array.from({ length: 32 }, (_, at) => 255 - at),
  origin: identity.origin,
};

/** Two memory stores, what stands in them, and everything else a log needs. */
export interface LogPlace extends LogDeps {
  readonly bucket: MemoryBucket;
  readonly heads: MemoryBucket;
  readonly world: TestWorld;
}

/** An empty place. */
export function place(): LogPlace {
  const bucket = new MemoryBucket();
  const heads = new MemoryBucket();
  return { bucket, heads, log: memoryObjects(bucket), state: memoryObjects(heads), world: testWorld(), ...identity };
}

/** A run on a place; the seed makes its randomness its own. */
export function runOn(at: LogPlace, run: string, world: TestWorld = testWorld(undefined, run)): RunLog {
  return auditLog({ ...at, world, run });
}

let grown = 0;

/** Another run on the place, which records so many events and seals. */
export async function grow(at: LogPlace, count = 1): Promise<SealReport> {
  grown += 1;
  const log = runOn(at, `run-${grown}`);
  await Promise.all(Array.from({ length: count }, (_, number) => log.record(event(number))));
  return await log.seal();
}

/** A place with a sealed log of one run that recorded `count` events: with its start and end, `count` + 2 entries. */
export async function filled(count: number, perSeal: number = Infinity): Promise<LogPlace> {
  const at = place();
  const log = runOn(at, 'first');
  for (let number = 0; number < count; number += 1) {
    await log.record(event(number));
    if ((number + 1) % perSeal === 0) await log.seal();
  }
  await log.end();
  return at;
}

/** All entries of a log. */
export async function allEntries(
  at: { readonly log: ObjectStore; readonly state?: ObjectStore },
  from?: number,
): Promise<readonly IndexedEntry[]> {
  const found: IndexedEntry[] = [];
  for await (const entry of entries({ ...at, writer, ...(from !== undefined && { from }) })) found.push(entry);
  return found;
}

/** Puts bytes into a bucket behind everybody's back. */
export function tamper(bucket: MemoryBucket, key: string, bytes: Uint8Array): void {
  bucket.objects.set(key, { bytes, version: bucket.nextVersion() });
}

/** What a bucket has under a key that must be there. */
export function stored(bucket: MemoryBucket, key: string): Uint8Array {
  const object = bucket.objects.get(key);
  if (!object) throw new Error(`${key} is not there`);
  return object.bytes;
}
