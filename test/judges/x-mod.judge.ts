import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeBase64 } from '../../shared/audit/tlog/base64.ts';
import { formatProof, inclusionProof, subtreeReader } from '../../shared/audit/tlog/proof.ts';
import { tilePath } from '../../shared/audit/tlog/tile.ts';
import { withFlippedByte } from './flip.ts';
import {
  logVkey,
  namedKey,
  origin,
  rootOf,
  signedCheckpoint,
  vectorEntries,
  vectorRoots,
  writePlainLog,
} from './plain-log.ts';
import { xModDirectory, xModProof } from './x-mod.ts';
import { changedExports, changedNotes, changedProofs, signedSpellings } from './x-mod-agreement.ts';

const size = 70_000;
let directory: string;
let log: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-x-mod-'));
  log = join(directory, 'log');
  await writePlainLog(log, vectorEntries(size));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

const write = async (name: string, content: string | Uint8Array) => {
  await writeFile(join(directory, name), content);
  return join(directory, name);
};

describe('golang.org/x/mod', () => {
  test('accepts the log, and its roots are those that were published', async () => {
    expect(await xModDirectory(log, logVkey)).toEqual({ isAccepted: true, said: `ok size=${size}` });
    for (const [count, root] of Object.entries(vectorRoots))
      expect(encodeBase64(rootOf(vectorEntries(Number(count))))).toBe(root);
  });

  test('accepts older checkpoints as beginnings, and refuses one of another log', async () => {
    const older = await Promise.all(
      [0, 1, 255, 256, 257].map(async (count) =>
        write(`checkpoint-${count}`, signedCheckpoint(count, rootOf(vectorEntries(count)))),
      ),
    );
    expect(await xModDirectory(log, logVkey, older)).toEqual({ isAccepted: true, said: `ok size=${size}` });
    const forked = await write('forked', signedCheckpoint(257, rootOf(vectorEntries(256))));
    expect((await xModDirectory(log, logVkey, [forked])).said).toContain('is not a beginning of this one');
    const longer = await write('longer', signedCheckpoint(size + 1, rootOf(vectorEntries(1))));
    expect((await xModDirectory(log, logVkey, [longer])).said).toContain('a log of 70000 entries had 70001 before');
  });

  test.each([
    ['an entry', 'tile/entries/100', 40, "entry 25600: its hash is not the leaf's"],
    ['the last entry', 'tile/entries/273.p/112', -1, "entry 69999: its hash is not the leaf's"],
    ['the length of an entry', 'tile/entries/000', 1, 'entry 0: '],
    ['a leaf hash', 'tile/0/100', 40, 'downloaded inconsistent tile'],
    ['a leaf hash at the right edge', 'tile/0/273.p/112', -1, 'downloaded inconsistent tile'],
    ['a hash one level up', 'tile/1/000', 40, 'downloaded inconsistent tile'],
    ['a hash one level up at the right edge', 'tile/1/001.p/17', 3, 'downloaded inconsistent tile'],
    ["the checkpoint's size", 'checkpoint', origin.length + 1, 'invalid signature'],
    ["the checkpoint's root", 'checkpoint', origin.length + 10, 'invalid signature'],
  ])('refuses one changed bit in %s', async (_, file, at, why) => {
    const verdict = await withFlippedByte(join(log, file), at, async () => xModDirectory(log, logVkey));
    expect(verdict).toEqual({ isAccepted: false, said: expect.stringContaining(why) });
  });

  test('refuses the log under another key', async () => {
    const text = await readFile(join(log, 'checkpoint'), 'utf8');
    const root = rootOf(vectorEntries(size));
    await writeFile(join(log, 'checkpoint'), signedCheckpoint(size, root, namedKey('somebody else')));
    expect((await xModDirectory(log, logVkey)).said).toContain('no verifiable signatures');
    await writeFile(join(log, 'checkpoint'), text);
  });

  test('accepts the proof of an entry, for that entry only', async () => {
    const index = 12_345;
    const read = subtreeReader(size, async (level, number, width) =>
      readFile(join(log, tilePath(level, number, width))),
    );
    const hashes = await inclusionProof(index, size, read);
    const checkpoint = await readFile(join(log, 'checkpoint'), 'utf8');
    const proof = (at: number) => formatProof({ index: at, hashes, checkpoint });
    const entry = await write('entry', vectorEntries(index + 1)[index] ?? '');
    expect(await xModProof(await write('proof', proof(index)), logVkey, entry)).toEqual({
      isAccepted: true,
      said: `ok size=${size}`,
    });
    expect((await xModProof(await write('proof', proof(index + 1)), logVkey, entry)).isAccepted).toBe(false);
    expect((await xModProof(await write('proof', proof(index)), logVkey, await write('entry', '{}'))).isAccepted).toBe(
      false,
    );
  });
});

describe('golang.org/x/mod and lockkeeper agree', () => {
  const place = async () => await mkdtemp(join(directory, 'agreed-'));

  test('on an export of which anything was changed at random', async () => {
    expect(await changedExports(await place(), { seed: 1, rounds: 60 })).toEqual([]);
  });

  test('on a proof, or the entry it is for, of which anything was changed at random', async () => {
    expect(await changedProofs(await place(), { seed: 1, rounds: 60 })).toEqual([]);
  });

  test('on a note with other lines and characters, but for what only lockkeeper refuses', async () => {
    expect(await changedNotes(await place(), { seed: 1, rounds: 100 })).toEqual([]);
  });

  test('on what a signed text must be to be a checkpoint, but for empty lines, which only lockkeeper refuses', async () => {
    const root = encodeBase64(rootOf([]));
    const good = [`${origin}\n0\n${root}\n`, `${origin}\n0\n${root}\nmore\n`];
    const bad = ['00', '+0', '-0', '0 ', ' 0', '0x0', '1e0', '', '9007199254740993', '99999999999999999999'].map(
      (one) => `${origin}\n${one}\n${root}\n`,
    );
    const roots = [
      '',
      `${root}=`,
      `${root} `,
      root.replace('=', ''),
      root.replace('U=', 'V='),
      root.replaceAll('+', '-'),
      root.slice(4),
    ].map((one) => `${origin}\n0\n${one}\n`);
    const origins = ['', ' ', `${origin}/`, ` ${origin}`, `${origin} `, 'example.com'].map(
      (one) => `${one}\n0\n${root}\n`,
    );
    const said = await signedSpellings(await place(), [...good, ...bad, ...roots, ...origins]);
    expect(Object.entries(said).filter(([, verdict]) => verdict !== 'neither')).toEqual(
      good.map((text) => [text, 'both']),
    );
    const loose = [`${origin}\n0\n${root}\n\n`, `${origin}\n0\n${root}\n\nmore\n`];
    expect(await signedSpellings(await place(), loose)).toEqual(
      Object.fromEntries(loose.map((text) => [text, 'x-mod'])),
    );
  });
});
