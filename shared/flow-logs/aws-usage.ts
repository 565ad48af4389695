import { canonicalAddress } from './addresses.ts';
import { code, countsOfChunk, keepChunk, keepHours, oddAddresses, readChunk } from './aggregate.ts';
import { brokenGzip, claimedLength } from './content.ts';
import { literal, type Engine } from './engine.ts';
import { awsRows, awsSightings, findOwn, isTransitGateway, tellsDirection, type AwsShape } from './formats/aws-vpc.ts';

/**
 * One file of a shape. `meanLine`: bytes of a line, by its beginning; undefined where the file is known to be whole.
 */
export interface ShapedFile {
  readonly path: string;
  readonly meanLine: number | undefined;
}

/** What became of one file. */
export interface FileCount {
  records: number;
  malformed: number;
  unreadable: string | undefined;
}

export interface ShapeReading {
  readonly counts: ReadonlyMap<string, FileCount>;
  /** Files that DuckDB cannot take at all (line ends of two kinds, a damaged page); TypeScript may. */
  readonly unfit: readonly string[];
}

/**
 * Reads files of one shape into the groups, each once. A file that turns out to be broken contributes nothing: DuckDB
 * takes a cut-off gzip stream for a short file and checks no checksum, so every file that looks odd is unpacked once
 * more by zlib, and if that fails the others are read again without it.
 */
export async function readShape(engine: Engine, shape: AwsShape, files: readonly ShapedFile[]): Promise<ShapeReading> {
  const counts = new Map<string, FileCount>();
  const unfit: string[] = [];
  let sound = files;
  while (sound.length > 0) {
    const read = await readOnce(engine, shape, sound);
    if (read.broken.size === 0 && read.unfit.length === 0) {
      for (const [path, count] of read.counts) counts.set(path, count);
      break;
    }
    for (const [path, unreadable] of read.broken) counts.set(path, { records: 0, malformed: 0, unreadable });
    unfit.push(...read.unfit);
    sound = sound.filter(({ path }) => !read.broken.has(path) && !read.unfit.includes(path));
  }
  return { counts, unfit };
}

interface Reading extends ShapeReading {
  readonly broken: ReadonlyMap<string, string>;
}

async function readOnce(engine: Engine, shape: AwsShape, files: readonly ShapedFile[]): Promise<Reading> {
  await engine.run('DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans');
  const paths = files.map(({ path }) => path);
  try {
    if (isByAddress(shape)) await learnOwn(engine, awsRows(shape, paths));
    await engine.run(readChunk(relationOf(shape, paths), { isRaw: true, hasTwice: isByAddress(shape) }));
    const counts = await countFiles(engine, shape, paths);
    const broken = await brokenAmong(shape, files, counts);
    if (broken.size === 0) await keep(engine, shape, paths);
    return { counts, broken, unfit: [] };
  } catch (thrown) {
    return { counts: new Map(), broken: new Map(), unfit: await culprits(engine, shape, { paths, thrown }) };
  }
}

function relationOf(shape: AwsShape, paths: readonly string[]): string {
  const rows = awsRows(shape, paths);
  if (isTransitGateway(shape))
    return awsSightings(`SELECT * REPLACE ('NODATA' AS status, NULL AS e) FROM (${rows})`, 'told');
  return awsSightings(rows, isByAddress(shape) ? 'by-address' : 'told');
}

function isByAddress(shape: AwsShape): boolean {
  return !tellsDirection(shape) && !isTransitGateway(shape);
}

/** Forgets what other files said about interfaces, so that the same files always give the same rows. */
async function learnOwn(engine: Engine, rows: string): Promise<void> {
  await engine.run('DELETE FROM own WHERE found');
  await engine.run(findOwn(`SELECT * FROM (${rows}) WHERE coalesce(status, 'OK') = 'OK' AND direction IS NULL`));
}

async function countFiles(engine: Engine, shape: AwsShape, paths: readonly string[]): Promise<Map<string, FileCount>> {
  const counts = new Map(
    paths.map((path) => [path, { records: 0, malformed: 0, unreadable: undefined }] as [string, FileCount]),
  );
  const add = (path: string | undefined, kind: 'records' | 'malformed', n: number) => {
    const count = counts.get(path ?? '');
    if (count) count[kind] += n;
  };
  for (const [file, kind, n] of await engine.rows(countsOfChunk)) {
    add(paths[Number(file)], Number(kind) === code.malformed ? 'malformed' : 'records', Number(n));
  }
  for (const [path, n] of await rejected(engine, shape)) add(String(path), 'malformed', Number(n));
  for (const [file, n] of await withoutAddress(engine, shape, paths)) {
    add(paths[Number(file)], 'malformed', Number(n));
    add(paths[Number(file)], 'records', -Number(n));
  }
  return counts;
}

