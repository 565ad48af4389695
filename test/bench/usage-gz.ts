import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { availableParallelism } from 'node:os';
import { LockkeeperError } from '../../shared/base/error.ts';
import { atMost, inform, type Figure } from './figure.ts';
import { inTurns, rounded } from './turns.ts';
import { writeTraffic } from './usage-gz-data.ts';

const size = { files: 32, records: 250_000 };
const turns = { least: 3, most: 6 };
const limit = 1.3;
const here = import.meta.dirname;

/**
 * Facts from 8 million AWS version-5 records in gzip text, against bare DuckDB reading the same files with the same
 * threads and grouping by what a fact is keyed by; and, to inform, against the leanest grouping that can be typed. Each
 * run in a process of its own, in turns; the best of each. The traffic is made once and kept.
 */
export async function usageGz(): Promise<Figure[]> {
  const directory = join(here, '../../.lockkeeper/bench/usage-gz');
  await writeTraffic(directory, size);
  const all = await inTurns(
    turns,
    async () => ({
      bare: await measure('bare', directory),
      lean: await measure('lean', directory),
      ours: await measure('usage', directory),
    }),
    (soFar) => least(soFar, 'ours', 'seconds') / least(soFar, 'bare', 'seconds') <= limit,
  );
  const expected = size.files * size.records;
  for (const { records } of all.flatMap(({ bare, lean, ours }) => [bare, lean, ours])) {
    if (records !== expected) throw new LockkeeperError('bug', `a run read ${records} records of ${expected}`);
  }
  const [time, bareTime] = [least(all, 'ours', 'seconds'), least(all, 'bare', 'seconds')];
  return [
    atMost('usage-gz', rounded(time / bareTime), 'x', limit),
    atMost('usage-gz-rss-mb', rounded(Math.max(...all.map(({ ours }) => ours.rssMb))), 'MB', 600),
    inform('usage-gz-against-lean', rounded(time / least(all, 'lean', 'seconds')), 'x'),
    inform('usage-gz-cpu-ratio', rounded(least(all, 'ours', 'cpu') / least(all, 'bare', 'cpu')), 'x'),
    inform('usage-gz-rate', Math.round(expected / time), 'records/s'),
    inform('usage-gz-bare-rate', Math.round(expected / bareTime), 'records/s'),
  ];
}

type Turn = Readonly<Record<'bare' | 'lean' | 'ours', Measured>>;

interface Measured {
  readonly seconds: number;
  readonly records: number;
  readonly cpu: number;
  readonly rssMb: number;
}

async function measure(what: 'bare' | 'lean' | 'usage', directory: string): Promise<Measured> {
  const script = join(here, 'usage-gz-run.ts');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--no-warnings', script, what, directory, String(availableParallelism())],
    { timeout: 600_000 },
  );
  const value: unknown = JSON.parse(stdout);
  if (isMeasured(value)) return value;
  throw new LockkeeperError('bug', `${script} printed ${stdout}`);
}

function isMeasured(value: unknown): value is Measured {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['seconds', 'records', 'cpu', 'rssMb'].every((name) => typeof Reflect.get(value, name) === 'number')
  );
}

function least(all: readonly Turn[], whose: keyof Turn, what: keyof Measured): number {
  return Math.min(...all.map((turn) => turn[whose][what]));
}
