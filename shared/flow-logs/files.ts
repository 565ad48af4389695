import { join } from 'node:path';
import { asLockkeeperError } from '../base/error.ts';
import { hour } from '../base/time.ts';
import { createGroups } from './aggregate.ts';
import { sortFiles } from './aws-shapes.ts';
import { isEngineBroken, readShape } from './aws-usage.ts';
import { systemCode } from './content.ts';
import { logObjects } from './directory.ts';
import { literal, withEngine, type Engine, type EngineLimits } from './engine.ts';
import { createOwn } from './formats/aws-vpc.ts';
import { parsedIntake, type ParsedIntake } from './parsed-usage.ts';
import { rowsOf, type FlowFormat } from './rows.ts';
import { tablesOf } from './tables.ts';
import type { FlowLog, LogObject, ObjectReport, UsageBatch } from './contract.ts';
import type { KnownInterface } from './own-addresses.ts';

/** Flow logs as objects of a cloud's own layout below a directory. */
export interface FilesOptions {
  readonly name: string;
  readonly cloud: FlowFormat;
  readonly directory: string;
  /** Whose address is whose; needed only where AWS rows do not say which way they went. */
  readonly interfaces?: readonly KnownInterface[];
  readonly limits?: EngineLimits;
  /** Peers of one day, port and kind that are kept apart; default 64. */
  readonly peerCap?: number;
  /** Default by cloud: AWS 1 h, GCP 4 h, Azure 1 h. */
  readonly settleMs?: number;
}

const settle: Readonly<Record<FlowFormat, number>> = { aws: hour, gcp: 4 * hour, azure: hour };

/**
 * A flow log whose objects are files: a bucket that was copied, a snapshot, what the gate writes. A file's version is
 * its size and time of change. AWS: text, gzip, Parquet of any column order, CloudWatch exports; GCP: log entries or
 * bare payloads, a line each or laid out over lines; Azure: VNet flow logs v4 and NSG flow logs v1 and v2.
 */
export function filesFlowLog(options: FilesOptions): FlowLog {
  const { name, cloud, directory } = options;
  return {
    describe: () => ({ name, cloud, sampled: cloud === 'gcp', settleMs: options.settleMs ?? settle[cloud] }),
    objects: (after) => logObjects(directory, cloud, after),
    records: (object) => rowsOf(join(directory, object.key), cloud),
    usage: (objects) => usage(options, objects),
  };
}

/** Where DuckDB breaks on what it reads, TypeScript reads it: slower, and nothing is lost. */
async function usage(options: FilesOptions, objects: readonly LogObject[]): Promise<UsageBatch> {
  const limits = options.limits ?? {};
  try {
    return await withEngine(limits, (engine) =>
      read(engine, options, { objects, reader: options.cloud === 'aws' ? readAws : readParsed }),
    );
  } catch (cause) {
    if (!isEngineBroken(cause)) throw cause;
    return withEngine(limits, (engine) => read(engine, options, { objects, reader: readParsed }));
  }
}

type Reader = (engine: Engine, options: FilesOptions, paths: readonly string[]) => Promise<Reports>;

async function read(
  engine: Engine,
  options: FilesOptions,
  { objects, reader }: { objects: readonly LogObject[]; reader: Reader },
): Promise<UsageBatch> {
  for (const statement of [...createGroups, createOwn]) await engine.run(statement);
  await knowInventory(engine, options.interfaces ?? []);
  const paths = objects.map(({ key }) => join(options.directory, key));
  const reports = await reader(engine, options, paths);
  const tables = await tablesOf(engine, options.peerCap);
  const none = { records: 0, malformed: 0, unreadable: undefined };
  return {
    ...tables,
    objects: objects.map(({ key, version }, index) => ({ key, version, ...(reports.get(paths[index] ?? '') ?? none) })),
  };
}

type Reports = Map<string, Pick<ObjectReport, 'records' | 'malformed' | 'unreadable'>>;

async function readAws(engine: Engine, options: FilesOptions, paths: readonly string[]): Promise<Reports> {
  const sorted = await sortFiles(engine, paths);
  const reports: Reports = new Map();
  const others = [...sorted.json];
  for (const [path, unreadable] of sorted.unreadable) reports.set(path, { records: 0, malformed: 0, unreadable });
  for (const { shape, files } of sorted.shaped) {
    const { counts, unfit } = await readShape(engine, shape, files);
    for (const [path, count] of counts) reports.set(path, count);
    others.push(...unfit);
  }
  for (const [path, report] of await readParsed(engine, options, others)) reports.set(path, report);
  return reports;
}

async function readParsed(
  engine: Engine,
  { cloud, interfaces }: FilesOptions,
  paths: readonly string[],
): Promise<Reports> {
  const reports: Reports = new Map();
  if (paths.length === 0) return reports;
  const intake = await parsedIntake(engine, interfaces);
  for (const path of paths) reports.set(path, await readOne(intake, path, cloud));
  await intake.flush();
  return reports;
}

async function readOne(intake: ParsedIntake, path: string, cloud: FlowFormat) {
  try {
    const { records, malformed, why } = await intake.add(rowsOf(path, cloud));
    const unreadable =
      records === 0 && malformed > 0 ? `none of ${malformed} rows can be read, the first: ${why}` : undefined;
    return { records, malformed, unreadable };
  } catch (thrown) {
    const error = asLockkeeperError(thrown);
    // A file that cannot be opened is unreadable; anything else that nobody foresaw is not about the file.
    if (error.code !== 'invalid' && systemCode(error.cause) === undefined) throw thrown;
    return { records: 0, malformed: 0, unreadable: error.message };
  }
}

async function knowInventory(engine: Engine, interfaces: readonly KnownInterface[]): Promise<void> {
  for (const { id, addresses } of interfaces) {
    for (const v6 of [false, true]) {
      const family = addresses.filter((address) => address.includes(':') === v6).map(literal);
      if (family.length > 0)
        await engine.run(`INSERT INTO own VALUES (${literal(id)}, ${v6}, [${family.join(', ')}], false)`);
    }
  }
}
