import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { after, day } from '../../../shared/base/time.ts';
import type { FlowLog } from '../../../shared/flow-logs/contract.ts';
import { literal, withEngine } from '../../../shared/flow-logs/engine.ts';
import { filesFlowLog } from '../../../shared/flow-logs/files.ts';
import type { FlowFormat } from '../../../shared/flow-logs/rows.ts';
import { memoryObjects } from '../../../shared/objects/memory.ts';
import { collect } from '../../../shared/usage/collect.ts';
import { readBatch, readLedger, type BatchRecord } from '../../../shared/usage/ledger.ts';
import { readEvidence } from '../../../shared/usage/read-evidence.ts';
import { testWorld } from '../../world.ts';
import { badEncodings } from './bad-bytes.ts';
import { badTexts } from './bad-texts.ts';
import { awsLine, awsValues, goodObject, goodPlace, headers, midnight } from './good.ts';
import { badKey, goodKey } from './names.ts';
import { Choice } from './seeded.ts';

/** What one round came to. */
export interface Round {
  readonly objects: number;
  /** Good rows beside the hostile objects, and how many of them were counted: by object, and in the facts. */
  readonly good: { readonly made: number; readonly counted: number; readonly inFacts: number };
  readonly unreadable: number;
  readonly ms: number;
  /** What went wrong; empty: nothing. */
  readonly wrong: readonly string[];
}

export interface RoundOptions {
  readonly seed: number;
  readonly format: FlowFormat;
  readonly objects: number;
  /** A sound Parquet object to be spoiled. */
  readonly parquet: Buffer;
}

/** One in so many objects is good. */
const goodEvery = 4;

/** Lays down random hostile objects and good ones, collects them as the product does, and counts for itself. */
export async function hostileRound(options: RoundOptions): Promise<Round> {
  const directory = await mkdtemp(join(tmpdir(), 'hostile-flow-logs-'));
  try {
    const laid = await lay(directory, options);
    const interfaces = Array.from({ length: 20 }, (_, n) => ({ id: `${goodPlace}-${n}`, addresses: ['10.0.0.5'] }));
    const flowLog = filesFlowLog({ name: 'hostile', cloud: options.format, directory, interfaces });
    return await counted(flowLog, laid);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface Laid {
  /** Good rows by key. */
  readonly rows: ReadonlyMap<string, number>;
  /** Good rows of hostile objects, where they are known. */
  readonly partly: ReadonlyMap<string, number>;
}

async function lay(directory: string, { seed, format, objects, parquet }: RoundOptions): Promise<Laid> {
  const choice = new Choice(seed);
  const [rows, partly] = [new Map<string, number>(), new Map<string, number>()];
  await layOddities(directory);
  for (let n = 0; n < objects; n += 1) {
    const isGood = n % goodEvery === 0;
    const key = isGood ? goodKey(format, n) : badKey(format, choice, n);
    await mkdir(dirname(join(directory, key)), { recursive: true });
    if (isGood) {
      const { bytes, rows: count } = goodObject(format, choice);
      const name = bytes[0] === 0x1f ? key : key.replace(/\.gz$/, '');
      rows.set(name, count);
      await writeFile(join(directory, name), bytes);
      continue;
    }
    const { text, good } = choice.of(badTexts[format])(choice);
    const at = choice.once(2) ? choice.below(2) : choice.below(badEncodings.length);
    const encoded = badEncodings[at]?.(Buffer.from(text), choice, parquet) ?? Buffer.from(text);
    if (good !== undefined && at < 2 && (at === 1 || !key.endsWith('.gz'))) partly.set(join(key), good);
    await writeFile(join(directory, key), encoded);
  }
  return { rows, partly };
}

/** What has the name of an object and is none. */
async function layOddities(directory: string): Promise<void> {
  await mkdir(join(directory, 'folder.log.gz'));
  await symlink('/etc/passwd', join(directory, 'passwd.log'));
  await symlink('/dev/zero', join(directory, 'zero.log.gz'));
  await symlink('nowhere', join(directory, 'nowhere.json'));
  execFileSync('mkfifo', [join(directory, 'fifo.log')]);
  await writeFile(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff, 0xfe]), Buffer.from('.log')]), 'x');
}

