import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { after, day } from '../../../shared/base/time.ts';
import { filesFlowLog } from '../../../shared/flow-logs/files.ts';
import { memoryObjects } from '../../../shared/objects/memory.ts';
import { collect } from '../../../shared/usage/collect.ts';
import { testWorld } from '../../world.ts';
import { midnight } from './good.ts';
import { hostileRound, soundParquet, type Round } from './round.ts';
import { worstKinds } from './worst.ts';

// One piece of the proof in a process of its own, so that its memory is its own. Prints one JSON line.
//   rounds SEED COUNT     COUNT rounds of a thousand objects
//   write N DIRECTORY     lays the Nth worst kind down
//   worst N DIRECTORY     collects it, with the memory that took above the idle process
const [what = '', first = '', second = ''] = process.argv.slice(2);
const formats = ['aws', 'gcp', 'aws', 'azure'] as const;

if (what === 'rounds') await rounds(Number(first), Number(second));
else if (what === 'write') await worstKinds[Number(first)]?.write(join(second, worstKinds[Number(first)]?.key ?? ''));
else await worst(Number(first), second);

async function rounds(seed: number, count: number): Promise<void> {
  const parquet = await soundParquet();
  const all: Round[] = [];
  for (let n = 0; n < count; n += 1) {
    const format = formats[(seed + n) % formats.length] ?? 'aws';
    all.push(await hostileRound({ seed: seed * 1_000 + n, format, objects: 995, parquet }));
  }
  process.stdout.write(`${JSON.stringify(all)}\n`);
}

async function worst(n: number, directory: string): Promise<void> {
  const format = worstKinds[n]?.format ?? 'aws';
  const flowLog = filesFlowLog({ name: 'worst', cloud: format, directory });
  const world = testWorld(new Date(after(midnight, 2 * day)).toISOString());
  await idle(format);
  const before = peak();
  const [began, used] = [performance.now(), process.cpuUsage()];
  const report = await collect({ flowLog, state: memoryObjects(), world });
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(used);
  const cpuMs = (user + system) / 1_000;
  // Both are more than what it takes on a machine that does nothing else: it never waits for anything.
  process.stdout.write(
    `${JSON.stringify({ ms: Math.min(ms, cpuMs), rssMb: peak() - before, unreadable: report.unreadable, objects: report.objects })}\n`,
  );
}

/** Everything is loaded and was used once. */
async function idle(format: (typeof formats)[number]): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'hostile-idle-'));
  await filesFlowLog({ name: 'idle', cloud: format, directory }).usage([]);
  await rm(directory, { recursive: true });
  spawnSync('true');
}

function peak(): number {
  return process.resourceUsage().maxRSS / 1_024;
}
