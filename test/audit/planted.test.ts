import { describe, expect, test } from '@jest/globals';
import { admit } from '../../functions/cli/audit-admit.ts';
import { newsBetween, noticesOf, troublesOf } from '../../functions/local/seal-news.ts';
import { sha256 } from '../../shared/base/canonical.ts';
import {
  batchKey,
  checkpointKey,
  cosignatureKey,
  publishedKey,
  sequenceKey,
  verifierKeyKey,
} from '../../shared/audit/layout.ts';
import { decodeBatch } from '../../shared/audit/sealing/batch.ts';
import { newestSigned, readPublished } from '../../shared/audit/sealing/published.ts';
import { decodeSequence, encodeSequence, proveSequence } from '../../shared/audit/sealing/sequence.ts';
import { encodeBundle } from '../../shared/audit/tlog/bundle.ts';
import { bundlePath } from '../../shared/audit/tlog/tile.ts';
import { parseVerifierKey } from '../../shared/audit/tlog/note.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { allEntries, event, filled, grow, place, runOn, stored, tamper, writer, type LogPlace } from './place.ts';
import { startWitnessServer } from './witness-server.ts';

const inbox = ({ bucket }: LogPlace) => [...bucket.objects.keys()].filter((key) => key.startsWith('inbox/')).toSorted();
const numbers = async (at: LogPlace) =>
  (await allEntries(at)).flatMap(({ event: { details } }) => details['number'] ?? []);
const inOrder = (a: unknown, b: unknown) => Number(a) - Number(b);
const oldForm = (at: LogPlace, key: string) => tamper(at.bucket, key, decodeBatch(stored(at.bucket, key)).bundle);

/** The key of the batch that a run would write next. */
function nextKey(at: LogPlace, run: string): string {
  const last =
    inbox(at)
      .filter((key) => key.includes(`/${run}.`))
      .at(-1) ?? '';
  return `${last.slice(0, -8)}${String(Number(last.slice(-8)) + 1).padStart(8, '0')}`;
}

describe('a run whose next key somebody else took', () => {
  test('goes on under another name, tells it once, and loses nothing', async () => {
    const at = place();
    const log = runOn(at, 'run');
    const { run } = await log.record(event(0));
    const taken = nextKey(at, 'run');
    tamper(at.bucket, taken, Buffer.from('x'));
    const [first, second] = await Promise.all([log.record(event(1)), log.record(event(2))]);
    expect(first.run).toBe(second.run);
    expect(first.run).not.toBe(run);
    expect((await log.end()).refused).toMatchObject([{ key: taken }]);
    expect((await numbers(at)).toSorted(inOrder)).toEqual([0, 1, 2]);
    expect((await allEntries(at)).filter(({ event: { action } }) => action === 'log.occupied')).toMatchObject([
      { event: { subject: { kind: 'log', id: taken }, details: { keys: [taken] } } },
    ]);
    expect((await verifyLog(at)).findings).toMatchObject([{ key: taken }]);
  });
  test('ends without its last entry, and the next record begins another run', async () => {
    const at = place();
    const log = runOn(at, 'run');
    await log.record(event(0));
    tamper(at.bucket, nextKey(at, 'run'), Buffer.from('x'));
    await log.end();
    await log.record(event(1));
    expect((await log.end()).size).toBe(6);
    expect((await numbers(at)).toSorted(inOrder)).toEqual([0, 1]);
  });
  test('and whose answer was lost before, is written once', async () => {
    const at = place();
    let lost = 1;
    const log: ObjectStore = {
      ...at.log,
      create: async (key, bytes) => {
        if (key.startsWith('inbox/') && key.endsWith('1') && (lost -= 1) === 0)
          tamper(at.bucket, key, Buffer.from('x'));
        return await at.log.create(key, bytes);
      },
    };
    const run = runOn({ ...at, log }, 'run');
    for (const number of [0, 1, 2]) await run.record(event(number));
    await run.end();
    expect((await numbers(at)).toSorted(inOrder)).toEqual([0, 1, 2]);
  });
});

