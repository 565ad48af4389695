import { readdirSync } from 'node:fs';
import type { z } from 'zod';
import type { ResolvePath } from './fields.ts';

/** One kind of driver as the configuration knows it: a file of engines/ or secret-stores/, exported as `kind`. */
export interface Kind {
  /** What a person writes to choose it; also the name of its file. */
  readonly name: string;
  /** What it is, for people. */
  readonly description: string;
  /** The fields that it has besides those of every kind. */
  readonly fields: (resolve: ResolvePath) => z.core.$ZodShape;
  /** What is wrong between its fields. They come as they were written, so each may be anything or missing. */
  readonly mistakes?: (written: Readonly<Record<string, unknown>>) => readonly FieldMistake[];
}

/** A mistake of one kind. Nothing that was written may be in it. */
export interface FieldMistake {
  /** The field that it is about. */
  readonly field: string;
  /** What is wrong there, as the rest of a sentence that begins with the field. */
  readonly what: string;
  /** What to do. */
  readonly hint: string;
}

/**
 * Every kind in `folder` beside this file, by name. A new file is a new kind, so no list is kept by hand. `load` imports
 * one file. Throws where a file exports no kind or one of another name.
 */
export async function kindsIn(
  folder: string,
  load: (file: string) => Promise<unknown>,
): Promise<readonly [Kind, ...Kind[]]> {
  const files = readdirSync(new URL(`./${folder}/`, import.meta.url)).filter((file) =>
    /^[a-z0-9-]+\.[jt]s$/.test(file),
  );
  const [first, ...rest] = await Promise.all(files.toSorted().map(async (file) => kindOf(file, await load(file))));
  if (first === undefined) throw new TypeError(`there is no kind in config/${folder}`);
  return [first, ...rest];
}

function kindOf(file: string, module: unknown): Kind {
  const kind: unknown = typeof module === 'object' && module !== null && 'kind' in module ? module.kind : undefined;
  if (isKind(kind) && file.replace(/\.[jt]s$/, '') === kind.name) return kind;
  throw new TypeError(`config: ${file} exports no kind of its own name`);
}

function isKind(value: unknown): value is Kind {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    'description' in value &&
    typeof value.description === 'string' &&
    'fields' in value &&
    typeof value.fields === 'function' &&
    (!('mistakes' in value) || typeof value.mistakes === 'function')
  );
}
