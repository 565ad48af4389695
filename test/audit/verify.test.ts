import { describe, expect, test } from '@jest/globals';
import { ChainCheck } from '../../shared/audit/chain-check.ts';
import { decodeEntry, encodeEntry } from '../../shared/audit/codec.ts';
import { advanceHead } from '../../shared/audit/head.ts';
import { entryKey, headKey } from '../../shared/audit/layout.ts';
import { verify } from '../../shared/audit/verify.ts';
import { selfTestObject } from '../../shared/objects/contract.ts';
import { MemoryBucket, memoryObjects } from '../../shared/objects/memory.ts';
import { proveConditions } from '../../shared/objects/self-test.ts';
import { testWorld } from '../world.ts';
import { event, filled, stored, tamper } from './place.ts';

const count = 50;
const findingsOf = async (at: Awaited<ReturnType<typeof filled>>) => (await verify(at)).findings.map(({ key, kind }) => [kind, key]);

describe('verify', () => {
  test('finds nothing in a log that nobody touched, the self-test object included', async () => {
    const at = await filled(count);
    await proveConditions(at.log, { world: testWorld(), writes: 'create-only' });
    expect(await verify(at)).toEqual({ entries: count, ok: true, findings: [], covered: count });
    expect(await verify({ log: at.log })).toEqual({ entries: count, ok: true, findings: [], covered: undefined });
    expect(await verify({ log: memoryObjects(), state: memoryObjects() })).toEqual({ entries: 0, ok: true, findings: [], covered: undefined });
  });
  test('finds every byte of every entry, flipped one at a time', async () => {
    const at = await filled(count);
    const overlooked: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const whole = stored(at.bucket, entryKey(index));
      for (let place = 0; place < whole.length; place += 1) {
        const check = new ChainCheck(undefined);
        check.entry(entryKey(index), index, flipped(whole, place, 1 << ((place + index) % 8)));
        if (!check.end().some(({ kind }) => kind === 'changed')) overlooked.push(`entry ${index}, byte ${place}`);
      }
    }
    expect(overlooked).toEqual([]);
  }, 90_000);
  test('names the one entry that a flipped byte is in, in the whole log', async () => {
    const at = await filled(count);
    for (let place = 0; place < 700; place += 7) {
      const index = place % count;
      const whole = stored(at.bucket, entryKey(index));
      tamper(at.bucket, entryKey(index), flipped(whole, place, 1));
      expect(await findingsOf(at)).toEqual([['changed', entryKey(index)]]);
      tamper(at.bucket, entryKey(index), whole);
    }
    expect(await findingsOf(at)).toEqual([]);
  });
  test('finds every bit of the head, flipped one at a time', async () => {
    const at = await filled(2);
    const whole = stored(at.heads, headKey);
    for (let place = 0; place < whole.length; place += 1) {
      for (let bit = 1; bit < 256; bit *= 2) {
        tamper(at.heads, headKey, flipped(whole, place, bit));
        expect(await findingsOf(at)).toEqual([['head', headKey]]);
      }
    }
  });
  test('finds every byte of the self-test object', async () => {
    const at = await filled(1);
    await proveConditions(at.log, { world: testWorld(), writes: 'create-only' });
    const whole = stored(at.bucket, selfTestObject.key);
    for (let place = 0; place < whole.length; place += 1) {
      tamper(at.bucket, selfTestObject.key, flipped(whole, place, 1));
      expect(await findingsOf(at)).toEqual([['foreign', selfTestObject.key]]);
    }
  });
  test('finds bytes that were cut off, put before or added', async () => {
    const at = await filled(3);
    const whole = stored(at.bucket, entryKey(1));
    for (const bytes of [whole.slice(0, -1), whole.slice(1), new Uint8Array(), Uint8Array.from([...whole, 10]), Uint8Array.from([0xef, 0xbb, 0xbf, ...whole])]) {
      tamper(at.bucket, entryKey(1), bytes);
      expect(await findingsOf(at)).toEqual([['changed', entryKey(1)]]);
    }
  });
  test('finds any one entry deleted', async () => {
    const at = await filled(count);
    for (let index = 0; index < count; index += 1) {
      const whole = stored(at.bucket, entryKey(index));
      at.bucket.objects.delete(entryKey(index));
      const kind = index === count - 1 ? 'cut-off' : 'missing';
      expect(await findingsOf(at)).toEqual([[kind, entryKey(index)]]);
      tamper(at.bucket, entryKey(index), whole);
    }
  });
  test('finds any two entries swapped, and any entry put in the place of another', async () => {
    const at = await filled(12);
    const whole = Array.from({ length: 12 }, (_, index) => stored(at.bucket, entryKey(index)));
    for (const [i, one] of whole.entries()) {
      for (const [j, other] of whole.entries()) {
        if (i === j) continue;
        tamper(at.bucket, entryKey(i), other);
        expect(await findingsOf(at)).toEqual([['moved', entryKey(i)]]);
        tamper(at.bucket, entryKey(j), one);
        expect(await findingsOf(at)).toEqual([i, j].toSorted((a, b) => a - b).map((index) => ['moved', entryKey(index)]));
        tamper(at.bucket, entryKey(i), one);
        tamper(at.bucket, entryKey(j), other);
      }
    }
  });
  test('finds an entry doubled at the end, a gap before the end, and objects that are none of the log', async () => {
    const at = await filled(5);
    tamper(at.bucket, entryKey(5), stored(at.bucket, entryKey(4)));
    expect(await findingsOf(at)).toEqual([['moved', entryKey(5)]]);
    at.bucket.objects.delete(entryKey(5));
    tamper(at.bucket, entryKey(9), stored(at.bucket, entryKey(4)));
    expect(await findingsOf(at)).toEqual([['missing', entryKey(5)], ['moved', entryKey(9)]]);
    at.bucket.objects.delete(entryKey(9));
    for (const key of ['entries/0.json', 'entries/00000000000000000002.json.bak', 'entries/x/00000000000000000002.json', 'other', 'entries/99999999999999999999.json', 'self-test/else']) {
      tamper(at.bucket, key, stored(at.bucket, entryKey(2)));
      expect(await findingsOf(at)).toEqual([['foreign', key]]);
      at.bucket.objects.delete(key);
    }
  });
  test('finds a log cut off at any length', async () => {
    const at = await filled(count);
    for (let size = count - 1; size >= 0; size -= 1) {
      at.bucket.objects.delete(entryKey(size));
      expect(await findingsOf(at)).toEqual([['cut-off', entryKey(size)]]);
    }
  });
  test('finds an entry rewritten with a hash that fits, in the middle and at the end', async () => {
    for (const index of [0, 20, 48, 49]) {
      const at = await filled(count);
      const entry = decodeEntry(stored(at.bucket, entryKey(index)));
      tamper(at.bucket, entryKey(index), encodeEntry({ ...entry, event: { ...entry.event, actor: 'somebody else' } }).bytes);
      expect(await findingsOf(at)).toEqual([index === 49 ? ['forked', entryKey(49)] : ['chain', entryKey(index + 1)]]);
    }
  });
  test('finds a whole log rewritten from one entry on, because the head knows the true end', async () => {
    const at = await filled(10);
    let previous = decodeEntry(stored(at.bucket, entryKey(3))).hash;
    for (let index = 4; index < 10; index += 1) {
      const entry = decodeEntry(stored(at.bucket, entryKey(index)));
      const forged = encodeEntry({ ...entry, previous, event: { ...entry.event, actor: 'somebody else' } });
      tamper(at.bucket, entryKey(index), forged.bytes);
      previous = forged.hash;
    }
    expect(await findingsOf(at)).toEqual([['forked', entryKey(9)]]);
  });
  test('finds an entry that a run left out, because its counter jumps', async () => {
    const at = await filled(2);
    const { hash } = decodeEntry(stored(at.bucket, entryKey(1)));
    const { run, at: time } = decodeEntry(stored(at.bucket, entryKey(1)));
    const jumped = encodeEntry({ index: 2, previous: hash, id: 'x', run, n: 3, at: time, event: event(9) });
    tamper(at.bucket, entryKey(2), jumped.bytes);
    expect(await findingsOf(at)).toEqual([['omitted', entryKey(2)]]);
  });
  test('finds that the head is gone, and a head of another log', async () => {
    const at = await filled(4);
    at.heads.objects.delete(headKey);
    expect(await findingsOf(at)).toEqual([['head', headKey]]);
    await advanceHead({ state: at.state, world: testWorld() }, { size: 3, hash: 'f'.repeat(64) });
    expect(await findingsOf(at)).toEqual([['forked', entryKey(2)]]);
  });
  test('a head that is behind is no finding: the last writer may have been killed', async () => {
    const at = await filled(4);
    const three = decodeEntry(stored(at.bucket, entryKey(2)));
    at.heads.objects.clear();
    await advanceHead({ state: at.state, world: testWorld() }, { size: 3, hash: three.hash });
    expect(await verify(at)).toEqual({ entries: 4, ok: true, findings: [], covered: 3 });
  });
  test('what the store throws is no finding', async () => {
    const at = await filled(2);
    const log = { ...at.log, get: async () => await Promise.reject(new Error('disk')) };
    await expect(verify({ log })).rejects.toThrow('disk');
    expect(new MemoryBucket().objects.size).toBe(0);
  });
});

function flipped(bytes: Uint8Array, place: number, bits: number): Uint8Array {
  return bytes.with(place, (bytes[place] ?? 0) ^ bits);
}
