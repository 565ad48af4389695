import { afterEach, describe, expect, test } from '@jest/globals';
import { cosignatureKey, cosignaturePrefix, publishedKey } from '../../shared/audit/layout.ts';
import { parseNote, parseVerifierKey, verifierKey, verifyNote } from '../../shared/audit/tlog/note.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import { grow, identity, place, runOn, stored, tamper, type LogPlace } from './place.ts';
import {
  late,
  startWitnessServer,
  type WitnessBook,
  type WitnessOptions,
  type WitnessServer,
} from './witness-server.ts';

const logKey = verifierKey(identity.origin, await identity.signer.publicKey());

const running: WitnessServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

async function witness(options: Partial<WitnessOptions> = {}): Promise<WitnessServer> {
  const server = await startWitnessServer({ logs: [logKey], ...options });
  running.push(server);
  return server;
}

/** A place whose log these witnesses cosign. */
function watched(
  servers: readonly (Pick<WitnessServer, 'url' | 'key'> & { readonly waitMs?: number })[],
  at: LogPlace = place(),
  more: Partial<LogPlace> = {},
): LogPlace {
  return { ...at, witnesses: servers.map(({ url, key, waitMs = 15_000 }) => ({ url, key, waitMs })), ...more };
}

const published = (at: LogPlace) => Buffer.from(stored(at.heads, publishedKey)).toString();
const signersOf = (at: LogPlace, servers: readonly WitnessServer[]) =>
  verifyNote(parseNote(published(at)), [logKey, ...servers.map(({ key }) => key)].map(parseVerifierKey)).map(
    ({ name }) => name,
  );
const cosigned = (at: LogPlace) => [...at.bucket.objects.keys()].filter((key) => key.startsWith(cosignaturePrefix));

