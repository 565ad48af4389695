import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atMost, inform, type Figure } from './figure.ts';
import { median } from './turns.ts';

const rounds = 31;
const command = fileURLToPath(new URL('../../functions/cli/lockkeeper.js', import.meta.url));

/**
 * How much longer `lockkeeper --help` takes than a script with nothing in it; medians of alternating runs of one Node.
 */
export async function cliHelp(): Promise<readonly Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-bench-'));
  const empty = join(directory, 'empty.mjs');
  await writeFile(empty, '');
  const emptyMs: number[] = [];
  const helpMs: number[] = [];
  try {
    time(command, '--help');
    for (let round = 0; round < rounds; round += 1) {
      emptyMs.push(time(empty));
      helpMs.push(time(command, '--help'));
    }
  } finally {
    await rm(directory, { recursive: true });
  }
  return [
    atMost('cli-help', median(helpMs) / median(emptyMs), 'ratio', 1.6),
    inform('cli-help-time', median(helpMs), 'ms'),
    inform('cli-help-empty-script', median(emptyMs), 'ms'),
  ];
}

function time(...words: readonly string[]): number {
  const began = performance.now();
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8', timeout: 30_000 });
  const ms = performance.now() - began;
  if (status !== 0) throw new Error(`node ${words.join(' ')} ended with ${status}: ${stderr}`);
  return ms;
}
