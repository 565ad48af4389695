import { describe, expect, test } from '@jest/globals';
import { decodeEntry, encodeEntry } from '../../shared/audit/entries/codec.ts';
import {
  batchKey,
  checkpointKey,
  publishedKey,
  sequencedKey,
  sequenceKey,
  verifierKeyKey,
} from '../../shared/audit/layout.ts';
import { decodeBatch, encodeBatch } from '../../shared/audit/sealing/batch.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { day, hour } from '../../shared/base/time.ts';
import { memorySigner } from '../../shared/signers/memory.ts';
import { Faults } from '../broken-writes.ts';
import { testWorld } from '../world.ts';
import {
  allEntries,
  event,
  filled,
  place,
  runOn,
  stored,
  tamper,
  writer as ownWriter,
  type LogPlace,
} from './place.ts';

const keysIn = (at: LogPlace, prefix: string) =>
  [...at.bucket.objects.keys()].filter((key) => key.startsWith(prefix)).toSorted();
const inboxEntries = (at: LogPlace) =>
  keysIn(at, 'inbox/').flatMap((key) => decodeBatch(stored(at.bucket, key)).entries.map((bytes) => decodeEntry(bytes)));

describe('to record', () => {
  test('is acknowledged when it is durable, in its place in the run, and says what was given', async () => {
    const at = place();
    const log = runOn(at, 'run', at.world);
    const said = event(7, {
      stage: 'outcome',
      result: 'refused',
      actor: 'anna',
      details: { why: 'späß', list: [1, { a: null }], left: undefined },
    });
    const first = await log.record(said);
    at.world.pass(5_000);
    const second = await log.record(event(8));
    expect(second.at - first.at).toBe(5_000);
    const [start, one, two] = inboxEntries(at);
    expect(start).toMatchObject({
      n: 0,
      previous: '0'.repeat(64),
      event: { action: 'run.start', subject: { kind: 'run', id: first.run } },
    });
    expect(one).toMatchObject({
      run: first.run,
      n: 1,
      hash: first.hash,
      at: first.at,
      previous: start?.hash,
      event: { ...said, details: { why: 'späß', list: [1, { a: null }] } },
    });
    expect(two).toMatchObject({ n: 2, hash: second.hash, previous: first.hash });
  });
  test('is one create, the first entry of the run included; what comes meanwhile goes together', async () => {
    const at = place();
    const faults = new Faults();
    const log = runOn(
      {
        ...at,
        log: faults.wrap(at.log, 'log', ['create']),
        state: faults.wrap(at.state, 'state', ['create', 'replace', 'delete']),
      },
      'run',
    );
    await log.record(event(0));
    expect(faults.writes).toEqual(['log.create']);
    await Promise.all(Array.from({ length: 10 }, (_, number) => log.record(event(number))));
    expect(faults.writes).toEqual(['log.create', 'log.create', 'log.create']);
    expect(inboxEntries(at).map(({ n }) => n)).toEqual(Array.from({ length: 12 }, (_, n) => n));
  });
  test('an entry too long for a bundle is refused by itself, and nothing of it is written', async () => {
    const at = place();
    const log = runOn(at, 'run');
    const all = await Promise.allSettled([
      log.record(event(0)),
      log.record(event(1, { details: { text: 'x'.repeat(65_000) } })),
      log.record(event(2)),
    ]);
    expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(inboxEntries(at).map(({ event: { details } }) => details['number'])).toEqual([undefined, 0, 2]);
  });
  test('a run ends with an entry that counts them all; the next record begins another run', async () => {
    const at = place();
    const log = runOn(at, 'run');
    await log.end();
    expect(at.bucket.objects.has(verifierKeyKey)).toBe(true);
    expect(keysIn(at, 'inbox/')).toEqual([]);
    const { run } = await log.record(event(0));
    await log.end();
    expect(inboxEntries(at).at(-1)).toMatchObject({ run, event: { action: 'run.end', details: { entries: 3 } } });
    expect((await log.record(event(1))).run).not.toBe(run);
  });
  test('a run does not outlast its day: what comes later is of another run, in the folder of its own day', async () => {
    const at = place();
    const log = runOn(at, 'serve', at.world);
    const first = await log.record(event(0));
    at.world.pass(23 * hour);
    expect((await log.record(event(1))).run).toBe(first.run);
    at.world.pass(2 * hour);
    const later = await Promise.all([log.record(event(2)), log.record(event(3))]);
    expect(new Set(later.map(({ run }) => run)).size).toBe(1);
    await log.end();
    expect(new Set(keysIn(at, 'inbox/').map((key) => key.split('/').slice(1, 3).join(' ')))).toEqual(
      new Set([`2026-10-01 ${first.run}`, `2026-10-02 ${later[0]?.run}`]),
    );
    expect(await verifyLog(at)).toMatchObject({ ok: true, size: 8, runs: { began: 2, open: 0 } });
  });
  test('a clock that lags by days writes where the integrator still looks', async () => {
    const at = await filled(1);
    at.world.pass(9 * day);
    await runOn(at, 'sealer', at.world).seal();
    const late = runOn(at, 'late', testWorld('2026-09-01T00:00:00Z', 'late'));
    await late.record(event(5));
    await late.end();
    expect(await verifyLog(at)).toMatchObject({ ok: true, size: 6, waiting: { batches: 0 } });
  });
  test('a clock that lags by days goes on writing there while the integrator moves on', async () => {
    const at = await filled(1);
    at.world.pass(9 * day + 20 * hour);
    await runOn(at, 'sealer', at.world).seal();
    const lagging = testWorld('2026-09-01T00:00:00Z', 'late');
    const late = runOn(at, 'late', lagging);
    await late.record(event(5));
    for (const world of [at.world, lagging]) world.pass(23 * hour);
    await runOn(at, 'sealer', at.world).seal();
    await late.record(event(6));
    await late.end();
    expect(await verifyLog(at)).toMatchObject({ ok: true, size: 7, waiting: { batches: 0 } });
  });
  test('a host that slept for days begins another run; the one before stays without an end, as if it had been killed', async () => {
    const at = place();
    const log = runOn(at, 'laptop', at.world);
    const before = await log.record(event(0));
    at.world.pass(4 * day);
    await runOn(at, 'sealer', at.world).seal();
    const woken = await log.record(event(1));
    expect(woken.run).not.toBe(before.run);
    at.world.pass(4 * day);
    await runOn(at, 'sealer', at.world).seal();
    await log.end();
    expect(await verifyLog(at)).toMatchObject({
      ok: true,
      size: 4,
      findings: [],
      waiting: { batches: 0 },
      runs: { began: 2, open: 2 },
    });
  });
  test.each([1, 5, 40])(
    'a host whose clock is put back by %i days begins another run, and all that it records has its place',
    async (days) => {
      const at = await filled(1);
      const clock = testWorld('2026-10-01T10:00:00Z', 'clock');
      const log = runOn(at, 'put-back', clock);
      const acknowledged = [await log.record(event(0))];
      clock.pass(-days * day);
      for (let hours = 0; hours < 6 * 24; hours += 7) {
        for (const world of [at.world, clock]) world.pass(7 * hour);
        await runOn(at, 'sealer', at.world).seal();
        acknowledged.push(await log.record(event(hours)));
      }
      await log.end();
      const placed = (await allEntries(at)).filter(({ index }) => index !== undefined).map(({ hash }) => hash);
      expect(acknowledged.filter(({ hash }) => !placed.includes(hash))).toEqual([]);
      expect(await verifyLog(at)).toMatchObject({ ok: true, findings: [], waiting: { batches: 0 } });
    },
  );
  test('what nobody could tell to be there before a host slept is left as it is, and what comes later has its place', async () => {
    const at = place();
    const faults = new Faults(
      new Map([
        [0, 'lost-before'],
        [1, 'lost-before'],
      ]),
    );
    const log = runOn({ ...at, log: faults.wrap(at.log, 'log', ['create']) }, 'laptop', at.world);
    await expect(log.record(event(0))).rejects.toMatchObject({ code: 'uncertain' });
    at.world.pass(4 * day);
    const other = runOn(at, 'other', at.world);
    await other.record(event(7));
    await other.end();
    const { hash } = await log.record(event(1));
    await log.end();
    expect((await allEntries(at)).map((entry) => entry.hash)).toContain(hash);
    expect(await verifyLog(at)).toMatchObject({ ok: true, findings: [], waiting: { batches: 0 } });
  });
});

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
    const put = (key = '', entry = bytes) => tamper(at.bucket, key, encodeBatch([entry], key, ownWriter));
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
    await at.log.create(key, encodeBatch([Buffer.from(newer)], key, ownWriter));
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

