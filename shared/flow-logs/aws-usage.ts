import { canonicalAddress } from './addresses.ts';
import { code, countsOfChunk, keepChunk, keepHours, oddAddresses, oddNames, readChunk } from './aggregate.ts';
import { claimedLength, openedFile } from './content.ts';
import { literal, type Engine } from './engine.ts';
import { awsRows, awsSightings, findOwn, isTransitGateway, tellsDirection, type AwsShape } from './formats/aws-vpc.ts';
import { parquetError } from './parquet.ts';
import { examine, type Examined } from './sample.ts';
import type { Within } from './contract.ts';

/** One file of a shape. */
export interface ShapedFile {
  readonly path: string;
  /** Its name in SQL. */
  readonly link: string;
  readonly size: number;
  /** Bytes of a line, by its beginning; 0 for Parquet. */
  readonly meanLine: number;
}

/** What became of one file. */
export interface FileCount {
  records: number;
  malformed: number;
  unreadable: string | undefined;
}

export interface ShapeReading {
  readonly counts: ReadonlyMap<string, FileCount>;
  /** Files that DuckDB cannot take at all (a bad line, line ends of two kinds); TypeScript can. */
  readonly unfit: readonly string[];
}

/**
 * Reads files of one shape into the groups, each once; a file that turns out to be broken contributes nothing.
 *
 * First all together, in the hope that every line fits: DuckDB stops at the first that does not, and is stopped where it
 * takes far longer than files of these sizes do. Then carefully: each file is looked through by itself, in bounded time
 * and memory, and whatever has a line that does not fit is left to TypeScript, which counts it. DuckDB takes a cut-off
 * gzip stream for a short file, checks no checksum, and says nothing of a line without end: so a file whose length does
 * not fit to its rows is looked through as well.
 */
export async function readShape(
  engine: Engine,
  { shape, files, within }: { shape: AwsShape; files: readonly ShapedFile[]; within: Within },
): Promise<ShapeReading> {
  const reading = new Reading(engine, shape, within);
  return (
    (await reading.atOnce(files)) ?? (shape.encoding === 'parquet' ? reading.oneByOne(files) : reading.carefully(files))
  );
}

class Reading {
  readonly #engine: Engine;
  readonly #shape: AwsShape;
  readonly #within: Within;
  readonly #isByAddress: boolean;
  readonly #examined = new Map<string, Examined>();

  constructor(engine: Engine, shape: AwsShape, within: Within) {
    this.#engine = engine;
    this.#shape = shape;
    this.#within = within;
    this.#isByAddress = !tellsDirection(shape) && !isTransitGateway(shape);
  }

