import { firstPrevious, encodeEntry } from '../../../../shared/audit/entries/codec.ts';
import { batchKey, parseBatchKey } from '../../../../shared/audit/layout.ts';
import { decodeBatch, encodeBatch, largestBatch } from '../../../../shared/audit/sealing/batch.ts';
import { encodeBundle } from '../../../../shared/audit/tlog/bundle.ts';
import { after, day, dayOf, instant } from '../../../../shared/base/time.ts';
import { forgedApproval } from './place.ts';

/** One object that the attacker creates. */
export interface Plant {
  readonly kind: string;
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** What the attacker has: a day, and genuine batches that wait and that have their place, with their keys. */
export interface Seen {
  readonly day: string;
  readonly batches: readonly { readonly key: string; readonly bytes: Uint8Array }[];
  readonly origin: string;
  /** The host's own key: what another log has that is written with the same one. */
  readonly writerKey: Uint8Array;
}

/** A forged entry in the place that it needs. */
export function forgedEntry(run: string, n: number, previous = firstPrevious): Uint8Array {
  const at = instant(Date.now());
  return encodeEntry({ run, n, previous, id: `${n}`.padStart(32, 'f'), at, event: forgedApproval }).bytes;
}

/** Batches of every kind that nobody with the key wrote, each under a key of its own; over and over, `rounds` times. */
export function plantedBatches(seen: Seen, rounds: number): readonly Plant[] {
  const made = Array.from({ length: rounds }, (_, round) => oneRound(seen, round)).flat();
  return [...made, ...ofGenuine(seen)];
}

function oneRound(seen: Seen, round: number): readonly Plant[] {
  const folder = (kind: string) => `a.${kind}.${round}`;
  const at = (kind: string, bytes: (key: string, run: string) => Uint8Array): Plant => {
    const run = folder(kind);
    const key = batchKey({ day: seen.day, run, batch: 0 });
    return { kind, key, bytes: bytes(key, run) };
  };
  const own = { key: new Uint8Array(32).fill(round), origin: seen.origin };
  const copied = seen.batches[round % seen.batches.length]?.bytes ?? new Uint8Array();
  return [
    at('old-form', (_, run) => encodeBundle([forgedEntry(run, 0)])),
    at('other-key', (key, run) => encodeBatch([forgedEntry(run, 0)], key, own)),
    at('another-log', (key, run) =>
      encodeBatch([forgedEntry(run, 0)], key, { key: seen.writerKey, origin: 'lockkeeper.local/another' }),
    ),
    at('head-of-another', (_, run) => Buffer.concat([headOf(copied), encodeBundle([forgedEntry(run, 0)])])),
    at('copy', () => copied),
    at('zero-proof', (key, run) => turned(encodeBatch([forgedEntry(run, 0)], key, own))),
    at('no-entry', (key) => encodeBatch([Buffer.from('{"a":1}')], key, own)),
    at('junk', () => Buffer.from(`junk ${round}`)),
    at('empty', () => new Uint8Array()),
    at('half', (_, run) => encodeBundle([forgedEntry(run, 0)]).subarray(0, 40)),
    ...(round === 0 ? [at('giant', () => new Uint8Array(largestBatch + 1))] : []),
    { kind: 'no-batch', key: `inbox/${seen.day}/b.${round}/x`, bytes: Buffer.from('x') },
  ];
}

/** Genuine batches beside their runs, under other days: as they are, turned round, cut, and without their proof. */
function ofGenuine({ batches }: Seen): readonly Plant[] {
  return batches.flatMap((genuine, at) =>
    [yesterday, '2099-01-01', '2099-12-31', '9999-12-31'].flatMap((under, later) => {
      const name = parseBatchKey(genuine.key);
      const bytes = altered(genuine.bytes)[(at + later) % 4];
      return name && bytes ? [{ kind: 'another-day', key: batchKey({ ...name, day: under }), bytes }] : [];
    }),
  );
}

const yesterday = dayOf(after(instant(Date.now()), -day));

function altered(bytes: Uint8Array): readonly Uint8Array[] {
  const { entries } = decodeBatch(bytes);
  const head = headOf(bytes);
  return [
    bytes,
    Buffer.concat([head, encodeBundle(entries.toReversed())]),
    Buffer.concat([head, encodeBundle(entries.slice(0, -1))]),
    encodeBundle(entries),
  ];
}

/** What stands before the bundle. */
function headOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.length - decodeBatch(bytes).bundle.length);
}

function turned(bytes: Uint8Array): Uint8Array {
  return bytes.with(20, (bytes[20] ?? 0) ^ 1);
}
