import { describe, expect, test } from '@jest/globals';
import { batchKey } from '../../shared/audit/layout.ts';
import { batchEntries, decodeBatch, encodeBatch, standingOf } from '../../shared/audit/sealing/batch.ts';
import { encodeSequence, decodeSequence, isOwnSequence, proveSequence } from '../../shared/audit/sealing/sequence.ts';
import { encodeBundle } from '../../shared/audit/tlog/bundle.ts';
import { writer } from './place.ts';

const key = batchKey({ day: '2026-10-01', run: 'run.1', batch: 3 });
const entries = [Buffer.from('{"a":1}'), Buffer.from('{"b":2}')];
const standing = (bytes: Uint8Array, at = key, by: typeof writer | undefined = writer) =>
  standingOf(decodeBatch(bytes), at, by);

describe('a batch', () => {
  test('gives back its entries, and is proven under its own key by whoever has the key of its log', () => {
    const bytes = encodeBatch(entries, key, writer);
    expect(decodeBatch(bytes).entries.map((entry) => Buffer.from(entry))).toEqual(entries);
    expect(Buffer.from(decodeBatch(bytes).bundle)).toEqual(Buffer.from(encodeBundle(entries)));
    expect(standing(bytes)).toBe('proven');
    expect(standingOf(decodeBatch(bytes), key, undefined)).toBe('unknown');
  });
  test('is not proven under any other key, in any other log, or with another writer key', () => {
    const bytes = encodeBatch(entries, key, writer);
    for (const name of [
      { day: '2026-10-02', run: 'run.1', batch: 3 },
      { day: '2026-10-01', run: 'run.2', batch: 3 },
      { day: '2026-10-01', run: 'run.1', batch: 4 },
    ])
      expect(standing(bytes, batchKey(name))).toBe('forged');
    expect(standing(bytes, key, { ...writer, origin: 'lockkeeper.test/other' })).toBe('forged');
    expect(standing(bytes, key, { ...writer, key: new Uint8Array(32) })).toBe('forged');
  });
  test('is not proven once any bit of it is another, whatever form it has then', () => {
    const bytes = encodeBatch(entries, key, writer);
    const proven: number[] = [];
    for (let at = 0; at < bytes.length; at += 1)
      for (let bit = 1; bit < 256; bit *= 2) {
        const other = bytes.with(at, (bytes[at] ?? 0) ^ bit);
        // The id of the key is for people: it decides nothing.
        if (at >= 10 && at < 14) continue;
        if (batchEntries(other) && standing(other) === 'proven') proven.push(at);
      }
    expect(proven).toEqual([]);
  });
  test('of an earlier version has no proof, whoever asks', () => {
    expect(standing(encodeBundle(entries))).toBe('unproven');
    expect(standing(new Uint8Array())).toBe('unproven');
  });
});

describe('a sequence record', () => {
  const record = { first: 5, previous: 'ab'.repeat(32), batches: [{ key, hash: 'cd'.repeat(32), count: 2 }] };
  test('is that of the log whose writer made it, and of no other', () => {
    const stored = decodeSequence(encodeSequence(proveSequence(record, writer)));
    expect(stored).toMatchObject(record);
    expect(isOwnSequence(stored, writer)).toBe(true);
    expect(isOwnSequence(stored, { ...writer, origin: 'lockkeeper.test/other' })).toBe(false);
    expect(isOwnSequence(stored, { ...writer, key: new Uint8Array(32) })).toBe(false);
    for (const other of [{ first: 6 }, { previous: 'ac'.repeat(32) }, { batches: [] }])
      expect(isOwnSequence({ ...stored, ...other }, writer)).toBe(false);
  });
  test('of an earlier version is read as it was written, and is nobody’s', () => {
    const stored = decodeSequence(encodeSequence(record));
    expect(stored).toMatchObject(record);
    expect(isOwnSequence(stored, writer)).toBe(false);
  });
});
