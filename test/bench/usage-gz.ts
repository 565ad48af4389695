import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { availableParallelism } from 'node:os';
import { LockkeeperError } from '../../shared/base/error.ts';
import { atMost, inform, type Figure } from './figure.ts';
import { writeTraffic } from './usage-gz-data.ts';

const size = { files: 32, records: 250_000 };
const runs = 3;
const here = import.meta.dirname;

/**
 * Facts from 8 million AWS version-5 records in gzip text, against bare DuckDB reading the same files with the same
 * threads and grouping by what a fact is keyed by; and, to inform, against the leanest grouping that can be typed. Each run
 * in a process of its own, in turns; medians. The traffic is made once and kept.
 */
export async function usageGz(): Promise<Figure[]> {
  const directory = join(here, '../../.lockkeeper/bench/usage-gz');
  await writeTraffic(directory, size);
  const bare: Measured[] = [];
  const lean: Measured[] = [];
  const ours: Measured[] = [];
  for (let run = 0; run < runs; run += 1) {
    bare.push(await measure('bare', directory));
    lean.push(await measure('lean', directory));
    ours.push(await measure('usage', directory));
  }
  const expected = size.files * size.records;
  for (const { records } of [...bare, ...lean, ...ours]) {
    if (records !== expected) throw new LockkeeperError('bug', `a run read ${records} records of ${expected}`);
  }
  const time = median(ours, 'seconds');
  return [
    atMost('usage-gz', round(time / median(bare, 'seconds')), 'x', 1.3),
    atMost('usage-gz-rss-mb', round(Math.max(...ours.map(({ rssMb }) => rssMb))), 'MB', 600),
    inform('usage-gz-against-lean', round(time / median(lean, 'seconds')), 'x'),
    inform('usage-gz-cpu-ratio', round(median(ours, 'cpu') / median(bare, 'cpu')), 'x'),
    inform('usage-gz-rate', Math.round(expected / time), 'records/s'),
    inform('usage-gz-bare-rate', Math.round(expected / median(bare, 'seconds')), 'records/s'),
  ];
}

interface Measured {
  readonly seconds: number;
  readonly records: number;
  readonly cpu: number;
  readonly rssMb: number;
}

async function measure(what: 'bare' | 'lean' | 'usage', directory: string): Promise<Measured> {
  const script = join(here, 'usage-gz-run.ts');
  const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', script, what, directory, String(availableParallelism())], { timeout: 600_000 });
  const value: unknown = JSON.parse(stdout);
  if (isMeasured(value)) return value;
  throw new LockkeeperError('bug', `${script} printed ${stdout}`);
}

function isMeasured(value: unknown): value is Measured {
  return typeof value === 'object' && value !== null && ['seconds', 'records', 'cpu', 'rssMb'].every((name) => typeof Reflect.get(value, name) === 'number');
}

function median(runsOf: readonly Measured[], what: keyof Measured): number {
  const values = runsOf.map((run) => run[what]).toSorted((a, b) => a - b);
  return values[Math.floor(values.length / 2)] ?? NaN;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
