import { auditLog } from '../../../../shared/audit/log.ts';
import { place as auditPlace } from '../../../audit/place.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { minute, parseInstant } from '../../../../shared/base/time.ts';
import type { FlowLog } from '../../../../shared/flow-logs/contract.ts';
import { memoryFlowLog } from '../../../../shared/flow-logs/memory.ts';
import { memoryObjects } from '../../../../shared/objects/memory.ts';
import { collect } from '../../../../shared/usage/collect.ts';
import { collectAll } from '../../../../functions/local/jobs.ts';
import type { LocalDeps } from '../../../../functions/local/deps-wire.ts';
import { LastRuns } from '../../../../functions/local/last-runs.ts';
import { startSchedule } from '../../../../functions/local/schedule.ts';
import { serveLog } from '../../../../functions/local/serve-log.ts';
import { testWorld } from '../../../world.ts';
import { culpritCrashes } from '../../../usage/culprit-crashes.ts';
import { hourlyLog } from '../../../usage/made-log.ts';
import { mustHold } from '../attack.ts';

/** A log that fails on one object, one that fails altogether, and a job that hangs: all others do their work. */
export async function jobsDoNotWait(): Promise<string> {
  await oneObject();
  await oneLog();
  await oneJob();
  const { tried, wrong } = await culpritCrashes(() => true);
  mustHold(wrong.length === 0, `killed while it looks for the object that fails: ${wrong[0]}`);
  return `a log that fails and a job that hangs held up no other; ${tried} kills while the cause was looked for lost nothing`;
}

/** A defect that one object sets off, wherever it is in the batch. */
async function oneObject(): Promise<void> {
  const { log, objects } = hourlyLog(9);
  const poisoned = [...objects.keys()][5];
  const usage: FlowLog['usage'] = (wanted, within) => {
    if (wanted.some(({ key }) => key === poisoned)) throw new TypeError('nobody foresaw this');
    return log.usage(wanted, within);
  };
  const [state, world] = [memoryObjects(), testWorld('2026-09-03T00:00:00Z')];
  const report = await collect({ flowLog: { ...log, usage }, state, world }).catch((thrown: unknown) => thrown);
  const isRead = typeof report === 'object' && report !== null && 'records' in report && report.records === 8;
  mustHold(isRead, `an object that sets off a defect stops all: ${String(report)}`);
  const again = await collect({ flowLog: { ...log, usage }, state, world });
  mustHold(again.objects === 0, 'it is read again by every run');
}

async function oneLog(): Promise<void> {
  const { log } = hourlyLog(3, 'good');
  const bad: FlowLog = {
    ...memoryFlowLog({ name: 'bad', cloud: 'aws' }, new Map()),
    // oxlint-disable-next-line require-yield -- it fails before there is anything to yield
    async *objects() {
      throw new RangeError('nobody foresaw this');
    },
  };
  const state = memoryObjects();
  const deps: Pick<LocalDeps, 'stores' | 'audit' | 'flowLogs' | 'world'> = {
    world: testWorld('2026-09-03T00:00:00Z'),
    stores: async () => ({ state, log: memoryObjects() }),
    audit: async () => auditLog({ ...auditPlace(), world: testWorld('2026-09-03T00:00:00Z'), run: 'run' }),
    flowLogs: async () => new Map([['net', [bad, log]]]),
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- collecting needs nothing else
  const { done } = await collectAll(deps as LocalDeps).catch(() => ({ done: [] }));
  mustHold(done[0]?.report.records === 3, 'a log that cannot be listed keeps the others from being read');
}

async function oneJob(): Promise<void> {
  const world = testWorld('2026-10-01T00:30:00Z');
  const lastRuns = new LastRuns(memoryObjects());
  for (const name of ['collect', 'seal']) await lastRuns.write(name, parseInstant('2026-09-01T00:00:00Z'));
  const sealed = { isDone: false };
  const schedule = await startSchedule({
    world,
    lastRuns,
    log: serveLog(world, () => undefined),
    limitMs: 50,
    jobs: [
      { name: 'collect', pattern: '0 * * * *', run: () => new Promise(() => undefined) },
      { name: 'seal', pattern: '0 * * * *', run: async () => void (sealed.isDone = true) },
    ],
  });
  for (let waited = 0; waited < minute / 1_000 && !sealed.isDone; waited += 1) await sleep(50);
  mustHold(sealed.isDone, 'a job that hangs keeps the log from being sealed');
  await schedule.stop();
}
