import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import { isErrno } from '../../shared/objects/file-errors.ts';
import { objectStoreSuite } from '../conformance/object-store.ts';

objectStoreSuite(
  'file-system',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-objects-'));
    return {
      one: fileSystemObjects({ directory }),
      two: fileSystemObjects({ directory }),
      observe: async (key) => {
        try {
          return Uint8Array.from(await readFile(join(directory, key)));
        } catch (thrown) {
          if (isErrno(thrown, 'ENOENT')) return undefined;
          throw thrown;
        }
      },
      close: async () => await rm(directory, { recursive: true }),
    };
  },
  { folders: true },
);
