import type { z } from 'zod';
import { valueAt } from './mistakes.ts';
import { nearest } from './nearest.ts';
import type { Path } from './source.ts';

type Issue = z.core.$ZodIssue;

/**
 * What `parse` finds in `data`, and what it would find where a kind is mistyped or missing if that kind were right: else
 * one wrong word hides every mistake beside it.
 */
export function everyIssue(parse: (data: unknown) => readonly Issue[], data: unknown): readonly Issue[] {
  const issues = parse(data);
  const guesses = issues.flatMap((issue) => guessOf(issue, data));
  if (guesses.length === 0) return issues;
  const again = everyIssue(parse, withGuesses(data, guesses));
  return [...issues, ...again.filter((issue) => guesses.some((guess) => isFair(issue, guess, data)))];
}

interface Guess {
  /** Of the word that says the kind. */
  readonly path: Path;
  readonly kind: string;
  /** The word is near to this kind, or there is no other; else only what was written anyhow is looked at. */
  readonly isNear: boolean;
}

function guessOf(issue: Issue, data: unknown): readonly Guess[] {
  if (issue.code !== 'invalid_union' || !('options' in issue) || !Array.isArray(issue.options)) return [];
  const kinds = issue.options.filter((option) => typeof option === 'string');
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  const holder = valueAt(data, path.slice(0, -1));
  if (typeof holder !== 'object' || holder === null || Array.isArray(holder)) return [];
  const written = valueAt(data, path);
  const near = typeof written === 'string' ? nearest(written, kinds) : undefined;
  const kind = near ?? kinds[0];
  return kind === undefined || kind === written
    ? []
    : [{ path, kind, isNear: near !== undefined || kinds.length === 1 }];
}

function withGuesses(data: unknown, guesses: readonly Guess[]): unknown {
  const copy: unknown = structuredClone(data);
  for (const { path, kind } of guesses) {
    const holder = valueAt(copy, path.slice(0, -1));
    if (typeof holder === 'object' && holder !== null) Reflect.set(holder, path.at(-1) ?? '', kind);
  }
  return copy;
}

/** Below a kind that nothing points to, a field may be unknown or missing only because the kind is another. */
function isFair(issue: Issue, { path, isNear }: Guess, data: unknown): boolean {
  const above = path.slice(0, -1);
  if (!above.every((step, at) => issue.path[at] === step)) return false;
  if (isNear) return true;
  if (issue.code === 'unrecognized_keys' && issue.path.length === above.length) return false;
  return (
    valueAt(
      data,
      issue.path.slice(0, above.length + 1).map((step) => (typeof step === 'symbol' ? '' : step)),
    ) !== undefined
  );
}
