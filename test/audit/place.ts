import type { AuditEvent } from '../../shared/audit/entry.ts';
import type { Entry } from '../../shared/audit/codec.ts';
import { auditLog } from '../../shared/audit/log.ts';
import { entries } from '../../shared/audit/read.ts';
import { MemoryBucket, memoryObjects } from '../../shared/objects/memory.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { testWorld } from '../world.ts';

/** An event like those of a rotation; `number` tells two apart. */
export function event(number: number, more: Partial<AuditEvent> = {}): AuditEvent {
  const subject = { kind: 'credential', id: 'orders-db' } as const;
  return { action: 'rotation.set', stage: 'intent', subject, actor: 'lockkeeper', correlation: 'r-1', details: { number }, ...more };
}

/** Two memory stores and what stands in them. */
export function place(): { readonly bucket: MemoryBucket; readonly heads: MemoryBucket; readonly log: ObjectStore; readonly state: ObjectStore } {
  const bucket = new MemoryBucket();
  const heads = new MemoryBucket();
  return { bucket, heads, log: memoryObjects(bucket), state: memoryObjects(heads) };
}

/** A place with a log of `count` entries by one run. */
export async function filled(count: number): Promise<ReturnType<typeof place>> {
  const at = place();
  const log = auditLog({ ...at, world: testWorld(), run: 'first' });
  for (let number = 0; number < count; number += 1) await log.record(event(number));
  await log.flush();
  return at;
}

/** All entries of a log. */
export async function allEntries(log: ObjectStore, from?: number): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  for await (const entry of entries(from === undefined ? { log } : { log, from })) found.push(entry);
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
