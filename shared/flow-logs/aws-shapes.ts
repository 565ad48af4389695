import { sampleOf, type Sample } from './content.ts';
import { literal, type Engine } from './engine.ts';
import { headerFields } from './formats/aws-vpc-lines.ts';
import { noHeader } from './rows.ts';
import { asLockkeeperError } from '../base/error.ts';
import type { ShapedFile } from './aws-usage.ts';
import type { AwsShape } from './formats/aws-vpc.ts';

/** Files sorted by how they have to be opened. */
export interface SortedFiles {
  readonly shaped: readonly { readonly shape: AwsShape; readonly files: readonly ShapedFile[] }[];
  /** JSON exports, which TypeScript parses. */
  readonly json: readonly string[];
  /** Without any row. */
  readonly empty: readonly string[];
  /** Why, by path. */
  readonly unreadable: ReadonlyMap<string, string>;
}

/** Looks at the beginning of each file. Files with the very same header line belong together, no others. */
export async function sortFiles(engine: Engine, paths: readonly string[]): Promise<SortedFiles> {
  const shaped = new Map<string, { shape: AwsShape; files: ShapedFile[] }>();
  const sorted = { json: [] as string[], empty: [] as string[], unreadable: new Map<string, string>() };
  const join = (shape: AwsShape, file: ShapedFile) => {
    const key = `${shape.encoding} ${shape.columns.join(' ')}`;
    const group = shaped.get(key) ?? { shape, files: [] };
    group.files.push(file);
    shaped.set(key, group);
  };
  for (const path of paths) {
    try {
      const sample = await sampleOf(path);
      if (sample.encoding === 'parquet') join(await parquetShape(engine, path), { path, meanLine: undefined });
      else if (sample.first === undefined) sorted.empty.push(path);
      else if (/^\s*[[{]/.test(sample.first)) sorted.json.push(path);
      else join(shapeOf(path, sample, sample.first), { path, meanLine: sample.isWhole ? undefined : sample.meanLine });
    } catch (cause) {
      sorted.unreadable.set(path, asLockkeeperError(cause).message);
    }
  }
  return { shaped: [...shaped.values()], ...sorted };
}

function shapeOf(path: string, sample: Sample, first: string): AwsShape {
  const fields = headerFields(first);
  if (!fields) throw noHeader(path, first);
  return { fields, columns: first.trim().split(' '), encoding: sample.encoding === 'gzip' ? 'gzip' : 'text' };
}

async function parquetShape(engine: Engine, path: string): Promise<AwsShape> {
  const rows = await engine.rows(`DESCRIBE SELECT * FROM read_parquet(${literal(path)})`);
  const columns = rows.map(([name]) => String(name));
  return { fields: columns.map((name) => name.replaceAll('_', '-')), columns, encoding: 'parquet' };
}
