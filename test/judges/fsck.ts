import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installed } from './installed.ts';
import { runToEnd, type Verdict } from './verdict.ts';

/**
 * Tessera's own check of a tlog-tiles directory: it derives every tile and the root from the bundles. Its exit code is
 * 0 whatever it found, and with its one worker of default it waits for ever on a bad tile; so many workers, and its
 * words count.
 */
export async function fsckDirectory(directory: string, vkey: string): Promise<Verdict> {
  const program = await installed('fsck');
  const place = await mkdtemp(join(tmpdir(), 'lockkeeper-fsck-'));
  try {
    const key = join(place, 'log.vkey');
    await writeFile(key, vkey);
    const { said } = await runToEnd(program, [
      `--storage_url=file://${directory}/`,
      `--public_key=${key}`,
      '--ui=false',
      '--N=64',
    ]);
    return { isAccepted: said.includes("Successfully fsck'd"), said };
  } finally {
    await rm(place, { recursive: true });
  }
}
