import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { publishedKey } from '../../shared/audit/layout.ts';
import { parseCheckpoint } from '../../shared/audit/tlog/checkpoint.ts';
import { parseNote } from '../../shared/audit/tlog/note.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { longLog } from '../audit/long-log.ts';
import { stored } from '../audit/place.ts';
import { atMost, inform, type Figure } from './figure.ts';
import { inTurns, rounded } from './turns.ts';
import { writeLog } from './audit-log-data.ts';

const sizes = { small: 100_000, large: 1_000_000 };
const turns = { least: 3, most: 6 };
const limitSeconds = 10;

/**
 * How long it takes to verify a plain tlog-tiles directory of a million entries, against SHA-256 over the same files
 * and nothing else; how much memory, against a tenth of it. Each measurement in a process of its own, in turns; the
 * best of each. The logs are made each time, by the code that encodes real entries, and removed: they take a gigabyte.
 */
export async function auditVerify(): Promise<Figure[]> {
  const place = await mkdtemp(join(tmpdir(), 'lockkeeper-bench-'));
  const [small, large] = [join(place, 'small'), join(place, 'large')];
  try {
    await writeLog(small, sizes.small);
    await writeLog(large, sizes.large);
    const all = await inTurns(
      turns,
      async () => ({
        bare: await measure('hash', large),
        verified: await measure('tiles', large, sizes.large),
        less: await measure('tiles', small, sizes.small),
      }),
      (soFar) => least(soFar, 'verified', 'seconds') <= limitSeconds,
    );
    return [...figures(all), ...(await liveFigures(join(place, 'live')))];
  } finally {
    await rm(place, { recursive: true });
  }
}

type Turn = Readonly<Record<'bare' | 'verified' | 'less', Measured>>;

function figures(all: readonly Turn[]): Figure[] {
  const seconds = least(all, 'verified', 'seconds');
  const [most, mostOfLess] = [
    Math.max(...all.map(({ verified }) => verified.rssMb)),
    Math.max(...all.map(({ less }) => less.rssMb)),
  ];
  return [
    atMost('audit-verify', rounded(seconds), 's', limitSeconds),
    inform('audit-verify-rate', Math.round(sizes.large / seconds), 'entries/s'),
    inform('audit-verify-cpu', rounded(least(all, 'verified', 'cpu')), 's'),
    inform('audit-verify-against-hashing', rounded(seconds / least(all, 'bare', 'seconds')), 'x'),
    atMost('audit-verify-rss-mb', rounded(most), 'MB', 400),
    atMost('audit-verify-rss-against-a-tenth', rounded(most / mostOfLess), 'x', 1.5),
  ];
}

/** The same of a log as it lies in its two stores, thousands of small objects: sequence, inbox, checkpoints and all. */
async function liveFigures(directory: string): Promise<Figure[]> {
  const at = await longLog({ turns: 80, isWitnessed: false });
  for (const [name, { objects }] of [
    ['log', at.bucket],
    ['state', at.heads],
  ] as const) {
    for (const [key, { bytes }] of objects) {
      await mkdir(dirname(join(directory, name, key)), { recursive: true });
      await writeFile(join(directory, name, key), bytes);
    }
  }
  const entries = parseCheckpoint(parseNote(stored(at.heads, publishedKey)).text).size;
  const { seconds } = await measure('log', directory, entries);
  return [
    inform('audit-verify-store', rounded(seconds), 's'),
    inform('audit-verify-store-entries', entries, 'entries'),
    inform('audit-verify-store-objects', at.bucket.objects.size, 'objects'),
  ];
}

interface Measured {
  readonly seconds: number;
  readonly entries: number;
  readonly isRight: boolean;
  readonly cpu: number;
  readonly rssMb: number;
}

async function measure(what: 'hash' | 'tiles' | 'log', directory: string, entries = 0): Promise<Measured> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--no-warnings', join(import.meta.dirname, 'audit-verify-run.ts'), what, directory],
    { timeout: 120_000 },
  );
  const value: unknown = JSON.parse(stdout);
  if (isMeasured(value) && value.entries === entries && value.isRight) return value;
  throw new LockkeeperError('bug', `to ${what} ${entries} entries came to ${stdout}`);
}

function isMeasured(value: unknown): value is Measured {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['seconds', 'entries', 'cpu', 'rssMb'].every((name) => typeof Reflect.get(value, name) === 'number')
  );
}

function least(all: readonly Turn[], whose: keyof Turn, what: 'seconds' | 'cpu'): number {
  return Math.min(...all.map((turn) => turn[whose][what]));
}