describe('the log fails closed', () => {
  test.each(['unreachable', 'denied', 'throttled', 'rejected'] as const)(
    'a log store that is %s: record throws it, nothing is written, later it goes on',
    async (code) => {
      const at = await filled(2);
      let down = true;
      const inner = at.log;
      const log: typeof inner = {
        ...inner,
        create: async (...args) =>
          down ? await Promise.reject(new LockkeeperError(code, 'down')) : await inner.create(...args),
      };
      const writer = runOn({ ...at, log }, 'x');
      const before = at.bucket.objects.size;
      await expect(writer.record(event(5))).rejects.toMatchObject({ code });
      expect(at.bucket.objects.size).toBe(before);
      down = false;
      expect((await writer.record(event(5))).n).toBe(1);
      await writer.end();
      expect(await verifyLog(at)).toMatchObject({ ok: true, size: 7 });
    },
  );
  test('while nobody can tell whether an entry is there, no other takes its place', async () => {
    const at = place();
    let lost = 3;
    const inner = at.log;
    const log: typeof inner = {
      ...inner,
      async create(key, bytes) {
        const answer = await inner.create(key, bytes);
        if (key.startsWith('inbox/') && (lost -= 1) >= 0) throw new LockkeeperError('uncertain', 'the answer was lost');
        return answer;
      },
    };
    const writer = runOn({ ...at, log }, 'x');
    await expect(writer.record(event(1))).rejects.toMatchObject({ code: 'uncertain' });
    expect((await writer.record(event(2))).n).toBe(2);
    await writer.end();
    expect((await allEntries(at)).map(({ event: { details } }) => details['number'])).toEqual([
      undefined,
      1,
      2,
      undefined,
    ]);
    expect((await verifyLog(at)).ok).toBe(true);
  });
  test.each<[string, (at: LogPlace) => void, string]>([
    ['lost its newest checkpoint', (at) => at.bucket.objects.delete(checkpointKey(5)), 'their checkpoint is gone'],
    [
      'has another checkpoint',
      (at) =>
        tamper(
          at.bucket,
          checkpointKey(5),
          Buffer.from(
            Buffer.from(stored(at.bucket, checkpointKey(5)))
              .toString()
              .replace('\n5\n', '\n5\n')
              .replace(/\n[^\n]{43}=\n/, `\n${'A'.repeat(43)}=\n`),
          ),
        ),
      'is another one than was published',
    ],
  ])('a log that %s is not appended to', async (_, harm, message) => {
    const at = await filled(3);
    harm(at);
    const before = at.bucket.objects.size;
    await expect(runOn(at, 'x').record(event(9))).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(message),
    });
    expect(at.bucket.objects.size).toBe(before);
  });
  test.each<[string, (at: LogPlace) => void]>([
    ['lost a sequence record', (at) => at.bucket.objects.delete(sequenceKey(0))],
    [
      'has a changed sequence record',
      (at) => tamper(at.bucket, sequenceKey(0), stored(at.bucket, sequenceKey(0)).with(9, 0)),
    ],
  ])('a log that %s is not sealed', async (_, harm) => {
    const at = await filled(3);
    harm(at);
    at.heads.objects.delete(sequencedKey);
    const log = runOn(at, 'x');
    await log.record(event(9));
    await expect(log.seal()).rejects.toBeInstanceOf(LockkeeperError);
    expect(keysIn(at, 'cp/')).toEqual([checkpointKey(5)]);
  });
  test('a published checkpoint that was changed stops the writer', async () => {
    const at = await filled(3);
    tamper(at.heads, publishedKey, stored(at.heads, publishedKey).with(2, 0));
    await expect(runOn(at, 'x').record(event(9))).rejects.toMatchObject({
      code: 'conflict',
      hint: expect.stringContaining(publishedKey),
    });
  });
});
