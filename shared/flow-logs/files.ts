import { join } from 'node:path';
import { hour } from '../base/time.ts';
import { createGroups } from './aggregate.ts';
import { sortFiles, unreadableBy, type Unreadable } from './aws-shapes.ts';
import { isEngineBroken, readShape } from './aws-usage.ts';
import { logObjects } from './directory.ts';
import { literal, withEngine, type Engine, type EngineLimits } from './engine.ts';
import { createOwn } from './formats/aws-vpc.ts';
import { parsedIntake, type ParsedIntake } from './parsed-usage.ts';
import { rowsOf, type FlowFormat } from './rows.ts';
import { tablesOf } from './tables.ts';
import { anyTime, type FlowLog, type LogObject, type ObjectReport, type UsageBatch, type Within } from './contract.ts';
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
    usage: (objects, within = anyTime) => usage(options, objects, within),
  };
}

/** Where DuckDB breaks on what it reads, TypeScript reads it: slower, and nothing is lost. */
async function usage(options: FilesOptions, objects: readonly LogObject[], within: Within): Promise<UsageBatch> {
  const limits = options.limits ?? {};
  const asked = { objects, within };
  try {
    return await withEngine(limits, (engine) =>
      read(engine, options, { ...asked, reader: options.cloud === 'aws' ? readAws : readParsed }),
    );
  } catch (cause) {
    if (!isEngineBroken(cause)) throw cause;
    return withEngine(limits, (engine) => read(engine, options, { ...asked, reader: readParsed }));
  }
}

interface Files {
  readonly options: FilesOptions;
  readonly paths: readonly string[];
  readonly within: Within;
}

type Reader = (engine: Engine, files: Files) => Promise<Reports>;

async function read(
  engine: Engine,
  options: FilesOptions,
  { objects, within, reader }: { objects: readonly LogObject[]; within: Within; reader: Reader },
): Promise<UsageBatch> {
  for (const statement of [...createGroups, createOwn]) await engine.run(statement);
  await knowInventory(engine, options.interfaces ?? []);
  const pathOf = ({ key }: LogObject) => join(options.directory, key);
  const files = objects.filter(({ unreadable }) => unreadable === undefined);
  const reports = await reader(engine, { options, paths: files.map(pathOf), within });
  const tables = await tablesOf(engine, options.peerCap);
  const none = { records: 0, malformed: 0, unreadable: undefined };
  return {
    ...tables,
    objects: objects.map((object) => {
      const { key, version, unreadable } = object;
      return {
        key,
        version,
        ...(unreadable === undefined ? (reports.get(pathOf(object)) ?? none) : { ...none, unreadable }),
      };
    }),
  };
}

type Report = Pick<ObjectReport, 'records' | 'malformed' | 'unreadable' | 'again'>;
type Reports = Map<string, Report>;

async function readAws(engine: Engine, { options, paths, within }: Files): Promise<Reports> {
  const sorted = await sortFiles(engine, paths);
  const reports: Reports = new Map();
  const others = [...sorted.json];
  for (const [path, unreadable] of sorted.unreadable) reports.set(path, reportOf(unreadable));
  for (const { shape, files } of sorted.shaped) {
    const { counts, unfit } = await readShape(engine, { shape, files, within });
    for (const [path, count] of counts) reports.set(path, count);
    others.push(...unfit);
  }
  for (const [path, report] of await readParsed(engine, { options, paths: others, within })) reports.set(path, report);
  return reports;
}

function reportOf({ why, again }: Unreadable): Report {
  return { records: 0, malformed: 0, unreadable: why, ...(again ? { again } : {}) };
}

async function readParsed(engine: Engine, { options, paths, within }: Files): Promise<Reports> {
  const reports: Reports = new Map();
  if (paths.length === 0) return reports;
  const intake = await parsedIntake(engine, options.interfaces);
  for (const path of paths) reports.set(path, await readOne(intake, path, { cloud: options.cloud, within }));
  await intake.flush();
  return reports;
}

async function readOne(
  intake: ParsedIntake,
  path: string,
  { cloud, within }: { readonly cloud: FlowFormat; readonly within: Within },
): Promise<Report> {
  try {
    const { records, malformed, why } = await intake.add(() => rowsOf(path, cloud, within));
    const unreadable =
      records === 0 && malformed > 0 ? `none of ${malformed} rows can be read, the first: ${why}` : undefined;
    return { records, malformed, unreadable };
  } catch (thrown) {
    return reportOf(unreadableBy(thrown));
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