const world = () => testWorld(new Date(after(midnight, 2 * day)).toISOString());

async function counted(flowLog: FlowLog, { rows, partly }: Laid): Promise<Round> {
  const [state, wrong, clock] = [memoryObjects(), [] as string[], world()];
  const began = performance.now();
  const report = await collect({ flowLog, state, world: clock });
  const ms = performance.now() - began;
  if (report.left > 0 || report.young > 0) wrong.push(`${report.left} left, ${report.young} young`);
  const again = await collect({ flowLog, state, world: clock });
  if (again.objects > 0) wrong.push(`${again.objects} objects are read again`);
  const ledger = await readLedger(state, 'hostile');
  const records = await Promise.all(ledger.batches.map((id) => readBatch(state, 'hostile', id)));
  const reports = new Map(records.flatMap((record) => record?.objects ?? []).map((one) => [one.key, one]));
  const sum = checkReports(reports, { rows, partly }, wrong);
  const window = { from: midnight, to: after(midnight, day) };
  const evidence = await readEvidence({ state, logs: ['hostile'], window, world: clock });
  const days = new Set(evidence.rows.flatMap((row) => row.days));
  for (const one of days) if (one < '2010' || one > '2026-09-04') wrong.push(`a fact is of ${one}`);
  const inFacts = evidence.rows
    .filter((row) => row.interface.toLowerCase().startsWith(goodPlace))
    .reduce((total, row) => total + row.records, 0);
  return { objects: report.objects, ms, wrong, unreadable: report.unreadable, good: { ...sum, inFacts } };
}

type Reports = ReadonlyMap<string, BatchRecord['objects'][number]>;

function checkReports(reports: Reports, { rows, partly }: Laid, wrong: string[]) {
  let [made, got] = [0, 0];
  for (const [key, count] of rows) {
    const found = reports.get(key);
    made += count;
    got += found?.records ?? 0;
    if (found?.records !== count || found.malformed > 0 || found.unreadable !== undefined)
      wrong.push(`good ${JSON.stringify(key)}: ${count} rows, but ${JSON.stringify(found)}`);
  }
  for (const [key, count] of partly) {
    const found = reports.get(key);
    if (found?.records !== count)
      wrong.push(`${JSON.stringify(key)}: ${count} good rows, but ${JSON.stringify(found)}`);
  }
  for (const key of ['passwd.log', 'zero.log.gz', 'nowhere.json', 'fifo.log', '\ufffd\ufffd.log'])
    if (reports.get(key)?.unreadable === undefined) wrong.push(`${key} is not named`);
  return { made, counted: got };
}

/** A sound Parquet object of AWS rows. */
export async function soundParquet(rows = 50): Promise<Buffer> {
  const choice = new Choice(7);
  const header = headers[1];
  const text = [header, ...Array.from({ length: rows }, () => awsLine(header, awsValues(choice, 'bad'))), ''].join(
    '\n',
  );
  return withEngine({ threads: 1 }, async (engine) => {
    const [from, to] = [join(engine.scratch, 'a.log.gz'), join(engine.scratch, 'a.parquet')];
    await writeFile(from, gzipSync(text));
    const columns = header.split(' ').map((name) => `"${name}" AS "${name.replaceAll('-', '_')}"`);
    await engine.run(
      `COPY (SELECT ${columns.join(', ')} FROM read_csv(${literal(from)}, delim = ' ', header = true, nullstr = '-')) TO ${literal(to)} (FORMAT parquet, COMPRESSION gzip)`,
    );
    const { readFile } = await import('node:fs/promises');
    return readFile(to);
  });
}
