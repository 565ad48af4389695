import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { auditFiles } from '../../functions/cli/audit-files.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-audit-files-'));
});
afterEach(() => rm(directory, { recursive: true }));

test('a file that somebody names is read whole up to a megabyte; what never ends is refused at once', async () => {
  const file = join(directory, 'proof');
  await writeFile(file, 'x'.repeat(1_048_576));
  expect(await auditFiles.bytes(file)).toHaveLength(1_048_576);
  await writeFile(file, 'x'.repeat(1_048_577));
  for (const path of [file, '/dev/zero'])
    await expect(auditFiles.bytes(path)).rejects.toMatchObject({
      code: 'invalid',
      message: `${path} is longer than a megabyte`,
    });
  await writeFile(file, '');
  expect(await auditFiles.bytes(file)).toHaveLength(0);
});

test('a file that is not there, and one that is to be made where no folder is, are not-found', async () => {
  await expect(auditFiles.bytes(join(directory, 'none'))).rejects.toMatchObject({ code: 'not-found' });
  await expect(auditFiles.create(join(directory, 'none', 'p'), new Uint8Array(1))).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining('no folder'),
  });
  await expect(auditFiles.bytes(directory)).rejects.toMatchObject({ code: 'invalid' });
});
