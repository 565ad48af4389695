import { decodeBatch, encodeBatch } from '../../shared/audit/sealing/batch.ts';
import { describe, expect, test } from '@jest/globals';
import { encodeEntry, firstPrevious } from '../../shared/audit/entries/codec.ts';
import type { AuditEvent } from '../../shared/audit/entry.ts';
import { checkpointKey, partialPrefix, publishedKey, verifierKeyKey } from '../../shared/audit/layout.ts';
import { tilesEntries } from '../../shared/audit/read.ts';
import { decodeBundle, encodeBundle } from '../../shared/audit/tlog/bundle.ts';
import { verifierKey } from '../../shared/audit/tlog/note.ts';
import { bundlePath, tilePath, tilesOf, tileWidth } from '../../shared/audit/tlog/tile.ts';
import { checkBundle } from '../../shared/audit/verify/bundle-check.ts';
import { verifyLog, verifyTiles } from '../../shared/audit/verify/verify.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { instant } from '../../shared/base/time.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { MemoryBucket, memoryObjects } from '../../shared/objects/memory.ts';
import { memorySigner } from '../../shared/signers/memory.ts';
import { longLog } from './long-log.ts';
import { event, filled, grow, identity, place, runOn, stored, tamper, type LogPlace, writer } from './place.ts';

const ownKey = async () => verifierKey(identity.origin, await identity.signer.publicKey());

const start = encodeEntry({ run: 'one', n: 0, previous: firstPrevious, id: 'a', at: instant(1), event: event(1) });
/** What is said of a second entry of that run. */
function problemsOf(where: { readonly n: number; readonly previous: string }, more: Partial<AuditEvent> = {}) {
  const second = encodeEntry({ run: 'one', ...where, id: 'b', at: instant(2), event: event(2, more) });
  return checkBundle(0, encodeBundle([start.bytes, second.bytes])).problems;
}

function keysIn({ objects }: MemoryBucket, prefix: string): readonly string[] {
  return [...objects.keys()].filter((key) => key.startsWith(prefix)).toSorted();
}

/** The log as a plain directory of tiles. */
function plainTiles({ bucket, heads }: LogPlace): MemoryBucket {
  const out = new MemoryBucket();
  for (const [key, object] of [...bucket.objects, ...heads.objects])
    out.objects.set(key.replace(partialPrefix, '').replace(publishedKey, 'checkpoint'), object);
  return out;
}

