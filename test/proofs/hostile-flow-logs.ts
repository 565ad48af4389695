import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { atLeast, atMost, inform, type Figure } from '../bench/figure.ts';
import type { Round } from './hostile/round.ts';
import { worstKinds, type Worst } from './hostile/worst.ts';

const script = join(import.meta.dirname, 'hostile/run.ts');
const limits = { ms: 2_000, rssMb: 200 };
/** A measurement above its limit is taken again: other work on the machine only ever adds. */
const tries = 5;

/**
 * Random flow-log objects by a grammar of hostile ones beside good ones, collected as the product does, a thousand at a
 * time: every good row is counted, by object and in the facts, and nothing else happens. Then the worst kinds one by one,
 * with their time and memory.
 */
export async function hostileFlowLogs(objects = 100_000): Promise<Figure[]> {
  const rounds = await allRounds(Math.ceil(objects / 1_000));
  const sum = (of: (round: Round) => number) => rounds.reduce((total, round) => total + of(round), 0);
  const wrong = rounds.flatMap((round) => round.wrong);
  for (const line of wrong.slice(0, 20)) process.stderr.write(`hostile-flow-logs: ${line}\n`);
  const worst: Measured[] = [];
  for (const [n, kind] of worstKinds.entries()) worst.push(await measured(n, kind));
  return [
    atLeast(
      'hostile-flow-logs',
      sum((round) => round.objects),
      'objects',
      objects,
    ),
    atMost('hostile-flow-logs-wrong', wrong.length, 'things', 0),
    inform(
      'hostile-flow-logs-unreadable',
      sum((round) => round.unreadable),
      'objects',
    ),
    atLeast(
      'hostile-flow-logs-good-rows',
      sum(({ good }) => good.counted),
      'rows',
      sum(({ good }) => good.made),
    ),
    inform('hostile-flow-logs-mean', Math.round(sum(({ ms }) => ms * 100) / sum((round) => round.objects)) / 100, 'ms'),
    atMost('hostile-flow-logs-worst-ms', Math.round(Math.max(...worst.map(({ ms }) => ms))), 'ms', limits.ms),
    atMost('hostile-flow-logs-worst-mb', Math.round(Math.max(...worst.map(({ rssMb }) => rssMb))), 'MB', limits.rssMb),
  ];
}

/** Two processes at a time. */
async function allRounds(count: number): Promise<readonly Round[]> {
  const pieces = Array.from({ length: Math.ceil(count / 10) }, (_, n) => ({
    seed: n,
    rounds: Math.min(10, count - n * 10),
  }));
  const done: Round[] = [];
  const work = async () => {
    for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
      const { seed, rounds } = piece;
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- run.ts of this proof prints it
      done.push(...((await run(['rounds', String(seed), String(rounds)])) as readonly Round[]));
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
    } while (all.length < tries && (best().ms > limits.ms || best().rssMb > limits.rssMb));
    process.stderr.write(`hostile-flow-logs: ${name}: ${Math.round(best().ms)} ms, ${Math.round(best().rssMb)} MB\n`);
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
