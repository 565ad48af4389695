import { resolve } from 'node:path';
import { crossMistakes } from './cross-checks.ts';
import { everyIssue } from './guessed-kinds.ts';
import { loginMistakes } from './logins.ts';
import { schemaMistakes, type Mistake } from './mistakes.ts';
import { configSchema, type Config } from './schema.ts';
import { configJsonSchema } from './shape.ts';
import { shownPath } from './shown-path.ts';
import { readSource, type Path, type Position, type Source } from './source.ts';

/** A mistake and where it stands. Nothing of the file is in it but line, column and keys that the schema knows. */
export interface PlacedMistake extends Position {
  /** Such as services[0].port or networks.<name 1>.cloud; empty for the file itself. */
  readonly path: string;
  readonly what: string;
  readonly hint: string | undefined;
}

export type CheckedConfig =
  | { readonly mistakes: readonly []; readonly config: Config }
  | { readonly mistakes: readonly [PlacedMistake, ...PlacedMistake[]]; readonly config: undefined };

/**
 * Checks the whole text and finds every mistake at once, in the order of the file. Relative paths begin at `directory`.
 */
export function checkConfig(text: string, directory: string): CheckedConfig {
  const source = readSource(text);
  const [flaw, ...flaws] = source.flaws.map(({ at, what }) => ({ ...at, path: '', what, hint: undefined }));
  if (flaw) return { mistakes: [flaw, ...flaws], config: undefined };
  const absolute = (path: string): string => resolve(directory, path);
  const parsed = configSchema(absolute).safeParse(source.data);
  const issues = parsed.success
    ? []
    : everyIssue((data) => configSchema(absolute).safeParse(data).error?.issues ?? [], source.data);
  const wrong = [...schemaMistakes(issues, source.data), ...crossMistakes(source.data, absolute)];
  const found = [...wrong, ...loginMistakes(source.data, wrong)];
  const schema = found.length === 0 ? {} : configJsonSchema();
  const [first, ...rest] = found
    .map((mistake) => placed(mistake, source, schema))
    .toSorted((a, b) => a.line - b.line || a.column - b.column);
  if (first) return { mistakes: [first, ...rest], config: undefined };
  if (parsed.data === undefined) throw new TypeError('the schema found no mistake and no configuration');
  return { mistakes: [], config: parsed.data };
}

/** One line: file:line:column, what is wrong, and a hint where there is one. */
export function mistakeText(file: string, { line, column, path, what, hint }: PlacedMistake): string {
  const where = `${file}:${line}:${column}`;
  return [where, path, `${what}.`, hint].filter((part) => part !== undefined && part !== '').join(' ');
}

function placed({ path, what, hint, see, atKey }: Mistake, source: Source, schema: unknown): PlacedMistake {
  const at = atKey === true ? source.keyAt(path) : source.valueAt(path);
  const shown = (one: Path): string => shownPath(one, source.data, schema);
  if (see === undefined) return { ...at, path: shown(path), what, hint };
  const { line, column } = source.keyAt(see);
  return { ...at, path: shown(path), what, hint: `${hint ?? 'See'} ${shown(see)} (${line}:${column}).` };
}