describe('what has no valid proof', () => {
  test('waits, named, until a person vouches for it; then the log says who did', async () => {
    const at = await filled(1);
    await runOn(at, 'old').record(event(7));
    const [key = ''] = inbox(at).filter((one) => one.includes('/old.'));
    oldForm(at, key);
    const log = runOn(at, 'new');
    expect(await log.seal()).toMatchObject({ size: 3, refused: [{ key, why: expect.stringContaining('no proof') }] });
    expect((await verifyLog(at)).findings).toMatchObject([{ key, kind: 'unproven' }]);
    expect((await verifyLog({ ...at, writerKey: undefined })).findings).toMatchObject([{ key, kind: 'unproven' }]);
    const admitted = await admit([key], { audit: log, log: at.log, account: 'anna@here' });
    expect(await log.seal({ admitted })).toMatchObject({ size: 7, refused: [] });
    expect(await numbers(at)).toEqual([0, 7]);
    expect((await allEntries(at)).filter(({ event: { action } }) => action === 'audit.admit')).toMatchObject([
      { event: { actor: 'anna@here', details: { batches: [{ key, sha256: sha256(stored(at.bucket, key)) }] } } },
    ]);
    expect((await verifyLog(at)).findings).toEqual([]);
  });
  test('is not admitted where it is no entry of this version, or is not there', async () => {
    const at = await filled(1);
    const key = batchKey({ day: '2026-10-01', run: 'junk', batch: 0 });
    tamper(
      at.bucket,
      key,
      encodeBundle([Buffer.from('{"metadata":{"sequence":0},"unmapped":{"previous":"","run":"junk"}}')]),
    );
    const log = runOn(at, 'new');
    expect(await log.seal({ admitted: new Set([key]) })).toMatchObject({ size: 3, refused: [{ key }] });
    const absent = admit(['inbox/2026-10-01/none/00000000'], { audit: log, log: at.log, account: 'anna' });
    await expect(absent).rejects.toMatchObject({ code: 'not-found' });
  });
  test('and was made with another key says which, so that a host with a wrong key is found', async () => {
    const at = await filled(1);
    await runOn({ ...at, writerKey: async () => new Uint8Array(32) }, 'other').record(event(1));
    expect((await runOn(at, 'x').seal()).refused).toMatchObject([
      { why: expect.stringContaining('the key of this host') },
    ]);
  });
  test('is read once by a process, however much it is, and never keeps others from their place', async () => {
    const at = await filled(1);
    for (let number = 0; number < 3_000; number += 1)
      tamper(at.bucket, batchKey({ day: '2026-10-01', run: `aaa.${number}`, batch: 0 }), Buffer.from('x'));
    let gets = 0;
    const log: ObjectStore = { ...at.log, get: async (key) => ((gets += 1), await at.log.get(key)) };
    const run = runOn({ ...at, log }, 'zzz');
    await run.record(event(1));
    expect(await run.unsigned()).toMatchObject({ entries: 2 });
    expect(await run.seal()).toMatchObject({ size: 5 });
    gets = 0;
    expect((await run.seal()).refused).toHaveLength(3_000);
    expect(gets).toBeLessThan(50);
  });
  test('is told to people in a few notices', () => {
    const refused = Array.from({ length: 500 }, (_, at) => ({ key: `inbox/${at}`, why: 'holds no entries' }));
    const report = { size: 0, root: undefined, refused, cosigned: 0, witnessed: true, problems: [], alarms: [] };
    const sealing = { at: place().world.now(), report, failure: undefined, unsigned: undefined };
    const troubles = troublesOf(sealing, { troubles: new Map(), failingSince: undefined });
    expect(noticesOf(newsBetween(new Map(), troubles))).toHaveLength(11);
  });
});

