import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { z } from 'zod';
import { verify } from '../../shared/audit/verify.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import { allEntries } from './place.ts';

// Starting a process takes seconds on a busy machine.
jest.setTimeout(90_000);

let directory = '';
const running = new Set<ChildProcess>();
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-audit-'));
});
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
  await rm(directory, { recursive: true, force: true });
});

const lineSchema = z.object({ index: z.number().optional(), hash: z.string().optional() });
const stores = () => ({ log: fileSystemObjects({ directory: join(directory, 'log') }), state: fileSystemObjects({ directory: join(directory, 'state') }) });

/** A process that appends `count` events once it is let go; `acknowledged` comes when it has ended. */
function writer(run: string, count: number) {
  const child = spawn(process.execPath, ['--no-warnings', join(import.meta.dirname, 'child.ts'), directory, run, String(count)], { stdio: ['pipe', 'pipe', 'inherit'] });
  running.add(child);
  let told = '';
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      told += chunk.toString();
      resolve();
    });
  });
  const lines = () => told.split('\n').filter((line) => line.endsWith('}'));
  /** Comes when this many appends were acknowledged, or the process is gone. */
  const acknowledges = (wanted: number) =>
    new Promise<void>((resolve) => {
      const look = () => void (lines().length >= wanted && resolve());
      child.stdout.on('data', look);
      child.on('close', () => resolve());
      look();
    });
  const acknowledged = new Promise<readonly z.infer<typeof lineSchema>[]>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => {
      running.delete(child);
      resolve(lines().map((line) => lineSchema.parse(JSON.parse(line))).filter(({ index }) => index !== undefined));
    });
  });
  return { child, ready, acknowledges, acknowledged };
}

test('five processes that append at once write one log, every acknowledged entry in it', async () => {
  const writers = Array.from({ length: 5 }, (_, i) => writer(`run-${i}`, 20));
  await Promise.all(writers.map(({ ready }) => ready));
  for (const { child } of writers) child.stdin.write('go');
  const acknowledged = (await Promise.all(writers.map((each) => each.acknowledged))).flat();
  expect(acknowledged).toHaveLength(100);
  expect(await verify(stores())).toEqual({ entries: 100, ok: true, findings: [], covered: 100 });
  const hashes = new Map((await allEntries(stores().log)).map(({ index, hash }) => [index, hash]));
  for (const { index, hash } of acknowledged) expect(hashes.get(index ?? -1)).toBe(hash);
});

test('processes killed while they append lose nothing that was acknowledged, and the next one goes on', async () => {
  const acknowledged: z.infer<typeof lineSchema>[] = [];
  for (let round = 0; round < 5; round += 1) {
    const pair = [writer(`a${round}`, 1_000), writer(`b${round}`, 1_000)];
    await Promise.all(pair.map(({ ready }) => ready));
    for (const { child } of pair) child.stdin.write('go');
    await Promise.race(pair.map((each) => each.acknowledges(2 + round)));
    await wait(round * 3);
    for (const { child } of pair) child.kill('SIGKILL');
    acknowledged.push(...(await Promise.all(pair.map((each) => each.acknowledged))).flat());
    expect((await verify(stores())).findings).toEqual([]);
  }
  const last = writer('last', 1);
  await last.ready;
  last.child.stdin.write('go');
  await last.acknowledged;
  const report = await verify(stores());
  expect(report).toMatchObject({ ok: true, covered: report.entries });
  const hashes = new Map((await allEntries(stores().log)).map(({ index, hash }) => [index, hash]));
  expect(acknowledged.length).toBeGreaterThan(5);
  for (const { index, hash } of acknowledged) expect(hashes.get(index ?? -1)).toBe(hash);
});