/**
 * Lines that DuckDB could not fit to the columns. A header in the middle, of objects that were joined, is no bad row.
 */
async function rejected(engine: Engine, { columns, encoding }: AwsShape) {
  if (encoding === 'parquet') return [];
  const header = literal(columns.join(' '));
  return engine.rows(`
SELECT file_path, count(DISTINCT line) FROM reject_errors JOIN reject_scans USING (scan_id, file_id)
WHERE csv_line IS NULL OR trim(csv_line, chr(13) || chr(10)) <> ${header} GROUP BY file_path`);
}

/** Spells the chunk's addresses in one way; gives the rows whose address is none, by file. */
async function withoutAddress(engine: Engine, shape: AwsShape, paths: readonly string[]) {
  const odd = (await engine.rows(oddAddresses)).map(([address]) => String(address));
  const spelled = odd.map((from) => [literal(from), canonicalAddress(from)] as const);
  const values = spelled.map(([from, to]) => `(${from}, ${to === undefined ? 'NULL' : literal(to)})`);
  if (values.length > 0) await engine.run(`INSERT INTO spelled VALUES ${values.join(', ')}`);
  const none = `(SELECT address FROM spelled WHERE canonical IS NULL)`;
  const [found] = await engine.rows(`SELECT count(*) FROM chunk WHERE src IN ${none} OR dst IN ${none}`);
  if (Number(found?.[0]) === 0) return [];
  return engine.rows(`
SELECT file, count(*) FROM (${relationOf(shape, paths)})
WHERE (src IN ${none} OR dst IN ${none}) AND k < ${code.malformed}${isByAddress(shape) ? ' AND counted' : ''} GROUP BY file`);
}

async function brokenAmong(shape: AwsShape, files: readonly ShapedFile[], counts: ReadonlyMap<string, FileCount>) {
  const broken = new Map<string, string>();
  if (shape.encoding !== 'gzip') return broken;
  for (const { path, meanLine } of files) {
    const count = counts.get(path);
    if (meanLine === undefined || !count || !(await looksOdd(path, count, meanLine))) continue;
    const why = await brokenGzip(path);
    if (why !== undefined) broken.set(path, why);
  }
  return broken;
}

/** A bad row, or a length far from what the file itself claims: a cut-off stream's last bytes claim anything. */
async function looksOdd(path: string, { records, malformed }: FileCount, meanLine: number): Promise<boolean> {
  if (malformed > 0) return true;
  const expected = (records + 1) * meanLine;
  return Math.abs((await claimedLength(path)) - expected) > 0.25 * expected;
}

/** Single rows may lack a direction where the others have one: those are read once more, by address. */
async function keep(engine: Engine, shape: AwsShape, paths: readonly string[]): Promise<void> {
  const kind = { isRaw: true, hasTwice: isByAddress(shape) };
  await engine.run(keepChunk(kind));
  await engine.run(keepHours);
  const [unclear] = await engine.rows(`SELECT count(*) FROM chunk WHERE file IS NOT NULL AND key = ${code.unclear}`);
  if (Number(unclear?.[0]) === 0) return;
  const rows = awsRows(shape, paths);
  await learnOwn(engine, rows);
  const unsided = `SELECT * FROM (${rows}) WHERE direction IS NULL AND coalesce(status, 'OK') = 'OK'`;
  await engine.run(readChunk(awsSightings(unsided, 'by-address'), { isRaw: true, hasTwice: true }));
  await engine.run(keepChunk(kind));
}

/** Which files make DuckDB fail; each is tried alone. Where none does, the failure is not about a file. */
async function culprits(
  engine: Engine,
  shape: AwsShape,
  { paths, thrown }: { paths: readonly string[]; thrown: unknown },
): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    try {
      if (isByAddress(shape)) await learnOwn(engine, awsRows(shape, [path]));
      await engine.run(readChunk(relationOf(shape, [path]), { isRaw: true, hasTwice: isByAddress(shape) }));
    } catch (cause) {
      if (!isAboutInput(cause)) throw cause;
      found.push(path);
    }
  }
  if (found.length === 0) throw thrown;
  return found;
}

/** DuckDB's errors have no codes, only words. */
function isAboutInput(cause: unknown): boolean {
  return /\b(Invalid Input|IO|Conversion|Binder|Serialization|Invalid) Error\b/.test(String(cause));
}

/** True for a defect of DuckDB itself, after which nothing runs on that engine any more. */
export function isEngineBroken(cause: unknown): boolean {
  return /\b(FATAL|INTERNAL) Error\b|has been invalidated/.test(String(cause));
}
