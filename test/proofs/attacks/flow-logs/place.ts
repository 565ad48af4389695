import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { after, day, instant } from '../../../../shared/base/time.ts';
import { filesFlowLog } from '../../../../shared/flow-logs/files.ts';
import { memoryObjects } from '../../../../shared/objects/memory.ts';
import { collect } from '../../../../shared/usage/collect.ts';
import { readLedger } from '../../../../shared/usage/ledger.ts';
import { readEvidence } from '../../../../shared/usage/read-evidence.ts';
import { testWorld, type TestWorld } from '../../../world.ts';
import { awsLine, awsValues, headers, midnight } from '../../hostile/good.ts';
import { Choice } from '../../hostile/seeded.ts';
import { AttackSucceeded, mustHold } from '../attack.ts';

/** One hostile object, and what must come of it. */
export interface Poison {
  readonly name: string;
  readonly key: string;
  /** Lays it down below a directory. */
  readonly lay: (directory: string) => Promise<void>;
  /** `named`: the object as a whole; `counted`: its bad rows; `read`: there is nothing wrong with it but its name. */
  readonly comes: 'named' | 'counted' | 'read';
}

/** A flow log with good objects on two days, for hostile ones to be laid beside them. */
export interface FlowLogPlace {
  readonly directory: string;
  /** Collects twice, and holds the product to what must come of each object; every good row is counted. */
  mustBeRead(poisons: readonly Poison[]): Promise<void>;
  /** Days later the good objects are forgotten one by one, and new ones are read. */
  mustSettle(): Promise<void>;
  end(): Promise<void>;
}

const goodObjects = 12;
const longestMs = 8_000;
/** By the clock, whatever else the machine does. */
const everMs = 60_000;

/** Makes such a place. */
export async function flowLogPlace(): Promise<FlowLogPlace> {
  const directory = await mkdtemp(join(tmpdir(), 'attacked-flow-log-'));
  for (let n = 0; n < goodObjects; n += 1) await layGood(directory, n);
  const state = memoryObjects();
  const interfaces = [{ id: 'good', addresses: ['10.0.0.5'] }];
  const flowLog = filesFlowLog({ name: 'attacked', cloud: 'aws', directory, interfaces });
  const world = testWorld(new Date(after(midnight, 2 * day)).toISOString());
  const run = () => inTime(collect({ flowLog, state, world }));
  return {
    directory,
    async mustBeRead(poisons) {
      const began = process.cpuUsage();
      const report = await run();
      const { user, system } = process.cpuUsage(began);
      const ms = (user + system) / 1_000;
      mustHold(ms < longestMs + poisons.length * 200, `collecting took ${Math.round(ms)} ms of a processor`);
      const { damaged } = await readLedger(state, 'attacked');
      for (const { name, key, comes } of poisons) {
        const found = damaged.find((one) => one.key === key);
        const came = found === undefined ? 'read' : found.unreadable === undefined ? 'counted' : 'named';
        mustHold(came === comes, `${name}: ${came}, not ${comes}: ${JSON.stringify(found)}`);
      }
      mustHold(report.objects === goodObjects + poisons.length, `${report.objects} objects were read`);
      mustHold((await run()).objects === 0, 'objects are read again by every run');
      await mustCount(state, world, goodObjects);
    },
    async mustSettle() {
      world.pass(9 * day);
      // Objects are settled when something was read; what was settled must not hide what comes then.
      for (const days of [8, 9]) {
        await layGood(directory, goodObjects + days, days);
        const { objects } = await run();
        mustHold(objects === 1, `${objects} new objects were read days later, not 1`);
      }
      const { recent } = await readLedger(state, 'attacked');
      const kept = recent.filter(([key]) => key.startsWith('AWSLogs/1/vpcflowlogs/r/2026/09/01/'));
      mustHold(kept.length === 0, `${kept.length} old objects are listed and remembered for ever`);
      await mustCount(state, world, goodObjects + 2);
    },
    end: () => rm(directory, { recursive: true, force: true }),
  };
}

/** An object on which collecting fails, or never ends, has reached what it was made for. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = sleep(everMs, undefined, { signal: timer.signal }).then(
    () => mustHold(false, `collecting did not end in ${everMs / 1_000} s`),
    () => undefined,
  );
  try {
    await Promise.race([work, late]);
    return await work;
  } catch (thrown) {
    throw thrown instanceof AttackSucceeded ? thrown : new AttackSucceeded(`collecting fails: ${String(thrown)}`);
  } finally {
    timer.abort();
  }
}

async function layGood(directory: string, n: number, days = 0): Promise<void> {
  const at = new Date(midnight + days * day + n * 300_000).toISOString();
  const [date, time] = [at.slice(0, 10), at.slice(11, 16).replace(':', '')];
  const key = `AWSLogs/1/vpcflowlogs/r/${date.replaceAll('-', '/')}/1_vpcflowlogs_r_fl-1_${date.replaceAll('-', '')}T${time}Z_${n}.log.gz`;
  const start = (midnight + days * day) / 1_000 + 60;
  const line = awsLine(headers[0], { ...awsValues(new Choice(n), 'good'), start, end: start + 30 });
  await mkdir(dirname(join(directory, key)), { recursive: true });
  await writeFile(join(directory, key), gzipSync(`${headers[0]}\n${line}\n`));
}

/** One row an object, and no fact of a day that nothing was on. */
async function mustCount(state: ReturnType<typeof memoryObjects>, world: TestWorld, expected: number): Promise<void> {
  const window = { from: midnight, to: world.now() };
  const { rows } = await readEvidence({ state, logs: ['attacked'], window, world });
  const good = rows.filter((row) => row.interface === 'good').reduce((sum, { records }) => sum + records, 0);
  mustHold(good === expected, `${good} good rows were counted, not ${expected}`);
  const all = await readEvidence({ state, logs: ['attacked'], window: { ...window, to: instant(9e15) }, world });
  const odd = all.rows.flatMap(({ days }) => days).find((one) => !one.startsWith('2026-09'));
  mustHold(odd === undefined, `a fact is of ${odd}`);
}
