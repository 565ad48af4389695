import { describe, expect, test } from '@jest/globals';
import { decodeEntry, encodeEntry } from '../../shared/audit/codec.ts';
import { advanceHead, readHead } from '../../shared/audit/head.ts';
import { entryKey, headKey } from '../../shared/audit/layout.ts';
import { auditLog } from '../../shared/audit/log.ts';
import { verify } from '../../shared/audit/verify.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { memoryObjects } from '../../shared/objects/memory.ts';
import { Faults } from '../broken-writes.ts';
import { testWorld } from '../world.ts';
import { allEntries, event, filled, place, stored, tamper } from './place.ts';

describe('the audit log', () => {
  test('acknowledges an entry that is durable, in its place, and says what was given', async () => {
    const at = place();
    const world = testWorld();
    const log = auditLog({ ...at, world, run: 'run' });
    const said = event(7, { stage: 'outcome', result: 'refused', actor: 'anna', details: { why: 'späß', list: [1, { a: null }], left: undefined } });
    const first = await log.record(said);
    world.pass(5_000);
    const second = await log.record(event(8));
    expect([first.index, second.index]).toEqual([0, 1]);
    expect(second.at - first.at).toBe(5_000);
    const [one, two] = await allEntries(at.log);
    expect(one).toMatchObject({ index: 0, hash: first.hash, n: 0, at: first.at, previous: '0'.repeat(64), event: { ...said, details: { why: 'späß', list: [1, { a: null }] } } });
    expect(two).toMatchObject({ index: 1, hash: second.hash, n: 1, previous: first.hash });
  });
  test('stores one OCSF event an object', async () => {
    const at = place();
    const log = auditLog({ ...at, world: testWorld(), run: 'run' });
    await log.record(event(1, { action: 'rotation.stage', stage: 'outcome', result: 'done' }));
    await log.record(event(2, { action: 'closure.apply', subject: { kind: 'opening', id: 'sgr-1' }, actor: 'anna' }));
    await log.record(event(3, { action: 'run.start', stage: 'fact', subject: { kind: 'run', id: 'r' } }));
    const json = (index: number): unknown => JSON.parse(new TextDecoder().decode(stored(at.bucket, entryKey(index))));
    expect(json(0)).toMatchObject({ class_uid: 3004, category_uid: 3, activity_id: 1, type_uid: 300401, status_id: 1, severity_id: 1, time: Date.parse('2026-10-01T00:00:00Z'), entity: { type: 'credential', uid: 'orders-db' } });
    expect(json(1)).toMatchObject({ class_uid: 7004, type_uid: 700401, status_id: 0, command_uid: 'r-1', connection_info: { direction_id: 0 }, actor: { user: { name: 'anna' } }, metadata: { sequence: 1, correlation_uid: 'r-1' } });
    expect(json(2)).toMatchObject({ class_uid: 6002, type_uid: 600203, app: { name: 'lockkeeper' } });
  });
  test('goes on where an earlier run ended', async () => {
    const at = await filled(3);
    const log = auditLog({ ...at, world: testWorld(undefined, 'other'), run: 'second' });
    expect((await log.record(event(9))).index).toBe(3);
    await log.flush();
    expect(await verify(at)).toEqual({ entries: 4, ok: true, findings: [], covered: 4 });
  });
  test('many runs at once share it without a fork, a gap or a lost entry', async () => {
    const at = place();
    const runs = Array.from({ length: 5 }, (_, run) => auditLog({ ...at, world: testWorld(undefined, `world ${run}`), run: `run-${run}` }));
    const acknowledged = await Promise.all(runs.flatMap((log) => Array.from({ length: 12 }, (_, number) => log.record(event(number)))));
    await Promise.all(runs.map((log) => log.flush()));
    expect(acknowledged.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, index) => index));
    expect(await verify(at)).toEqual({ entries: 60, ok: true, findings: [], covered: 60 });
    const known = new Map((await allEntries(at.log)).map(({ index, hash }) => [index, hash]));
    for (const { index, hash } of acknowledged) expect(known.get(index)).toBe(hash);
  });
  test('a head that is written late never moves back', async () => {
    const at = await filled(6);
    const world = testWorld(undefined, 'late');
    const now = await readHead(at.state);
    const [third] = await allEntries(at.log, 2);
    const late = { size: 3, hash: third?.hash ?? '' };
    expect(await advanceHead({ state: at.state, world }, late)).toEqual(now);
    expect(await advanceHead({ state: at.state, world }, late, { ...late, size: 2, version: 'old' })).toEqual(now);
    expect(await readHead(at.state)).toEqual(now);
  });
  test('a head of the same size with another hash is a fork, and told', async () => {
    const at = await filled(6);
    await expect(advanceHead({ state: at.state, world: testWorld() }, { size: 6, hash: 'f'.repeat(64) })).rejects.toMatchObject({ code: 'conflict' });
  });
  test('an append takes one create and one replace', async () => {
    const at = await filled(1);
    const faults = new Faults();
    const log = auditLog({ log: faults.wrap(at.log, 'log', ['create', 'get', 'list']), state: faults.wrap(at.state, 'state', ['get', 'create', 'replace']), world: testWorld(undefined, 'x'), run: 'x' });
    await log.record(event(0));
    await log.flush();
    const before = faults.writes.length;
    for (let number = 1; number <= 10; number += 1) await log.record(event(number));
    await log.flush();
    expect(faults.writes.slice(before)).toEqual(Array.from({ length: 10 }, () => ['log.create', 'state.replace']).flat());
  });
  test('an entry too long for a bundle is refused, and nothing is written', async () => {
    const at = await filled(1);
    const log = auditLog({ ...at, world: testWorld(undefined, 'x'), run: 'x' });
    await expect(log.record(event(1, { details: { text: 'x'.repeat(65_000) } }))).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('65535') });
    expect((await log.record(event(2))).index).toBe(1);
  });
});