  /** Undefined where a file needs a closer look; then nothing was kept. */
  async atOnce(files: readonly ShapedFile[]): Promise<ShapeReading | undefined> {
    try {
      const counts = await this.#inTime(files, () => this.#count(files, false));
      for (const file of files) if (await this.#isOdd(file, counts.get(file.path))) return undefined;
      await this.#keep(files, false);
      return { counts, unfit: [] };
    } catch (thrown) {
      if (isEngineBroken(thrown)) throw thrown;
      return undefined;
    }
  }

  async carefully(files: readonly ShapedFile[]): Promise<ShapeReading> {
    const done = new Map<string, FileCount>();
    const unfit: string[] = [];
    let fit: ShapedFile[] = [];
    for (const file of files) {
      const { broken, isPlain } = await this.#examine(file.path);
      if (broken !== undefined) done.set(file.path, { records: 0, malformed: 0, unreadable: broken });
      else if (isPlain) fit.push(file);
      else unfit.push(file.path);
    }
    for (let turns = 0; turns < 3 && fit.length > 0; turns += 1) {
      const counts = await this.#leniently(fit);
      const short = fit.filter(({ path }) => counts === undefined || !this.#isAll(path, counts.get(path)));
      if (counts !== undefined && short.length === 0) {
        await this.#keep(fit, true);
        return { counts: new Map([...done, ...counts]), unfit };
      }
      unfit.push(...short.map(({ path }) => path));
      fit = fit.filter((file) => !short.includes(file));
    }
    return { counts: done, unfit: [...unfit, ...fit.map(({ path }) => path)] };
  }

  /** Parquet: DuckDB's word about a file is all there is. */
  async oneByOne(files: readonly ShapedFile[]): Promise<ShapeReading> {
    const done = new Map<string, FileCount>();
    const fit: ShapedFile[] = [];
    for (const file of files) {
      try {
        const counts = await this.#inTime([file], () => this.#count([file], false));
        if (counts.size > 0) fit.push(file);
        else done.set(file.path, { records: 0, malformed: 0, unreadable: 'it has names that nothing has' });
      } catch (thrown) {
        if (isEngineBroken(thrown)) throw thrown;
        done.set(file.path, { records: 0, malformed: 0, unreadable: parquetError(file.path, thrown).message });
      }
    }
    const rest = fit.length === 0 ? { counts: new Map<string, FileCount>(), unfit: [] } : await this.atOnce(fit);
    if (rest) return { counts: new Map([...done, ...rest.counts]), unfit: rest.unfit };
    return { counts: done, unfit: fit.map(({ path }) => path) };
  }

  /** Undefined where DuckDB fails all the same. */
  async #leniently(files: readonly ShapedFile[]): Promise<Map<string, FileCount> | undefined> {
    try {
      return await this.#count(files, true);
    } catch (thrown) {
      if (isEngineBroken(thrown)) throw thrown;
      return undefined;
    }
  }

  async #examine(path: string): Promise<Examined> {
    const known = this.#examined.get(path) ?? (await examine(path, this.#shape.columns.join(' ')));
    this.#examined.set(path, known);
    return known;
  }

