import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withFlippedByte } from './flip.ts';
import { fsckDirectory } from './fsck.ts';
import { logVkey, origin, vectorEntries, vectorRoots, writePlainLog } from './plain-log.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-fsck-log-'));
  await writePlainLog(directory, vectorEntries(70_000));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

describe('Tessera fsck', () => {
  test('accepts the log', async () => {
    expect(await fsckDirectory(directory, logVkey)).toEqual({
      isAccepted: true,
      said: expect.stringContaining(`log with size 70000 and root ${vectorRoots[70_000]}`),
    });
  });

  test.each([
    ['an entry', 'tile/entries/100', 40],
    ['the last entry', 'tile/entries/273.p/112', -1],
    ['a leaf hash', 'tile/0/100', 40],
    ['a hash one level up', 'tile/1/000', 40],
    ["the checkpoint's size", 'checkpoint', origin.length + 1],
    ["the checkpoint's signature", 'checkpoint', -10],
  ])('refuses one changed bit in %s', async (_, file, at) => {
    const verdict = await withFlippedByte(join(directory, file), at, async () => fsckDirectory(directory, logVkey));
    expect(verdict).toEqual({ isAccepted: false, said: expect.stringMatching(/fsck failed|panic/) });
  });
});
