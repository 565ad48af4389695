import { afterEach, describe, expect, test } from '@jest/globals';
import { cosignaturePrefix, checkpointKey, publishedKey } from '../../shared/audit/layout.ts';
import { parseNote, parseVerifierKey, verifierKey, verifyNote } from '../../shared/audit/tlog/note.ts';
import { memoryObjects } from '../../shared/objects/memory.ts';
import { grow, identity, place, runOn, stored, type LogPlace } from './place.ts';
import { startWitnessServer, type WitnessBook, type WitnessOptions, type WitnessServer } from './witness-server.ts';

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

describe('a witness that has seen another log', () => {
  test('of more entries: the log was cut off, and that is an alarm', async () => {
    const one = await witness();
    const at = watched([one]);
    await grow(at);
    const [log, state] = [new Map(at.bucket.objects), new Map(at.heads.objects)];
    await grow(at, 5);
    for (const [bucket, before] of [
      [at.bucket, log],
      [at.heads, state],
    ] as const) {
      bucket.objects.clear();
      for (const [key, object] of before) bucket.objects.set(key, object);
    }
    const report = await grow(at);
    const alarm = expect.stringContaining(
      'witness witness.test/one has seen another log than this: it knows 8 entries, of which there is no checkpoint here',
    );
    expect(report).toMatchObject({ size: 4, witnessed: false, problems: [alarm], alarms: [alarm] });
  });
  test('whose first entries are others, or that has another tree of this size: the log was forked', async () => {
    const book: WitnessBook = new Map();
    const one = await witness({ book });
    await grow(watched([one]));
    const forked = watched([one]);
    expect((await grow(forked, 1)).alarms).toEqual([expect.stringContaining('its tree of 2 entries is another one')]);
    expect((await grow(forked, 1)).alarms).toEqual([
      expect.stringContaining('it refuses the proof that the 2 entries it knows are the first of this log'),
    ]);
  });
  test('because another integrator has sealed meanwhile vouches all the same', async () => {
    const at = place();
    let meanwhile: (() => Promise<unknown>) | undefined;
    const one = await witness();
    const slow = {
      ...at.log,
      get: async (key: string) => (key.startsWith(cosignaturePrefix) && (await once()), await at.log.get(key)),
    };
    const once = async () => {
      const first = meanwhile;
      meanwhile = undefined;
      await first?.();
    };
    meanwhile = () => grow(watched([one], at), 4);
    expect(await grow(watched([one], { ...at, log: slow }))).toMatchObject({
      size: 2,
      cosigned: 1,
      witnessed: true,
      problems: [],
      alarms: [],
    });
    expect(at.bucket.objects.has(checkpointKey(7))).toBe(true);
    expect(signersOf(at, [one])).toHaveLength(2);
  });
});

describe('how many must cosign', () => {
  test('is all of them, or as many as is said; with fewer the log goes on and says so', async () => {
    const [one, two] = [await witness(), await witness({ name: 'witness.test/two' })];
    await two.stop();
    const at = watched([one, two]);
    expect(await grow(at)).toMatchObject({
      cosigned: 1,
      witnessed: false,
      problems: [expect.stringContaining('witness.test/two')],
    });
    expect(await grow(watched([one, two], at, { needed: 1 }))).toMatchObject({
      cosigned: 1,
      witnessed: true,
      problems: [expect.anything()],
    });
    expect(await grow(watched([], at))).toMatchObject({ cosigned: 0, witnessed: true, problems: [] });
    expect(await runOn(watched([], place()), 'x').seal()).toMatchObject({ size: 0, witnessed: true });
  });
  test('the log store being away is no problem of a witness: sealing throws it', async () => {
    const one = await witness();
    const at = place();
    const log = {
      ...memoryObjects(at.bucket),
      create: async (key: string, bytes: Uint8Array) =>
        key.startsWith(cosignaturePrefix) ? await Promise.reject(new Error('away')) : await at.log.create(key, bytes),
    };
    await expect(grow(watched([one], { ...at, log }))).rejects.toThrow('away');
  });
});
