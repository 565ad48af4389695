import type { z } from 'zod';
import { noZone } from './calendars.ts';
import { durationHint } from './duration.ts';
import { nearest } from './nearest.ts';
import { configJsonSchema, shapeAt } from './shape.ts';
import type { Path } from './source.ts';

/**
 * One thing that is wrong with a configuration. It is said in words of the schema and in counts; nothing that stands in
 * the file is in it, not even a name: a password may stand anywhere, and nobody knows its form.
 */
export interface Mistake {
  readonly path: Path;
  /** What is wrong there, as the rest of a sentence that begins with the path. */
  readonly what: string;
  readonly hint: string | undefined;
  /** Another place that the hint ends with. */
  readonly see?: Path;
  /** The key itself is wrong, not its value. */
  readonly atKey?: boolean;
}

type Issue = z.core.$ZodIssue;

/** What the schema found, in words; `data` is what it looked at. */
export function schemaMistakes(issues: readonly Issue[], data: unknown): readonly Mistake[] {
  if (issues.length === 0) return [];
  const schema = configJsonSchema();
  return issues.flatMap((issue) => {
    const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, schema));
    return [inWords(issue, { path, value: valueAt(data, path), description: shapeAt(schema, path).description })];
  });
}

interface Place {
  readonly path: Path;
  readonly value: unknown;
  readonly description: string | undefined;
}

function unknownKey(path: Path, key: string, schema: unknown): Mistake {
  const { keys } = shapeAt(schema, path);
  const meant = nearest(key, keys);
  const hint = meant === undefined ? `Known here: ${keys.join(', ')}.` : `Did you mean "${meant}"?`;
  return { path: [...path, key], what: 'is not a key of this format', hint, atKey: true };
}

function inWords(issue: Issue, { path, value, description }: Place): Mistake {
  if (issue.code === 'invalid_key')
    return { path, what: issue.issues[0]?.message ?? 'is not a name', hint: undefined, atKey: true };
  const allowed = allowedValues(issue);
  if (value === undefined || value === null) {
    if (path.length === 0) return { path, what: 'the file is empty', hint: 'README.md shows a whole one.' };
    const hints = [description, allowed && `One of: ${allowed.join(', ')}.`].filter((hint) => hint !== undefined);
    return { path, what: 'is missing', hint: hints.join(' ') || undefined };
  }
  if (allowed) {
    const what = `is not ${allowed.length > 1 ? 'one of: ' : ''}${allowed.join(', ')}`;
    return { path, what, hint: meantHint(value, allowed) ?? description };
  }
  if (issue.message === noZone)
    return { path, what: noZone, hint: meantHint(value, Intl.supportedValuesOf('timeZone')) ?? description };
  return { path, what: whatIsWrong(issue, value), hint: isPassword(path) ? passwordHint : hintFor(issue, description) };
}

function whatIsWrong(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return `is ${kindOf(value)}, not ${typeWords.get(issue.expected) ?? issue.expected}`;
    case 'too_small':
      return isCounted(issue) ? `needs at least ${issue.minimum}, has less` : `is less than ${issue.minimum}`;
    case 'too_big':
      return isCounted(issue) ? `may have at most ${issue.maximum}, has more` : `is more than ${issue.maximum}`;
    default:
      return issue.message;
  }
}

function isCounted({ origin }: { readonly origin: string }): boolean {
  return origin === 'array' || origin === 'string';
}

const typeWords: ReadonlyMap<string, string> = new Map([
  ['string', 'a text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'a map'],
  ['record', 'a map'],
]);

const passwordHint =
  'Never write a password here: say where it is, as {file: PATH}, {env: NAME} or {secret: {store, name}}.';

function hintFor(issue: Issue, description: string | undefined): string | undefined {
  if (issue.message === 'is not a duration') return durationHint;
  if (issue.message === 'is not a time') return 'Write it with a zone, like 2026-11-22T00:00:00Z.';
  return description;
}

function allowedValues(issue: Issue): readonly string[] | undefined {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  if (issue.code === 'invalid_union' && 'options' in issue && Array.isArray(issue.options))
    return issue.options.filter((option) => option !== undefined).map(String);
  return undefined;
}

function meantHint(value: unknown, allowed: readonly string[]): string | undefined {
  const meant = typeof value === 'string' ? nearest(value, allowed) : undefined;
  return meant === undefined ? undefined : `Did you mean "${meant}"?`;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeWords.get(typeof value) ?? 'something else';
}

function isPassword(path: Path): boolean {
  return path.some((step) => typeof step === 'string' && /password|secret$|token$/i.test(step));
}

/** What stands at `path` of `data`; undefined where nothing does. */
export function valueAt(data: unknown, path: Path): unknown {
  let value = data;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, step) as unknown;
  }
  return value;
}
