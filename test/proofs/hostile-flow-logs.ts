import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { atLeast, atMost, inform, type Figure } from '../bench/figure.ts';
import type { Round } from './hostile/round.ts';
import { worstKinds, type Worst } from './hostile/worst.ts';

const script = join(import.meta.dirname, 'hostile/run.ts');
const limits = { seconds: 2, rssMb: 200 };
/** A measurement above its limit is taken again: other work on the machine only ever adds. */
const tries = 5;

/**
 * Random flow-log objects by a grammar of hostile ones beside good ones, collected as the product does, a thousand at a
 * time: every good row is counted, by object and in the facts, and nothing else happens. Then the worst kinds one by one,
 * with their time and memory.
 */
export async function hostileFlowLogs(objects = 100_000): Promise<Figure[]> {
  const { rounds, failed } = await allRounds(Math.ceil(objects / 1_000));
  const sum = (of: (round: Round) => number) => rounds.reduce((total, round) => total + of(round), 0);
  const [read, good] = [sum((round) => round.objects), sum((round) => round.good.made)];
  const wrong = rounds.flatMap((round) => round.wrong);
  for (const line of [...failed, ...wrong].slice(0, 20)) process.stderr.write(`attacks-flow-logs: ${line}\n`);
  const worst: Measured[] = [];
  for (const [n, kind] of worstKinds.entries()) worst.push(await measured(n, kind));
  const seconds = Math.max(...worst.map(({ ms }) => ms)) / 1_000;
  const megabytes = Math.max(...worst.map(({ rssMb }) => rssMb));
  return [
    atLeast('attacks-flow-logs', read, 'objects', objects),
    atMost('attacks-flow-logs-wrong', wrong.length, 'things', 0),
    atMost('attacks-flow-logs-failed', failed.length, 'runs', 0),
    atLeast(
      'attacks-flow-logs-good',
      sum((round) => round.good.counted),
      'rows',
      good,
    ),
    inform(
      'attacks-flow-logs-unreadable',
      sum((round) => round.unreadable),
      'objects',
    ),
    inform('attacks-flow-logs-mean', sum((round) => round.ms) / Math.max(read, 1), 'ms'),
    atMost('attacks-flow-logs-worst', seconds, 's', limits.seconds),
    atMost('attacks-flow-logs-memory', megabytes, 'MB', limits.rssMb),
  ];
}

interface Rounds {
  readonly rounds: Round[];
  /** How runs failed. */
  readonly failed: string[];
}

const roundsInRun = 5;

/** Two processes at a time. */
async function allRounds(count: number): Promise<Rounds> {
  const pieces = Array.from({ length: Math.ceil(count / roundsInRun) }, (_, seed) => ({
    seed,
    rounds: Math.min(roundsInRun, count - seed * roundsInRun),
  }));
  const done: Rounds = { rounds: [], failed: [] };
  const work = async () => {
    for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
      try {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- run.ts of this proof prints it
        done.rounds.push(...((await run(['rounds', String(piece.seed), String(piece.rounds)])) as readonly Round[]));
      } catch (thrown) {
        done.failed.push(`the run ${piece.seed}: ${String(thrown).slice(0, 600)}`);
      }
    }
  };
  await Promise.all([work(), work()]);
  return done;
}

interface Measured {
  readonly ms: number;
  readonly rssMb: number;
}

async function measured(n: number, { name }: Worst): Promise<Measured> {
  const directory = await mkdtemp(join(tmpdir(), 'hostile-worst-'));
  try {
    await run(['write', String(n), directory]);
    const all: Measured[] = [];
    const best = () => ({
      ms: Math.min(...all.map(({ ms }) => ms)),
      rssMb: Math.min(...all.map(({ rssMb }) => rssMb)),
    });
    do {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- run.ts of this proof prints it
      all.push((await run(['worst', String(n), directory])) as Measured);
    } while (all.length < tries && (best().ms > limits.seconds * 1_000 || best().rssMb > limits.rssMb));
    process.stderr.write(`attacks-flow-logs: ${name}: ${Math.round(best().ms)} ms, ${Math.round(best().rssMb)} MB\n`);
    return best();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function run(words: readonly string[]): Promise<unknown> {
  const options = { timeout: 1_200_000, maxBuffer: 1 << 28 };
  const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', script, ...words], options);
  return stdout === '' ? undefined : JSON.parse(stdout);
}
