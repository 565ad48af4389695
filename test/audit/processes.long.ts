import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { z } from 'zod';
import { auditLog } from '../../shared/audit/log.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import { systemWorld } from '../../shared/base/world.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import { allEntries, event, identity } from './place.ts';

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

const lineSchema = z.object({ n: z.number().optional(), hash: z.string().optional() });
const stores = () => ({
  log: fileSystemObjects({ directory: join(directory, 'log') }),
  state: fileSystemObjects({ directory: join(directory, 'state') }),
});

/** A process that appends `count` events once it is let go; `acknowledged` comes when it has ended. */
function writer(run: string, count: number) {
  const child = spawn(
    process.execPath,
    ['--no-warnings', join(import.meta.dirname, 'child.ts'), directory, run, String(count)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
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
      resolve(
        lines()
          .map((line) => lineSchema.parse(JSON.parse(line)))
          .filter(({ n }) => n !== undefined),
      );
    });
  });
  return { child, ready, acknowledges, acknowledged };
}

test('four processes that record and seal at once write one log, every acknowledged entry in it', async () => {
  const writers = Array.from({ length: 4 }, (_, i) => writer(`run-${i}`, 20));
  await Promise.all(writers.map(({ ready }) => ready));
  for (const { child } of writers) child.stdin.write('go');
  const acknowledged = (await Promise.all(writers.map((each) => each.acknowledged))).flat();
  expect(acknowledged).toHaveLength(80);
  await sealOnceMore();
  expect(await verifyLog(stores())).toMatchObject({
    entries: 4 * 22 + 3,
    size: 4 * 22 + 3,
    ok: true,
    findings: [],
    waiting: { batches: 0 },
    runs: { began: 5, open: 0 },
  });
  await expectAll(acknowledged);
});

test('processes killed while they record and seal lose nothing that was acknowledged, and the next one goes on', async () => {
  const acknowledged: z.infer<typeof lineSchema>[] = [];
  for (let round = 0; round < 3; round += 1) {
    const pair = [writer(`a${round}`, 1_000), writer(`b${round}`, 1_000)];
    await Promise.all(pair.map(({ ready }) => ready));
    for (const { child } of pair) child.stdin.write('go');
    await Promise.race(pair.map((each) => each.acknowledges(2 + 5 * round)));
    await wait(round * 3);
    for (const { child } of pair) child.kill('SIGKILL');
    acknowledged.push(...(await Promise.all(pair.map((each) => each.acknowledged))).flat());
  }
  await sealOnceMore();
  const report = await verifyLog(stores());
  expect(report).toMatchObject({ ok: true, findings: [], waiting: { batches: 0 } });
  expect(acknowledged.length).toBeGreaterThan(5);
  await expectAll(acknowledged);
});

/** The run after all others: it finishes what they left. */
async function sealOnceMore(): Promise<void> {
  const last = auditLog({ ...stores(), ...identity, world: systemWorld(), run: 'last' });
  await last.record(event(0));
  await last.end();
}

async function expectAll(acknowledged: readonly z.infer<typeof lineSchema>[]): Promise<void> {
  const hashes = new Set((await allEntries(stores())).map(({ hash }) => hash));
  expect(acknowledged.filter(({ hash }) => !hashes.has(hash ?? ''))).toEqual([]);
}