describe('verify finds', () => {
  test('a batch put into the inbox again under the next number of its run', async () => {
    const at = await filled(3);
    const last =
      [...at.bucket.objects.keys()]
        .filter((key) => key.startsWith('inbox/'))
        .toSorted()
        .at(-1) ?? '';
    const again = last.replace(/\d$/, (digit) => String(Number(digit) + 1));
    tamper(at.bucket, again, stored(at.bucket, last));
    expect((await verifyLog(at)).findings).toMatchObject([{ key: again }]);
  });
  test('a batch that waits and does not go on where its run is', async () => {
    const at = await filled(3);
    const log = runOn(at, 'open');
    await log.record(event(1));
    await log.seal();
    await log.record(event(2));
    await log.record(event(3));
    expect((await verifyLog(at)).findings).toEqual([]);
    const waiting = [...at.bucket.objects.keys()]
      .filter((key) => key.includes('/open.'))
      .toSorted()
      .slice(-2);
    const [first = '', second = ''] = waiting;
    tamper(at.bucket, first, encodeBatch(decodeBatch(stored(at.bucket, second)).entries, first, writer));
    expect((await verifyLog(at)).findings).toMatchObject([
      { key: waiting[0], kind: 'omitted' },
      { key: waiting[1], kind: 'chain' },
    ]);
  });
  test('the key of the log gone, or ending otherwise, even where the right key is given', async () => {
    const at = await filled(3);
    const key = await ownKey();
    for (const other of [`${key}\v`, `${key}\n\n`, `${key} `]) {
      tamper(at.bucket, verifierKeyKey, Buffer.from(other));
      for (const given of [key, undefined])
        expect((await verifyLog({ ...at, verifierKey: given })).findings.map((one) => one.key)).toContain(
          verifierKeyKey,
        );
    }
    at.bucket.objects.delete(verifierKeyKey);
    expect((await verifyLog({ ...at, verifierKey: key })).findings).toMatchObject([
      { key: verifierKeyKey, kind: 'missing' },
    ]);
  });
  test('a line of the published checkpoint that no witness put there, whoever is trusted', async () => {
    const at = await longLog({ turns: 1 });
    const note = Buffer.from(stored(at.heads, publishedKey)).toString();
    expect((await verifyLog(at)).findings).toEqual([]);
    for (const other of [
      note.replace('— witness', '— wutness'),
      note.replace(/.(?==*\n$)/, (sign) => (sign === 'A' ? 'Q' : 'A')),
      `${note}${note.split('\n').at(-2)?.replace('witness', 'another')}\n`,
    ]) {
      tamper(at.heads, publishedKey, Buffer.from(other));
      expect((await verifyLog(at)).findings).toMatchObject([{ key: publishedKey, kind: 'changed' }]);
    }
  });
  test('a bit changed in anything that the state store publishes', async () => {
    const at = await longLog({ turns: 2 });
    const { size = 0 } = (await verifyLog(at)).checkpoint ?? {};
    const partial = tilesOf(size)
      .filter(({ width }) => width < tileWidth)
      .flatMap(({ level, index, width }) => [
        tilePath(level, index, width),
        ...(level === 0 ? [bundlePath(index, width)] : []),
      ]);
    expect(partial.length).toBe(3);
    for (const key of [publishedKey, ...partial.map((path) => `${partialPrefix}${path}`)]) {
      const whole = stored(at.heads, key);
      for (const offset of [0, Math.floor(whole.length / 2), whole.length - 1]) {
        tamper(at.heads, key, whole.with(offset, (whole[offset] ?? 0) ^ 4));
        expect((await verifyLog(at)).findings.map((one) => one.key)).toContain(key);
      }
      tamper(at.heads, key, whole);
    }
  });
  test('a bit changed in a tile whose entries were sealed together', async () => {
    const at = await filled(600);
    for (const key of ['tile/0/000', 'tile/0/001', 'tile/entries/001']) {
      const whole = stored(at.bucket, key);
      tamper(at.bucket, key, whole.with(5_000, (whole[5_000] ?? 0) ^ 1));
      expect((await verifyLog(at)).findings.map((one) => one.key)).toEqual([key]);
      tamper(at.bucket, key, whole);
    }
  });
  test('every checkpoint of a log that is signed with another key than the one given', async () => {
    const signer = memorySigner(new Uint8Array(32).fill(9));
    const at = { ...place(), signer };
    await runOn(at, 'forger').end();
    const log = runOn(at, 'forger');
    await log.record(event(1));
    await log.end();
    expect((await verifyLog(at)).findings).toEqual([]);
    const found = (await verifyLog({ ...at, verifierKey: await ownKey() })).findings.map(
      ({ key, kind }) => `${kind} ${key}`,
    );
    expect(found).toEqual(
      expect.arrayContaining([
        `unsigned ${verifierKeyKey}`,
        `unsigned ${publishedKey}`,
        `unsigned ${checkpointKey(3)}`,
      ]),
    );
  });
  test('an entry that does not follow the one before it in its run, comes again, or comes too soon', () => {
    expect(problemsOf({ n: 1, previous: start.hash })).toEqual([]);
    expect(problemsOf({ n: 1, previous: firstPrevious })).toMatchObject([{ index: 1, kind: 'chain' }]);
    expect(problemsOf({ n: 0, previous: start.hash })).toMatchObject([{ index: 1, kind: 'chain' }]);
    expect(problemsOf({ n: 2, previous: start.hash })).toMatchObject([{ index: 1, kind: 'omitted' }]);
  });
  test('a run that counts more entries at its end than it has', () => {
    const ended = (entries: number) =>
      problemsOf({ n: 1, previous: start.hash }, { action: 'run.end', details: { entries } });
    expect(ended(2)).toEqual([]);
    expect(ended(3)).toMatchObject([{ index: 1, kind: 'omitted' }]);
  });
  test.each([
    ['ends later', (tile: Uint8Array) => Buffer.concat([tile, tile.subarray(0, 320)])],
    ['ends within a hash', (tile: Uint8Array) => Buffer.concat([tile, tile.subarray(0, 5)])],
    ['ends earlier', (tile: Uint8Array) => tile.subarray(0, -6 * 32)],
    ['is twice there', (tile: Uint8Array) => Buffer.concat([tile, tile])],
  ])('a tile of leaves that %s, and blames nothing else for it', async (_, change) => {
    const at = await filled(600, 50);
    const partial = `${partialPrefix}${tilePath(0, 2, 602 - 512)}`;
    for (const [bucket, key] of [
      [at.bucket, 'tile/0/000'],
      [at.bucket, 'tile/0/001'],
      [at.heads, partial],
    ] as const) {
      const whole = stored(bucket, key);
      tamper(bucket, key, Uint8Array.from(change(whole)));
      expect((await verifyLog(at)).findings.map((one) => `${one.kind} ${one.key}`)).toEqual([`changed ${key}`]);
      tamper(bucket, key, whole);
    }
  });
  test('a bundle of an export that is empty or cut short, its tile whole, cut alike or gone, and says nothing of another tree', async () => {
    const at = await filled(600, 50);
    const since = Buffer.from(stored(at.bucket, checkpointKey(501))).toString();
    for (const [where, cuts] of [
      ['001', [0, 1, 250]],
      ['002.p/90', [0, 89]],
    ] as const) {
      for (const entries of cuts) {
        for (const tile of ['whole', 'cut', 'empty', 'gone']) {
          const out = plainTiles(at);
          const [bundle, leaves] = [`tile/entries/${where}`, `tile/0/${where}`];
          tamper(out, bundle, encodeBundle(decodeBundle(stored(out, bundle)).slice(0, entries)));
          if (tile === 'gone') out.objects.delete(leaves);
          else if (tile !== 'whole')
            tamper(out, leaves, stored(out, leaves).slice(0, tile === 'empty' ? 0 : entries * 32));
          for (const more of [{}, { since }]) {
            const said = (await verifyTiles({ store: memoryObjects(out), ...more })).findings.map(
              ({ kind, key }) => `${kind} ${key}`,
            );
            expect(said).toContain(`changed ${bundle}`);
            expect(said.filter((one) => one !== `changed ${bundle}` && !one.endsWith(` ${leaves}`))).toEqual([]);
          }
        }
      }
    }
  });
  test.each([602, 512])(
    'entries that somebody put after the signed ones of an export of %d, though they follow in their runs, and nobody is shown them',
    async (size) => {
      const at = await filled(size - 2, 50);
      const out = plainTiles(at);
      await grow(at, 20);
      const { bucket } = at;
      const more = keysIn(bucket, 'inbox/')
        .filter((key) => key.includes('/run-'))
        .flatMap((key) => decodeBatch(stored(bucket, key)).entries);
      for (const key of keysIn(out, 'tile/entries/')) {
        const whole = stored(out, key);
        // Those of earlier sizes are there too.
        if (key.includes('.p/') && !key.endsWith(`/${size % tileWidth}`)) continue;
        tamper(out, key, encodeBundle([...decodeBundle(whole), ...more]));
        expect((await verifyTiles({ store: memoryObjects(out) })).findings).toMatchObject([{ key, kind: 'changed' }]);
        const shown: number[] = [];
        for await (const { index } of tilesEntries(memoryObjects(out))) shown.push(index ?? NaN);
        expect(shown).toEqual(Array.from({ length: size }, (_, index) => index));
        tamper(out, key, whole);
      }
    },
  );
  test('a bundle cut short whose tile is gone, and goes on to the end', async () => {
    const at = await filled(600, 50);
    tamper(at.bucket, 'tile/entries/000', stored(at.bucket, 'tile/entries/000').slice(0, 1_000));
    at.bucket.objects.delete('tile/0/000');
    for (const key of at.bucket.objects.keys())
      if (key.startsWith('inbox/') && key.endsWith('07')) at.bucket.objects.delete(key);
    const { findings, entries } = await verifyLog(at);
    expect(findings.map(({ key }) => key)).toEqual(expect.arrayContaining(['tile/0/000']));
    expect(entries).toBeGreaterThan(300);
  });
});

test('verify of a store that breaks down throws what it throws, however many objects were asked for at once', async () => {
  const at = await filled(600, 50);
  const broken: ObjectStore = {
    ...at.log,
    get: async (key) => {
      if (key.startsWith('inbox/') && key.endsWith('5')) throw new LockkeeperError('unreachable', `${key}: no answer`);
      return await at.log.get(key);
    },
  };
  await expect(verifyLog({ log: broken, state: at.state })).rejects.toMatchObject({ code: 'unreachable' });
});
