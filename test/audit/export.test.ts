import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { sha256 } from '../../shared/base/canonical.ts';
import { exportLog } from '../../shared/audit/export/export.ts';
import { cosignatureKey } from '../../shared/audit/layout.ts';
import { tiledDirectory } from '../../shared/audit/export/tiled-log.ts';
import { cosignedText, formatCosignature } from '../../shared/audit/tlog/cosignature.ts';
import { formatNote, keyId, parseNote, verifierKey } from '../../shared/audit/tlog/note.ts';
import { bundlePath, tilePath, tilesOf } from '../../shared/audit/tlog/tile.ts';
import { verifyTiles } from '../../shared/audit/verify/verify.ts';
import { encodeCosignature } from '../../shared/audit/vouching/witness-line.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import { memorySigner } from '../../shared/signers/memory.ts';
import { event, filled, identity, place, runOn, stored, tamper, type LogPlace } from './place.ts';
import { contentsOf, Directories, exportTo, folderAt, listingOf } from './export-place.ts';

const directories = new Directories();
afterEach(() => directories.remove());

const verified = async (directory: string) => await verifyTiles({ store: fileSystemObjects({ directory }) });

/** What a tlog-tiles directory of this size has. */
function layoutOf(size: number): readonly string[] {
  const tiles = tilesOf(size).flatMap(({ level, index, width }) => [
    tilePath(level, index, width),
    ...(level === 0 ? [bundlePath(index, width)] : []),
  ]);
  return [...tiles, 'checkpoint', 'log.vkey'].toSorted();
}

async function recorded(at: LogPlace, run: string, count: number): Promise<void> {
  const log = runOn(at, run);
  for (let number = 0; number < count; number += 1) await log.record(event(number));
  await log.end();
}

describe('an export of tiles', () => {
  test.each([0, 253, 254, 600])(
    'of %i recorded events has what a tlog-tiles directory of that size has and nothing else, and verifies',
    async (count) => {
      const [at, out] = [await filled(Math.max(count, 1), 50), await directories.make()];
      const { size, earlier } = await exportTo(out, at);
      expect({ size, earlier }).toEqual({ size: Math.max(count, 1) + 2, earlier: 0 });
      expect([...(await contentsOf(out)).keys()]).toEqual(layoutOf(size));
      expect(await readdir(out)).not.toContain('~unfinished');
      expect(await verified(out)).toMatchObject({ ok: true, entries: size, size });
    },
  );
  test('is the same from a copy of the log store alone, and from an export', async () => {
    const [at, whole, alone, again] = [
      await filled(600, 50),
      await directories.make(),
      await directories.make(),
      await directories.make(),
    ];
    await exportTo(whole, at);
    await exportTo(alone, { log: at.log });
    expect(await listingOf(alone)).toEqual(await listingOf(whole));
    const store = fileSystemObjects({ directory: whole });
    await exportLog({ tiles: await tiledDirectory(store), log: store, folder: folderAt(again), formats: ['tiles'] });
    expect(await listingOf(again)).toEqual(await listingOf(whole));
  });
  test('is added to: then it is what a new export would be, and full tiles are not written again', async () => {
    const [at, out, fresh] = [await filled(300, 50), await directories.make(), await directories.make()];
    await exportTo(out, at);
    const before = await stat(join(out, tilePath(0, 0)));
    await recorded(at, 'second', 400);
    expect(await exportTo(out, at)).toMatchObject({ size: 704, earlier: 302 });
    expect((await stat(join(out, tilePath(0, 0)))).mtimeMs).toBe(before.mtimeMs);
    await exportTo(fresh, at);
    expect(await listingOf(out)).toEqual(await listingOf(fresh));
    expect(await exportTo(out, at)).toMatchObject({ size: 704, earlier: 704 });
    expect(await listingOf(out)).toEqual(await listingOf(fresh));
  });
  test('has the evidence of the log, and refuses evidence that was changed', async () => {
    const [at, out] = [await filled(3), await directories.make()];
    const facts = Buffer.from('{"facts":1}');
    await at.log.create(`evidence/${sha256(facts)}.json`, facts);
    expect((await exportTo(out, at)).files).toContain('evidence/');
    expect((await contentsOf(out)).get(`evidence/${sha256(facts)}.json`)).toEqual(facts);
    tamper(at.bucket, `evidence/${sha256(facts)}.json`, Buffer.from('{"facts":2}'));
    await expect(exportTo(await directories.make(), at)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(`evidence/${sha256(facts)}.json was changed`),
    });
  });
  test('has every cosignature of its checkpoint, those that came after it was published too, and none that does not fit', async () => {
    const [at, out] = [await filled(3), await directories.make()];
    const witness = memorySigner(new Uint8Array(32).fill(7));
    const key = await witness.publicKey();
    const note = Buffer.from(stored(at.bucket, 'cp/00000000000000000005')).toString();
    const line = async (text: string) => {
      const signature = formatCosignature({
        time: 1_790_000_000,
        signature: await witness.sign(Buffer.from(cosignedText(1_790_000_000, text))),
      });
      return formatNote('x\n', [{ name: 'w.test', id: keyId('w.test', 0x04, key), bytes: signature }]).slice(
        'x\n\n'.length,
      );
    };
    const vkey = verifierKey('w.test', key, 0x04);
    await at.log.create(
      cosignatureKey(5, keyId('w.test', 0x04, key)),
      encodeCosignature(vkey, await line(parseNote(note).text)),
    );
    await at.log.create(cosignatureKey(5, 'ffffffff'), encodeCosignature(vkey, await line('another\n')));
    await exportTo(out, at);
    const { signatures } = parseNote((await contentsOf(out)).get('checkpoint') ?? '');
    expect(signatures.map(({ name }) => name)).toEqual([identity.origin, 'w.test']);
    expect(await verified(out)).toMatchObject({ ok: true });
  });
});