  #isAll(path: string, count: FileCount | undefined): boolean {
    return count !== undefined && count.records + count.malformed === this.#examined.get(path)?.lines;
  }

  /** Far more time than sound files take, whatever else the machine does: a limit for what unpacks a thousandfold. */
  async #inTime<T>(files: readonly ShapedFile[], work: () => Promise<T>): Promise<T> {
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    const limit = setTimeout(() => this.#engine.connection.interrupt(), 500 + files.length * 5 + bytes / 4_000);
    try {
      return await work();
    } finally {
      clearTimeout(limit);
    }
  }

  /** Reads the files into the chunk. Files with names that nothing has are not in the answer. */
  async #count(files: readonly ShapedFile[], lenient: boolean): Promise<Map<string, FileCount>> {
    const rows = this.#rows(files, lenient);
    if (this.#isByAddress) await this.#learnOwn(rows);
    await this.#engine.run(readChunk(this.#relation(rows), { isRaw: true, hasTwice: this.#isByAddress }));
    const counts = new Map(
      files.map(({ path }) => [path, { records: 0, malformed: 0, unreadable: undefined }] as [string, FileCount]),
    );
    const add = (file: unknown, kind: 'records' | 'malformed', n: number) => {
      const count = counts.get(files[Number(file)]?.path ?? '');
      if (count) count[kind] += n;
    };
    for (const [file, kind, n] of await this.#engine.rows(countsOfChunk))
      add(file, Number(kind) === code.malformed ? 'malformed' : 'records', Number(n));
    for (const [file, n] of await this.#withoutAddress(rows)) {
      add(file, 'malformed', Number(n));
      add(file, 'records', -Number(n));
    }
    for (const [file] of await this.#engine.rows(oddNames)) counts.delete(files[Number(file)]?.path ?? '');
    return counts;
  }

  #rows(files: readonly ShapedFile[], lenient: boolean): string {
    return awsRows(
      this.#shape,
      files.map(({ link }) => link),
      lenient,
    );
  }

  #relation(rows: string): string {
    if (isTransitGateway(this.#shape))
      return awsSightings(
        `SELECT * REPLACE ('NODATA' AS status, NULL AS s, NULL AS e) FROM (${rows})`,
        'told',
        this.#within,
      );
    return awsSightings(rows, this.#isByAddress ? 'by-address' : 'told', this.#within);
  }

  /** Forgets what other files said about interfaces, so that the same files always give the same rows. */
  async #learnOwn(rows: string): Promise<void> {
    await this.#engine.run('DELETE FROM own WHERE found');
    await this.#engine.run(
      findOwn(`SELECT * FROM (${rows}) WHERE coalesce(status, 'OK') = 'OK' AND direction IS NULL`),
    );
  }

  /** Spells the chunk's addresses in one way; gives the rows whose address is none, by file. */
  async #withoutAddress(rows: string) {
    const engine = this.#engine;
    const odd = (await engine.rows(oddAddresses)).map(([address]) => String(address));
    const spelled = odd.map((from) => [literal(from), canonicalAddress(from)] as const);
    const values = spelled.map(([from, to]) => `(${from}, ${to === undefined ? 'NULL' : literal(to)})`);
    if (values.length > 0) await engine.run(`INSERT INTO spelled VALUES ${values.join(', ')}`);
    const none = `(SELECT address FROM spelled WHERE canonical IS NULL)`;
    const [found] = await engine.rows(`SELECT count(*) FROM chunk WHERE src IN ${none} OR dst IN ${none}`);
    if (Number(found?.[0]) === 0) return [];
    return engine.rows(`
SELECT file, count(*) FROM (${this.#relation(rows)})
WHERE (src IN ${none} OR dst IN ${none}) AND k < ${code.malformed}${this.#isByAddress ? ' AND counted' : ''} GROUP BY file`);
  }

  /** True for a file that has to be looked at by itself. */
  async #isOdd(file: ShapedFile, count: FileCount | undefined): Promise<boolean> {
    if (count === undefined) return true;
    if (this.#shape.encoding === 'parquet' || !isLengthOdd(file, count, this.#shape)) return false;
    const { broken, isPlain, lines } = await this.#examine(file.path);
    return broken !== undefined || !isPlain || lines !== count.records + count.malformed;
  }

  /** Single rows may lack a direction where the others have one: those are read once more, by address. */
  async #keep(files: readonly ShapedFile[], lenient: boolean): Promise<void> {
    const engine = this.#engine;
    const kind = { isRaw: true, hasTwice: this.#isByAddress };
    await engine.run(keepChunk(kind));
    await engine.run(keepHours);
    const [unclear] = await engine.rows(`SELECT count(*) FROM chunk WHERE file IS NOT NULL AND key = ${code.unclear}`);
    if (Number(unclear?.[0]) === 0) return;
    const rows = this.#rows(files, lenient);
    await this.#learnOwn(rows);
    const unsided = `SELECT * FROM (${rows}) WHERE direction IS NULL AND coalesce(status, 'OK') = 'OK'`;
    const sightings = awsSightings(unsided, 'by-address', this.#within);
    await engine.run(readChunk(sightings, { isRaw: true, hasTwice: true }));
    await engine.run(keepChunk(kind));
  }
}

/** A bad row, or a length far from what the rows make up: a cut-off stream's last bytes claim anything. */
function isLengthOdd({ path, size, meanLine }: ShapedFile, count: FileCount, { encoding }: AwsShape): boolean {
  if (count.malformed > 0 && encoding === 'gzip') return true;
  const length = encoding === 'gzip' ? claimedLength(openedFile(path)) : size;
  const expected = (count.records + count.malformed + 1) * meanLine;
  return Math.abs(length - expected) > 0.25 * expected;
}

/** True for a defect of DuckDB itself, after which nothing runs on that engine any more. */
export function isEngineBroken(cause: unknown): boolean {
  return /\b(FATAL|INTERNAL) Error\b|has been invalidated/.test(String(cause));
}
