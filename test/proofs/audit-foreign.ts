import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeBase64 } from '../../shared/audit/tlog/base64.ts';
import { atLeast, type Figure } from '../bench/figure.ts';
import { logVkey, origin, rootOf, vectorEntries, vectorRoots } from '../judges/plain-log.ts';
import { judgeByFsck, judgeByLitewitness, judgeByOcsf, judgeByXMod, type Logs, type Note } from './foreign-judges.ts';
import { exportedLogs } from './foreign-logs.ts';

/** Of the vectors that others published. */
const vectorSizes = [1, 255, 256, 257, 70_000];

/** Of the log that lockkeeper writes: the same edges, but that it never has one entry alone. */
const sizes = [2, 255, 256, 257, 70_000];

const judges: Readonly<Record<string, (logs: Logs, note: Note) => Promise<void>>> = {
  vectors: judgeByVectors,
  'x-mod': judgeByXMod,
  fsck: judgeByFsck,
  litewitness: judgeByLitewitness,
  ocsf: judgeByOcsf,
};

/**
 * A log that lockkeeper wrote, judged at sizes around the edges of its tiles by verifiers that this project did not
 * write; and the same log with one bit changed, which each has to refuse. The first figure is how many judgements came
 * out as they must, of all.
 */
export async function auditForeign(): Promise<Figure[]> {
  const place = await mkdtemp(join(tmpdir(), 'lockkeeper-foreign-'));
  try {
    const logs = await logsIn(place);
    const figures: Figure[] = [];
    for (const [name, judge] of Object.entries(judges))
      figures.push(await figureOf(name, async (note) => judge(logs, note)));
    const [right, made] = [
      figures.reduce((sum, { value }) => sum + value, 0),
      figures.reduce((sum, { limit }) => sum + (limit ?? 0), 0),
    ];
    return [atLeast('audit-foreign', right, 'judgements', made), ...figures];
  } finally {
    await rm(place, { recursive: true });
  }
}

async function logsIn(place: string): Promise<Logs> {
  const all = await exportedLogs(place, sizes);
  const largest = all.at(-1);
  if (!largest) throw new Error('there is no log');
  return { all, largest, origin, vkey: logVkey };
}

async function figureOf(name: string, judge: (note: Note) => Promise<void>): Promise<Figure> {
  let [right, made] = [0, 0];
  await judge((what, isRight, said) => {
    made += 1;
    if (isRight) right += 1;
    else process.stderr.write(`WRONG ${what}: ${said.slice(0, 500)}\n`);
  });
  // A judge that was asked nothing has proved nothing.
  return atLeast(`audit-foreign-${name}`, right, 'judgements', Math.max(made, 1));
}

/** Roots that others computed over the same entries. */
async function judgeByVectors(_: Logs, note: Note): Promise<void> {
  for (const size of vectorSizes) {
    const root = encodeBase64(rootOf(vectorEntries(size)));
    note(`the published root of ${size} entries`, root === vectorRoots[size], root);
  }
}