describe('an export is refused', () => {
  test.each(['notes.txt', 'inbox', 'entries.csv'])('to a directory that has %s and is no export', async (name) => {
    const [at, out] = [await filled(3), await directories.make()];
    await writeFile(join(out, name), 'mine');
    await expect(exportTo(out, at)).rejects.toMatchObject({ code: 'invalid', hint: expect.any(String) });
    expect([...(await contentsOf(out)).keys()]).toEqual([name]);
  });
  test('to a log store', async () => {
    const [at, out] = [await filled(3), await directories.make()];
    for (const [key, { bytes }] of at.bucket.objects) {
      await mkdir(join(out, key, '..'), { recursive: true });
      await writeFile(join(out, key), bytes);
    }
    const before = await listingOf(out);
    await expect(exportTo(out, at)).rejects.toMatchObject({ code: 'invalid' });
    expect(await listingOf(out)).toEqual(before);
  });
  test('to an export of another log', async () => {
    const [at, out] = [await filled(3), await directories.make()];
    await exportTo(out, at);
    const other = { ...place(), signer: memorySigner(new Uint8Array(32)) };
    await recorded(other, 'first', 5);
    await expect(exportTo(out, other)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('it is of the log'),
    });
  });
  test.each([
    ['shorter', 2, 'it was exported with 12 entries, and has 4 now'],
    ['written anew', 20, 'its 22 entries do not begin with those'],
  ])('where the log is %s since, which leaves that export as evidence', async (_, count, why) => {
    const out = await directories.make();
    await exportTo(out, await filled(10));
    const before = await listingOf(out);
    const anew = place();
    await recorded(anew, 'another', count);
    await expect(exportTo(out, anew)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(why),
    });
    expect(await listingOf(out)).toEqual(before);
  });
  test('before anything was sealed', async () => {
    const at = place();
    await runOn(at, 'run').record(event(0));
    await expect(exportTo(await directories.make(), at)).rejects.toMatchObject({
      code: 'not-found',
      hint: expect.stringContaining('audit seal'),
    });
  });
  test.each([bundlePath(0), tilePath(0, 0), tilePath(0, 1)])(
    'where %s was changed: there is no checkpoint, and the object is named',
    async (path) => {
      const [at, out] = [await filled(600, 50), await directories.make()];
      const bytes = stored(at.bucket, path);
      tamper(at.bucket, path, bytes.with(40, (bytes[40] ?? 0) ^ 1));
      await expect(exportTo(out, at)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining(path),
      });
      expect((await contentsOf(out)).has('checkpoint')).toBe(false);
    },
  );
  test('where a file of the earlier export was changed that the new tiles rest on', async () => {
    const [at, out] = [await filled(300, 50), await directories.make()];
    await exportTo(out, at);
    await writeFile(join(out, tilePath(1, 0, 1)), new Uint8Array(32));
    await recorded(at, 'second', 100);
    const before = (await contentsOf(out)).get('checkpoint');
    await expect(exportTo(out, at)).rejects.toMatchObject({
      code: 'conflict',
      hint: expect.stringContaining('empty directory'),
    });
    expect((await contentsOf(out)).get('checkpoint')).toEqual(before);
  });
});