describe('the audit log fails closed', () => {
  test.each(['unreachable', 'denied', 'throttled', 'rejected'] as const)('a log store that is %s: record throws it, nothing is written, later it goes on', async (code) => {
    const at = await filled(2);
    let down = true;
    const inner = at.log;
    const log: typeof inner = { ...inner, create: async (...args) => (down ? await Promise.reject(new LockkeeperError(code, 'down')) : await inner.create(...args)) };
    const writer = auditLog({ ...at, log, world: testWorld(undefined, 'x'), run: 'x' });
    await expect(writer.record(event(5))).rejects.toMatchObject({ code });
    expect(at.bucket.objects.size).toBe(2);
    down = false;
    expect((await writer.record(event(5))).index).toBe(2);
    await writer.flush();
    expect((await verify(at)).ok).toBe(true);
  });
  test('a state store that is down: the entry is acknowledged, the next one refused, flush throws, later all is covered', async () => {
    const at = await filled(2);
    let down = false;
    const inner = at.state;
    const state: typeof inner = { ...inner, replace: async (...args) => (down ? await Promise.reject(new LockkeeperError('unreachable', 'down')) : await inner.replace(...args)) };
    const writer = auditLog({ ...at, state, world: testWorld(undefined, 'x'), run: 'x' });
    await writer.record(event(1));
    down = true;
    await writer.flush();
    expect((await writer.record(event(2))).index).toBe(3);
    await expect(writer.record(event(3))).rejects.toMatchObject({ code: 'unreachable' });
    await expect(writer.flush()).rejects.toMatchObject({ code: 'unreachable' });
    expect(at.bucket.objects.size).toBe(4);
    down = false;
    expect((await writer.record(event(3))).index).toBe(4);
    await writer.flush();
    expect(await verify(at)).toMatchObject({ ok: true, covered: 5 });
  });
  test.each([
    ['was cut off', (at: Place) => at.bucket.objects.delete(entryKey(2)), 'entry 2 is gone'],
    ['ends in another entry', (at: Place) => tamper(at.bucket, entryKey(2), stored(at.bucket, entryKey(1))), 'entry 2 holds entry 1'],
    ['ends in a changed entry', (at: Place) => tamper(at.bucket, entryKey(2), stored(at.bucket, entryKey(2)).with(20, 0)), 'entry 2 was changed'],
    ['ends in an entry rewritten with a hash that fits', (at: Place) => tamper(at.bucket, entryKey(2), rewritten(stored(at.bucket, entryKey(2)))), 'entry 2 is another one'],
    ['lost its head', (at: Place) => at.heads.objects.delete(headKey), 'the head of the log is gone'],
    ['has a stranger after its end', (at: Place) => tamper(at.bucket, entryKey(3), new Uint8Array(5)), 'entry 3 was changed'],
  ])('a log that %s is not appended to', async (_, harm, message) => {
    const at = await filled(3);
    harm(at);
    const before = at.bucket.objects.size;
    const writer = auditLog({ ...at, world: testWorld(undefined, 'x'), run: 'x' });
    await expect(writer.record(event(9))).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining(message) });
    expect(at.bucket.objects.size).toBe(before);
  });
  test('a changed head stops the writer', async () => {
    const at = await filled(3);
    const head = stored(at.heads, headKey);
    tamper(at.heads, headKey, head.with(20, (head[20] ?? 0) ^ 1));
    await expect(auditLog({ ...at, world: testWorld(), run: 'x' }).record(event(9))).rejects.toMatchObject({ code: 'invalid' });
  });
  test('an entry that vanishes after it was met stops the writer instead of looping', async () => {
    const at = await filled(1);
    const inner = memoryObjects(at.bucket);
    const log: typeof inner = { ...inner, create: async () => ({ outcome: 'exists' }) };
    await expect(auditLog({ ...at, log, world: testWorld(), run: 'x' }).record(event(9))).rejects.toMatchObject({ code: 'conflict' });
  });
});

test('an entry read back is what was encoded, byte for byte', async () => {
  const at = await filled(1);
  const bytes = stored(at.bucket, entryKey(0));
  const entry = decodeEntry(bytes);
  expect(JSON.parse(new TextDecoder().decode(bytes))).toMatchObject({ unmapped: { hash: entry.hash, n: 0, action: 'rotation.set' } });
  expect(() => decodeEntry(Uint8Array.from([...bytes, 0x20]))).toThrow(LockkeeperError);
});

type Place = ReturnType<typeof place>;

function rewritten(bytes: Uint8Array): Uint8Array {
  const entry = decodeEntry(bytes);
  return encodeEntry({ ...entry, event: { ...entry.event, actor: 'somebody else' } }).bytes;
}
