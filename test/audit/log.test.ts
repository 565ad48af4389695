import { describe, expect, test } from '@jest/globals';
import { decodeEntry } from '../../shared/audit/entries/codec.ts';
import { verifierKeyKey } from '../../shared/audit/layout.ts';
import { decodeBatch } from '../../shared/audit/sealing/batch.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import { day, hour } from '../../shared/base/time.ts';
import { Faults } from '../broken-writes.ts';
import { testWorld } from '../world.ts';
import { allEntries, event, filled, place, runOn, stored, type LogPlace } from './place.ts';

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
