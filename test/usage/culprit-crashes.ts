import { after, day } from '../../shared/base/time.ts';
import type { FlowLog, UsageBatch } from '../../shared/flow-logs/contract.ts';
import { MemoryBucket, memoryObjects } from '../../shared/objects/memory.ts';
import { collect } from '../../shared/usage/collect.ts';
import { readLedger } from '../../shared/usage/ledger.ts';
import { readEvidence } from '../../shared/usage/read-evidence.ts';
import { breaks, Faults } from '../broken-writes.ts';
import { testWorld } from '../world.ts';
import { hourlyLog, keyAt, remembering, start } from './made-log.ts';

/** The log, which fails on every batch with one of these objects in it. */
export function failing(log: FlowLog, keys: readonly string[], thrown: Error = new TypeError('unforeseen')): FlowLog {
  return {
    ...log,
    async usage(objects, within) {
      if (objects.some(({ key }) => keys.includes(key))) throw thrown;
      return log.usage(objects, within);
    },
  };
}

/**
 * Kills collecting at a write while the object that it fails on is looked for, then simply runs it again. `isChosen` says
 * which of the ways to die a write has are tried. Answers how many were, and what was not counted exactly once.
 */
export async function culpritCrashes(isChosen: (write: number, way: number) => boolean) {
  const usages = new Map<string, UsageBatch>();
  const ways = breaks.filter((one) => one.startsWith('killed'));
  const { writes } = await crashed(usages, new Map());
  const wrong: string[] = [];
  let tried = 0;
  for (let write = 0; write < writes; write += 1) {
    for (const [way, how] of ways.entries()) {
      if (!isChosen(write, way)) continue;
      tried += 1;
      const { records, damaged } = await crashed(usages, new Map([[write, how]]));
      if (records !== 4 || damaged !== 1) wrong.push(`write ${write} ${how}: ${records} rows, ${damaged} damaged`);
    }
  }
  return { tried, wrong };
}

async function crashed(usages: Map<string, UsageBatch>, broken: ConstructorParameters<typeof Faults>[0]) {
  const [faults, bucket] = [new Faults(broken), new MemoryBucket()];
  const world = () => testWorld(new Date(after(start, day)).toISOString());
  const state = faults.wrap(memoryObjects(bucket), 'state', ['create', 'replace', 'delete']);
  const flowLog = failing(remembering(hourlyLog(5).log, usages), [keyAt(3)]);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    faults.restart();
    await collect({ flowLog, state, world: world() }).catch(() => undefined);
  }
  const { damaged } = await readLedger(memoryObjects(bucket), 'made');
  const window = { from: start, to: after(start, 10 * day) };
  const { rows } = await readEvidence({ state: memoryObjects(bucket), logs: ['made'], window, world: world() });
  return {
    writes: faults.writes.length,
    records: rows.reduce((sum, { records }) => sum + records, 0),
    damaged: damaged.length,
  };
}