describe('a sequence record that nobody with the key made', () => {
  test('where the log has to go on is told and not built upon; what is recorded is there, and goes on without it', async () => {
    const at = await filled(1);
    const last = decodeSequence(stored(at.bucket, sequenceKey(0)));
    const batches = [{ key: 'inbox/2026-10-01/x/00000000', hash: 'ab'.repeat(32), count: 1 }];
    const thief = { ...writer, key: new Uint8Array(32) };
    for (const record of [
      { first: 3, previous: last.hash, batches, proof: undefined },
      proveSequence({ first: 3, previous: last.hash, batches }, thief),
    ]) {
      tamper(at.bucket, sequenceKey(3), encodeSequence(record));
      const log = runOn(at, `next-${record.proof === undefined ? 'old' : 'thief'}`);
      await log.record(event(1));
      expect(await log.seal()).toMatchObject({ size: 3, alarms: [expect.stringContaining(sequenceKey(3))] });
      expect((await log.unsigned()).entries).toBeGreaterThan(1);
      expect((await verifyLog(at)).findings.map(({ key }) => key)).toContain(sequenceKey(3));
    }
    at.bucket.objects.delete(sequenceKey(3));
    expect(await runOn(at, 'last').seal()).toMatchObject({ size: 7, alarms: [] });
    expect(await numbers(at)).toEqual([0, 1, 1]);
  });
  test('and was left unsigned by an earlier version is taken in where a person says so', async () => {
    const at = await filled(1);
    await runOn(at, 'old').record(event(7));
    const [key = ''] = inbox(at).filter((one) => one.includes('/old.'));
    oldForm(at, key);
    const previous = decodeSequence(stored(at.bucket, sequenceKey(0))).hash;
    const batches = [{ key, hash: sha256(stored(at.bucket, key)), count: 2 }];
    await at.log.create(sequenceKey(3), encodeSequence({ first: 3, previous, batches }));
    expect(await runOn(at, 'a').seal()).toMatchObject({ size: 3, alarms: [expect.stringContaining('admitted')] });
    const log = runOn(at, 'new');
    const admitted = await admit([sequenceKey(3)], { audit: log, log: at.log, account: 'anna' });
    expect(await log.seal({ admitted })).toMatchObject({ size: 7, refused: [], alarms: [] });
    expect(await numbers(at)).toEqual([0, 7]);
    expect((await verifyLog(at)).findings).toEqual([]);
  });
  test('elsewhere does not mislead whoever builds the tree anew', async () => {
    const at = await filled(40, 3);
    const batches = [{ key: 'inbox/2026-10-01/x/00000000', hash: 'ab'.repeat(32), count: 1 }];
    for (const first of [41, 40, 39].filter((one) => !at.bucket.objects.has(sequenceKey(one))))
      tamper(at.bucket, sequenceKey(first), encodeSequence({ first, previous: 'ab'.repeat(32), batches }));
    at.heads.objects.clear();
    expect(await grow(at)).toMatchObject({ size: 44, alarms: [] });
    expect(await numbers(at)).toHaveLength(41);
  });
});

describe('what somebody else put beside the tree', () => {
  test('as a checkpoint is never the newest one', async () => {
    const at = await filled(1);
    const forged = Buffer.from(stored(at.bucket, checkpointKey(3)))
      .toString()
      .replace('\n3\n', '\n9999\n');
    tamper(at.bucket, checkpointKey(9_999), Buffer.from(forged));
    at.heads.objects.delete(publishedKey);
    expect(await newestSigned(at)).toBe(3);
    expect(await readPublished(at)).toMatchObject({ size: 3 });
    expect(await grow(at)).toMatchObject({ size: 5 });
  });
  test('as a bundle is not read, and stops no record', async () => {
    const at = await filled(1);
    tamper(at.bucket, bundlePath(0), encodeBundle(Array.from({ length: 256 }, () => Buffer.from('{}'))));
    expect(await numbers(at)).toEqual([0]);
    const log = runOn(at, 'more');
    await Promise.all(Array.from({ length: 300 }, (_, number) => log.record(event(number))));
    await expect(log.seal()).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(bundlePath(0)),
    });
    await log.record(event(300));
    expect(await numbers(at)).toHaveLength(302);
  });
  test('as a cosignature, by a key of his own, counts for nobody: the witness is asked all the same', async () => {
    const at = await filled(1);
    const logs = [Buffer.from(stored(at.bucket, verifierKeyKey)).toString().trim()];
    const [ours, his] = [
      await startWitnessServer({ logs }),
      await startWitnessServer({ logs, name: 'mallory.test/witness' }),
    ];
    const placeOf = ({ key }: { readonly key: string }) => cosignatureKey(3, parseVerifierKey(key).id);
    await runOn({ ...at, witnesses: [his] }, 'his').seal();
    await his.stop();
    tamper(at.bucket, placeOf(ours), stored(at.bucket, placeOf(his)));
    at.heads.objects.delete(publishedKey);
    expect(await runOn({ ...at, witnesses: [ours] }, 'ours').seal()).toMatchObject({ cosigned: 1, witnessed: true });
    await ours.stop();
    expect(ours.asked).toHaveLength(1);
    expect(Buffer.from(stored(at.heads, publishedKey)).toString()).toContain(
      `\u2014 ${parseVerifierKey(ours.key).name} `,
    );
    expect((await verifyLog(at)).findings.map(({ key }) => key)).toContain(placeOf(ours));
  });
});
