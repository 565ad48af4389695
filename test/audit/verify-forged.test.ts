import { afterEach, describe, expect, test } from '@jest/globals';
import { checkpointKey, publishedKey, sequenceKey } from '../../shared/audit/layout.ts';
import { encodeSequence } from '../../shared/audit/sealing/sequence.ts';
import { formatCheckpoint } from '../../shared/audit/tlog/checkpoint.ts';
import { formatNote, keyId, verifierKey } from '../../shared/audit/tlog/note.ts';
import { exportLog } from '../../shared/audit/export/export.ts';
import { tiledDirectory } from '../../shared/audit/export/tiled-log.ts';
import { verifyLog, verifyTiles } from '../../shared/audit/verify/verify.ts';
import { MemoryBucket, memoryObjects } from '../../shared/objects/memory.ts';
import { Directories, folderAt } from './export-place.ts';
import { event, filled, identity, place, runOn, stored, tamper } from './place.ts';

const directories = new Directories();
afterEach(() => directories.remove());

/** A checkpoint of any size, signed with the key of the log. */
async function signedCheckpoint(size: number): Promise<Uint8Array> {
  const key = await identity.signer.publicKey();
  const text = formatCheckpoint({ origin: identity.origin, size, root: new Uint8Array(32).fill(3), extensions: [] });
  return Buffer.from(
    formatNote(text, [
      {
        name: identity.origin,
        id: keyId(identity.origin, 0x01, key),
        bytes: await identity.signer.sign(Buffer.from(text)),
      },
    ]),
  );
}

const most = Number.MAX_SAFE_INTEGER;

describe('verify is not led astray', () => {
  test('by objects that stand where newer checkpoints would, in a copy without the state store', async () => {
    const at = await filled(300, 20);
    for (const size of [99_997, 99_998, 99_999]) tamper(at.bucket, checkpointKey(size), Buffer.from('no checkpoint'));
    const { size, findings } = await verifyLog({ log: at.log });
    expect(size).toBe(302);
    expect(findings.map(({ key }) => key)).toEqual([99_997, 99_998, 99_999].map(checkpointKey));
  });
  test.each([254, 510])(
    'by another log of %d events, as many as full bundles take, that the key signed: the saved checkpoint tells',
    async (count) => {
      const at = await filled(count);
      const since = Buffer.from(stored(at.heads, publishedKey)).toString();
      expect(await verifyLog({ ...at, since })).toMatchObject({ ok: true, size: count + 2, entries: 0 });
      const other = place();
      const log = runOn(other, 'other');
      for (let number = 0; number < count; number += 1) await log.record(event(number));
      await log.end();
      expect((await verifyLog({ ...other, since })).findings).toMatchObject([
        { key: 'the checkpoint given', kind: 'forked' },
      ]);
      const tiles = new MemoryBucket();
      for (const [key, object] of other.bucket.objects) if (key.startsWith('tile/')) tiles.objects.set(key, object);
      for (const [key, object] of other.heads.objects)
        if (key.startsWith('audit/partial/')) tiles.objects.set(key.slice('audit/partial/'.length), object);
      tamper(tiles, 'checkpoint', stored(other.heads, publishedKey));
      const verifierKeyText = verifierKey(identity.origin, await identity.signer.publicKey());
      expect(
        (await verifyTiles({ store: memoryObjects(tiles), verifierKey: verifierKeyText, since })).findings,
      ).toMatchObject([{ key: 'the checkpoint given', kind: 'forked' }]);
    },
  );
  test('by a batch under another day than its run, which no reader would look at', async () => {
    const at = await filled(10, 3);
    const batch = [...at.bucket.objects.keys()].filter((key) => key.startsWith('inbox/')).toSorted()[1] ?? '';
    const strayed = batch.replace(/\d{4}-\d\d-\d\d/, '2031-01-01');
    for (const bytes of [stored(at.bucket, batch), Buffer.from('anything')]) {
      tamper(at.bucket, strayed, bytes);
      expect((await verifyLog(at)).findings).toMatchObject([{ key: strayed, kind: 'foreign' }]);
    }
  });
  test('for ever by a record of places that nobody can fill, which anybody can make who may write', async () => {
    for (const first of [32, 4_000_000_000, most - 1]) {
      const at = await filled(30, 5);
      const batch = { key: 'inbox/2026-10-01/other.0/00000000', hash: 'cd'.repeat(32), count: most - first };
      tamper(at.bucket, sequenceKey(first), encodeSequence({ first, previous: 'ab'.repeat(32), batches: [batch] }));
      expect(
        (await verifyLog(at)).findings.some(({ key, what }) => `${key} ${what}`.includes(sequenceKey(first))),
      ).toBe(true);
    }
  });
  test('for ever by a checkpoint of more entries than there can be, signed with the key', async () => {
    const at = await filled(30, 5);
    tamper(at.bucket, checkpointKey(most), await signedCheckpoint(most));
    const { findings } = await verifyLog(at);
    expect(findings).toEqual(
      expect.arrayContaining([expect.objectContaining({ key: sequenceKey(32), kind: 'cut-off' })]),
    );
    expect(findings.map(({ key }) => key)).not.toContain(checkpointKey(32));
    const tiles = new MemoryBucket();
    tamper(tiles, 'checkpoint', await signedCheckpoint(most));
    tamper(tiles, 'log.vkey', Buffer.from(`${verifierKey(identity.origin, await identity.signer.publicKey())}\n`));
    const store = memoryObjects(tiles);
    expect((await verifyTiles({ store })).findings).toEqual(
      expect.arrayContaining([expect.objectContaining({ key: 'tile/entries/000', kind: 'missing' })]),
    );
    const out = await directories.make();
    await expect(
      exportLog({ tiles: await tiledDirectory(store), log: store, folder: folderAt(out), formats: ['tiles'] }),
    ).rejects.toMatchObject({ code: 'conflict' });
  });
  test('about checkpoints and tiles above, where an entry is gone from all places that held it', async () => {
    const at = await filled(600, 50);
    const batch =
      [...at.bucket.objects.keys()]
        .filter((key) => key.startsWith('inbox/'))
        .toSorted()
        .at(-2) ?? '';
    at.bucket.objects.delete(batch);
    expect((await verifyLog({ log: at.log })).findings).toMatchObject([{ key: batch, kind: 'missing' }]);
    for (const key of [...at.bucket.objects.keys()].filter((one) => one.startsWith('inbox/')).slice(0, 3))
      at.bucket.objects.delete(key);
    for (const key of ['tile/entries/000', 'tile/0/000']) at.bucket.objects.delete(key);
    const keys = (await verifyLog(at)).findings.map(({ key }) => key);
    expect(keys.filter((key) => /^(cp\/|tile\/1|audit\/partial\/tile\/1)/.test(key))).toEqual([]);
  });
  test('about the checkpoint at the new end, where the last record is gone', async () => {
    const at = await filled(30, 5);
    const last =
      [...at.bucket.objects.keys()]
        .filter((key) => key.startsWith('seq/'))
        .toSorted()
        .at(-1) ?? '';
    at.bucket.objects.delete(last);
    const keys = (await verifyLog(at)).findings.map(({ key }) => key);
    expect(keys).toContain(last);
    expect(keys.filter((key) => key.startsWith('cp/'))).toEqual([]);
  });
});
