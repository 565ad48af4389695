import { describe, expect, test } from '@jest/globals';
import { encodeEntry } from '../../shared/audit/entries/codec.ts';
import { batchKey, publishedKey, sequencedKey } from '../../shared/audit/layout.ts';
import { encodeBatch } from '../../shared/audit/sealing/batch.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import { memorySigner } from '../../shared/signers/memory.ts';
import { testWorld } from '../world.ts';
import { allEntries, event, filled, place, runOn, stored, tamper, writer } from './place.ts';

describe('to seal', () => {
  test('puts what all runs wrote into one signed tree, without a fork, a gap or a lost entry', async () => {
    const at = place();
    const runs = Array.from({ length: 6 }, (_, run) => runOn(at, `run-${run}`));
    const acknowledged = await Promise.all(
      runs.flatMap((log) => Array.from({ length: 12 }, (_, number) => log.record(event(number)))),
    );
    await Promise.all(runs.map((log) => log.end()));
    const { size } = await runOn(at, 'x').seal();
    expect(size).toBe(6 * 14);
    expect(await verifyLog(at)).toMatchObject({
      entries: size,
      size,
      ok: true,
      findings: [],
      waiting: { batches: 0 },
      runs: { began: 6, open: 0 },
    });
    const known = new Set((await allEntries(at)).map(({ hash }) => hash));
    expect(acknowledged.filter(({ hash }) => !known.has(hash))).toEqual([]);
  });
  test('changes nothing where nothing is new', async () => {
    const at = await filled(300, 50);
    const before = [...at.bucket.objects, ...at.heads.objects].map(([key, { version }]) => [key, version]);
    await runOn(at, 'x').seal();
    expect([...at.bucket.objects, ...at.heads.objects].map(([key, { version }]) => [key, version])).toEqual(before);
  });
  test('makes the state store anew where it was lost, the same', async () => {
    const at = await filled(600, 70);
    const before = new Map(at.heads.objects);
    at.heads.objects.clear();
    await runOn(at, 'x').seal();
    expect(Buffer.from(stored(at.heads, publishedKey)).toString()).toBe(
      Buffer.from(before.get(publishedKey)?.bytes ?? []).toString(),
    );
    expect(await verifyLog(at)).toMatchObject({ ok: true, size: 602 });
  });
  test('does not believe an extract that does not fit the records', async () => {
    const at = await filled(20, 5);
    for (const bytes of [
      '',
      '{}',
      Buffer.from(stored(at.heads, sequencedKey)).toString().replace('"size":22', '"size":21'),
    ]) {
      tamper(at.heads, sequencedKey, Buffer.from(bytes));
      const log = runOn(at, `after ${bytes.length}`.replace(' ', '-'));
      await log.record(event(1));
      await log.end();
      expect(await verifyLog(at)).toMatchObject({ ok: true, waiting: { batches: 0 } });
    }
  });
  test('does not believe an extract of which one bit was changed', async () => {
    const at = await filled(2);
    const [before, later] = [runOn(at, 'before', at.world), testWorld('2026-10-05T00:00:00Z')];
    await before.record(event(1));
    await runOn(at, 'sealer', later).seal();
    const [log, heads] = [new Map(at.bucket.objects), new Map(at.heads.objects)];
    const whole = stored(at.heads, sequencedKey);
    const wrong: string[] = [];
    for (let bit = 0; bit < whole.length * 8; bit += 3) {
      for (const [bucket, objects] of [
        [at.bucket, log],
        [at.heads, heads],
      ] as const) {
        bucket.objects.clear();
        for (const [key, object] of objects) bucket.objects.set(key, object);
      }
      tamper(at.heads, sequencedKey, whole.with(bit >> 3, (whole[bit >> 3] ?? 0) ^ (1 << (bit & 7))));
      const next = runOn(at, 'next', later);
      await next.record(event(2));
      await next.end();
      const { findings, waiting } = await verifyLog(at);
      wrong.push(
        ...findings.map(({ key, what }) => `bit ${bit}: ${key} ${what}`),
        ...(waiting.batches > 0 ? [`bit ${bit}: ${waiting.batches} wait`] : []),
      );
    }
    expect(wrong).toEqual([]);
  });
  test('keeps no partial tile that became full', async () => {
    const at = await filled(600, 7);
    expect([...at.heads.objects.keys()].filter((key) => /tile\/(entries|0)\/00[01]\.p/.test(key))).toEqual([]);
  });
  test('leaves out what no run can have written, goes on with the others, and tells it', async () => {
    const at = await filled(3);
    const strange = ['aaa', 'bbb', 'ccc'].map((run) => batchKey({ day: '2026-10-01', run, batch: 0 }));
    const { bytes } = encodeEntry({
      run: 'bbb',
      n: 0,
      previous: '0'.repeat(64),
      id: 'x',
      at: at.world.now(),
      event: event(1),
    });
    const put = (key = '', entry = bytes) => tamper(at.bucket, key, encodeBatch([entry], key, writer));
    tamper(at.bucket, strange[0] ?? '', Buffer.from('not a bundle'));
    put(strange[1], Buffer.from(` ${Buffer.from(bytes).toString()}`));
    put(strange[2]);
    const log = runOn(at, 'second');
    await log.record(event(1));
    const report = await log.end();
    expect(report).toMatchObject({ size: 8, refused: strange.map((key) => ({ key })) });
    expect((await verifyLog(at)).findings).toMatchObject(strange.map((key) => ({ key, kind: 'foreign' })));
  });
  test('counts an entry of a kind that only a newer version knows', async () => {
    const at = await filled(1);
    const { bytes } = encodeEntry({
      run: 'newer',
      n: 0,
      previous: '0'.repeat(64),
      id: 'x',
      at: at.world.now(),
      event: event(1),
    });
    const newer = Buffer.from(bytes).toString().replace('"stage":"intent"', '"stage":"doubt"');
    const key = batchKey({ day: '2026-10-01', run: 'newer', batch: 0 });
    await at.log.create(key, encodeBatch([Buffer.from(newer)], key, writer));
    const log = runOn(at, 'older', at.world);
    expect(await log.unsigned()).toEqual({ entries: 1, since: at.world.now() });
    expect(await log.head()).toMatchObject({ size: 3, unsigned: { entries: 1 } });
    expect(await log.seal()).toMatchObject({ size: 4, refused: [] });
  });
  test.each([
    ['another key', { signer: memorySigner(new Uint8Array(32)) }],
    ['another origin', { origin: 'lockkeeper.test/other' }],
  ])('under %s writes nothing', async (_, other) => {
    const at = await filled(3);
    const log = runOn({ ...at, ...other }, 'second');
    await log.record(event(1));
    const before = at.bucket.objects.size;
    await expect(log.seal()).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('kept under'),
    });
    expect(at.bucket.objects.size).toBe(before);
  });
});
