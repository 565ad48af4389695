import { brokenFile, systemCode } from './content.ts';
import { headerFields, headerTrouble } from './formats/aws-vpc-lines.ts';
import { noHeader } from './rows.ts';
import { parquetShape } from './parquet.ts';
import { sampleOf, type Sample } from './sample.ts';
import { asLockkeeperError } from '../base/error.ts';
import { isMachines } from '../base/machine.ts';
import type { ShapedFile } from './aws-usage.ts';
import type { Engine } from './engine.ts';
import type { AwsShape } from './formats/aws-vpc.ts';

/** Files sorted by how they have to be opened. */
export interface SortedFiles {
  readonly shaped: readonly { readonly shape: AwsShape; readonly files: readonly ShapedFile[] }[];
  /** JSON exports, which TypeScript parses. */
  readonly json: readonly string[];
  /** Without any row. */
  readonly empty: readonly string[];
  /** Why, by path. */
  readonly unreadable: ReadonlyMap<string, Unreadable>;
}

/** Why a file could not be read; `again` where that is about the machine, and not about the file. */
export interface Unreadable {
  readonly why: string;
  readonly again: boolean;
}

/** Looks at the beginning of each file. Files with the very same header line belong together, no others. */
export async function sortFiles(engine: Engine, paths: readonly string[]): Promise<SortedFiles> {
  const shaped = new Map<string, { shape: AwsShape; files: ShapedFile[] }>();
  const sorted = { json: [] as string[], empty: [] as string[], unreadable: new Map<string, Unreadable>() };
  const join = (shape: AwsShape, file: ShapedFile) => {
    const key = `${shape.encoding} ${shape.columns.join(' ')}`;
    const group = shaped.get(key) ?? { shape, files: [] };
    group.files.push(file);
    shaped.set(key, group);
  };
  for (const path of paths) {
    try {
      const sample = sampleOf(path);
      if (sample.encoding === 'parquet') {
        const link = await engine.link(path);
        join(await parquetShape(engine, link, path), { path, link, size: sample.size, meanLine: 0 });
      } else if (sample.first === undefined) sorted.empty.push(path);
      else if (/^\s*[[{]/.test(sample.first)) sorted.json.push(path);
      else {
        const shape = shapeOf(path, sample, sample.first);
        const { size, meanLine } = sample;
        join(shape, { path, link: await engine.link(path), size, meanLine });
      }
    } catch (cause) {
      sorted.unreadable.set(path, unreadableBy(cause));
    }
  }
  return { shaped: [...shaped.values()], ...sorted };
}

function shapeOf(path: string, sample: Sample, first: string): AwsShape {
  const fields = headerFields(first);
  if (!fields) throw noHeader(path, first);
  const trouble = headerTrouble(fields);
  if (trouble !== undefined) throw brokenFile(path, trouble);
  return { fields, columns: first.trim().split(' '), encoding: sample.encoding === 'gzip' ? 'gzip' : 'text' };
}

/** Errors: what was thrown, where it is neither about the file nor about opening it. */
export function unreadableBy(thrown: unknown): Unreadable {
  const error = asLockkeeperError(thrown);
  const again = isMachines(thrown);
  if (error.code !== 'invalid' && systemCode(thrown) === undefined && !again) throw thrown;
  return { why: error.message, again };
}
