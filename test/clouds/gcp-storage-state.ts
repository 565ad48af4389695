import { createHash } from 'node:crypto';

/** What a bucket keeps, and which of the service's rules it lives by. */
export interface BucketRules {
  /** Keeps what is replaced or deleted as noncurrent generations. */
  readonly versioning?: boolean;
  /** Keeps what is gone for a while; without it a listing of soft-deleted objects is refused. */
  readonly softDelete?: boolean;
  /** A retention policy whose period never ends: nothing can be replaced or deleted. */
  readonly retention?: boolean;
}

/** One generation of one object. Times are milliseconds. */
export interface KeptGeneration {
  readonly name: string;
  readonly bytes: Buffer;
  readonly generation: string;
  readonly contentType: string;
  readonly createdMs: number;
  /** When it became noncurrent. */
  deletedMs?: number;
  softDeletedMs?: number;
}

/** The objects of one bucket with their past. Time is its own: a millisecond a write. */
export class KeptObjects {
  readonly rules: BucketRules;
  readonly #generations: KeptGeneration[] = [];
  #nowMs = Date.parse('2026-10-01T00:00:00Z');

  constructor(rules: BucketRules) {
    this.rules = rules;
  }

  live(name: string): KeptGeneration | undefined {
    return this.#generations.find((one) => one.name === name && isLive(one));
  }

  put(name: string, content: { readonly bytes: Buffer; readonly contentType: string }): KeptGeneration {
    const createdMs = this.#tick();
    const before = this.live(name);
    if (before) this.#end(before, createdMs);
    // Microseconds of the write, as the service's own generations.
    const made: KeptGeneration = { name, ...content, generation: `${createdMs}000`, createdMs };
    this.#generations.push(made);
    return made;
  }

  remove(name: string): void {
    const held = this.live(name);
    if (held) this.#end(held, this.#tick());
    this.#tick();
  }

  /** In the order of names, then of generations. */
  list({
    versions,
    softDeleted,
  }: {
    readonly versions: boolean;
    readonly softDeleted: boolean;
  }): readonly KeptGeneration[] {
    return this.#generations
      .filter((one) =>
        softDeleted ? one.softDeletedMs !== undefined : isLive(one) || (versions && one.softDeletedMs === undefined),
      )
      .toSorted(
        (a, b) =>
          Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)) || Number(a.generation) - Number(b.generation),
      );
  }

  #end(one: KeptGeneration, atMs: number): void {
    if (this.rules.versioning === true) one.deletedMs = atMs;
    else if (this.rules.softDelete === true) one.softDeletedMs = atMs;
    else this.#generations.splice(this.#generations.indexOf(one), 1);
  }

  #tick(): number {
    this.#nowMs += 1;
    return this.#nowMs;
  }
}

/** The object as the JSON API tells it. */
export function resource(bucket: string, one: KeptGeneration): Readonly<Record<string, string>> {
  const time = (ms: number) => new Date(ms).toISOString();
  return {
    kind: 'storage#object',
    bucket,
    name: one.name,
    generation: one.generation,
    metageneration: '1',
    contentType: one.contentType,
    size: String(one.bytes.length),
    crc32c: crc32c(one.bytes),
    md5Hash: md5(one.bytes),
    timeCreated: time(one.createdMs),
    ...(one.deletedMs !== undefined && { timeDeleted: time(one.deletedMs) }),
    ...(one.softDeletedMs !== undefined && { softDeleteTime: time(one.softDeletedMs) }),
  };
}

/** CRC-32C (Castagnoli) as four bytes, big-endian, in base64. */
export function crc32c(bytes: Uint8Array): string {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crcTable[(crc ^ byte) & 255] ?? 0) ^ (crc >>> 8);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE((crc ^ 0xffffffff) >>> 0);
  return sum.toString('base64');
}

/** MD5 in base64. */
export function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('base64');
}

const crcTable = Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc >>> 0;
});

function isLive({ deletedMs, softDeletedMs }: KeptGeneration): boolean {
  return deletedMs === undefined && softDeletedMs === undefined;
}