describe('a witness', () => {
  test('cosigns each checkpoint that is published; its line is kept in the log and shown to readers', async () => {
    const one = await witness();
    const at = watched([one]);
    expect(await grow(at)).toMatchObject({ size: 2, cosigned: 1, witnessed: true, problems: [], alarms: [] });
    for (const count of [300, 1, 254, 1])
      expect(await grow(at, count)).toMatchObject({ witnessed: true, problems: [] });
    expect(signersOf(at, [one])).toEqual([identity.origin, 'witness.test/one']);
    const { id } = parseVerifierKey(one.key);
    expect(cosigned(at)).toEqual([2, 303, 305, 560, 562].map((size) => cosignatureKey(size, id)));
    expect(one.asked.filter(({ status }) => status === 200).map(({ old, size }) => [old, size])).toEqual([
      [0, 2],
      [2, 303],
      [303, 305],
      [305, 560],
      [560, 562],
    ]);
    expect(await verifyLog(at)).toMatchObject({ ok: true, size: 562 });
  });
  test('is not asked again about what it cosigned', async () => {
    const one = await witness();
    const at = watched([one]);
    await grow(at);
    const before = one.asked.length;
    expect(await runOn(at, 'x').seal()).toMatchObject({ cosigned: 1, witnessed: true });
    at.heads.objects.delete(publishedKey);
    expect(await runOn(at, 'y').seal()).toMatchObject({ cosigned: 1, witnessed: true });
    expect(one.asked).toHaveLength(before);
    expect(signersOf(at, [one])).toHaveLength(2);
  });
  test('that is away is a problem and no error; the next sealing has the newest cosigned, and the one it missed never', async () => {
    const book: WitnessBook = new Map();
    const one = await witness({ book });
    const at = watched([one]);
    await grow(at);
    await one.stop();
    const problem = `witness witness.test/one did not cosign: ${one.url}add-checkpoint did not answer`;
    expect(await grow(at, 3)).toMatchObject({
      size: 6,
      cosigned: 0,
      witnessed: false,
      problems: [problem],
      alarms: [],
    });
    expect((await runOn(at, 'again').seal()).problems).toEqual([problem]);
    expect(signersOf(at, [one])).toEqual([identity.origin]);
    const back = await witness({ book });
    expect(await grow(watched([back], at), 2)).toMatchObject({ size: 9, cosigned: 1, witnessed: true, problems: [] });
    expect(cosigned(at)).toEqual([2, 9].map((size) => cosignatureKey(size, parseVerifierKey(one.key).id)));
    expect(await verifyLog(at)).toMatchObject({ ok: true });
  });
  test('that comes back while nothing new is recorded cosigns what is published', async () => {
    const one = await witness();
    await one.stop();
    const at = watched([one]);
    await grow(at);
    const back = await witness();
    expect(await runOn(watched([back], at), 'x').seal()).toMatchObject({ size: 2, witnessed: true, problems: [] });
    expect(signersOf(at, [back])).toHaveLength(2);
  });
  test('that takes the place of another one, while nothing new is recorded, is shown to readers', async () => {
    const long = await witness({ name: 'witness.test/with-a-long-name' });
    const at = watched([long]);
    await grow(at);
    const short = await witness({ name: 'w.test' });
    expect(await runOn(watched([short], at), 'x').seal()).toMatchObject({ size: 2, cosigned: 1, problems: [] });
    expect(signersOf(at, [short])).toEqual([identity.origin, 'w.test']);
  });
  test('that only another host reaches is shown to readers all the same', async () => {
    const [one, two] = [await witness(), await witness({ name: 'witness.test/two' })];
    const at = watched([one]);
    await grow(at);
    await runOn(watched([two], at), 'x').seal();
    expect(signersOf(at, [one, two])).toEqual([identity.origin, 'witness.test/one', 'witness.test/two']);
    await runOn(at, 'y').seal();
    expect(signersOf(at, [one, two])).toHaveLength(3);
  });
  test.each([
    ['the log', 0],
    ['a witness', 1],
  ])('a line of %s that was changed in the state store is put right by the next sealing', async (_, line) => {
    const one = await witness();
    const at = watched([one]);
    await grow(at);
    const right = published(at);
    const inLine =
      right
        .split('\n')
        .slice(0, 4 + line)
        .join('\n').length + 45;
    tamper(
      at.heads,
      publishedKey,
      Buffer.from(`${right.slice(0, inLine)}${right[inLine] === 'x' ? 'y' : 'x'}${right.slice(inLine + 1)}`),
    );
    expect(published(at)).not.toBe(right);
    expect(await runOn(at, 'x').seal()).toMatchObject({ size: 2, cosigned: 1, witnessed: true });
    expect(published(at)).toBe(right);
  });
  test.each<[string, WitnessOptions['mood'], string]>([
    ['hangs', late, 'did not answer within 0.5 s'],
    ['answers 200 without a line', () => ({ status: 200, body: '' }), 'does not count'],
    ['answers 200 with nonsense', () => ({ status: 200, body: '<html>welcome</html>\n' }), 'does not count'],
    ['answers without end', () => ({ status: 200, body: 'x'.repeat(1_000_000) }), 'does not count'],
    [
      'has lost this log',
      () => ({ status: 404, body: 'unknown log\n' }),
      'answered 404 unknown log; its operator has to add this log',
    ],
    [
      'does not know this key',
      () => ({ status: 403, body: 'bad\u001B[31m signature' }),
      'answered 403 bad [31m signature; its operator needs the key',
    ],
    ['is broken', () => ({ status: 500 }), 'answered 500'],
    ['names no size', () => ({ status: 409, type: 'text/x.tlog.size', body: '' }), 'answered 409'],
    ['sends elsewhere', () => ({ status: 307, body: '' }), 'answered 307'],
  ])('that %s is a problem, the same text each time, and the log goes on', async (_, mood, text) => {
    const one = await witness({ mood });
    const at = watched([mood === late ? { ...one, waitMs: 500 } : one]);
    const { problems, alarms } = await grow(at);
    expect(problems).toEqual([expect.stringContaining(text)]);
    expect(alarms).toEqual([]);
    expect(await grow(at)).toMatchObject({ size: 4, witnessed: false, problems });
    expect(cosigned(at)).toEqual([]);
    expect(signersOf(at, [one])).toEqual([identity.origin]);
  });
  test('whose line is of another witness, or of another checkpoint, does not count', async () => {
    const lines: string[] = [];
    const other = await witness({
      name: 'witness.test/other',
      mood: (proper) => (lines.push(proper.body ?? ''), proper),
    });
    const at = watched([other]);
    await grow(at);
    await grow(at);
    const posing = await witness({ mood: () => ({ status: 200, body: lines.at(-1) ?? '' }) });
    expect((await grow(watched([posing], at))).problems).toEqual([
      expect.stringContaining('there is no cosignature of witness.test/one'),
    ]);
    const stale = await witness({ name: 'witness.test/other', mood: () => ({ status: 200, body: lines[0] ?? '' }) });
    expect((await grow(watched([stale], at))).problems).toEqual([expect.stringContaining('does not fit the note')]);
  });
  test('that names one size after another is left alone', async () => {
    let size = 0;
    const one = await witness({ mood: () => ({ status: 409, type: 'text/x.tlog.size', body: `${(size += 1)}\n` }) });
    expect((await grow(watched([one]), 20)).problems).toEqual([
      expect.stringContaining('it named another size 4 times'),
    ]);
    expect(one.asked).toHaveLength(4);
  });
  test('is given the proof also where another integrator has just filled a tile', async () => {
    const book: WitnessBook = new Map();
    const one = await witness({ book });
    const at = watched([one]);
    await grow(at, 200);
    let meanwhile: (() => Promise<unknown>) | undefined = () => grow(watched([], at), 100);
    const state = {
      ...at.state,
      get: async (key: string) => {
        const first = key === 'audit/partial/tile/0/000.p/251' ? meanwhile : undefined;
        if (first) meanwhile = undefined;
        await first?.();
        return await at.state.get(key);
      },
    };
    expect(await grow(watched([one], { ...at, state }), 49)).toMatchObject({ size: 251, cosigned: 1, problems: [] });
    expect(meanwhile).toBeUndefined();
  });
  test('whose kept line was changed is asked again; verify names the object', async () => {
    const one = await witness();
    const at = watched([one]);
    await grow(at);
    const key = cosignatureKey(2, parseVerifierKey(one.key).id);
    tamper(at.bucket, key, stored(at.bucket, key).with(180, 65));
    at.heads.objects.delete(publishedKey);
    expect(await runOn(at, 'x').seal()).toMatchObject({ witnessed: true, problems: [] });
    expect((await verifyLog(at)).findings).toMatchObject([{ key, kind: 'changed' }]);
  });
});
