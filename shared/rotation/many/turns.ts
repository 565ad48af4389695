import { z } from 'zod';
import { canonicalJson } from '../../base/canonical.ts';
import { LockkeeperError } from '../../base/error.ts';
import type { ObjectStore, ObjectVersion } from '../../objects/contract.ts';

const key = 'rotation-turns/reached.json';
const schema = z.strictObject({ reached: z.array(z.string()) });

/** The credentials that earlier runs reached in the present round; a round is over once all were reached. */
export interface Turns {
  readonly reached: ReadonlySet<string>;
  /** Of what is stored, for the next write; undefined where nothing is. */
  readonly version: ObjectVersion | undefined;
}

/** Whose turn it was already. It only decides the order, so a record that nobody can read counts as none. */
export async function readTurns(state: ObjectStore): Promise<Turns> {
  const stored = await tried(() => state.get(key));
  return { reached: new Set(stored && namesIn(stored.bytes)), version: stored?.version };
}

/**
 * Remembers how far the round is; nothing is written where nothing is new. Lost before it took effect: the next run
 * begins where this one did. Where another run wrote meanwhile, its record stays.
 */
export async function writeTurns(state: ObjectStore, before: Turns, reached: ReadonlySet<string>): Promise<void> {
  if (reached.size === before.reached.size && [...reached].every((name) => before.reached.has(name))) return;
  const bytes = Buffer.from(canonicalJson({ reached: [...reached].toSorted() }));
  const { version } = before;
  await tried(async () => {
    if (version === undefined) await state.create(key, bytes);
    else await state.replace(key, bytes, version);
  });
}

/**
 * Who was reached in the round after a run over `chosen` that reached `now`. Where the run ended the round, the next one
 * begins with whom it left. Pure.
 */
export function roundAfter(
  before: ReadonlySet<string>,
  chosen: readonly string[],
  now: ReadonlySet<string>,
): ReadonlySet<string> {
  const isOver = chosen.every((name) => before.has(name) || now.has(name));
  if (!isOver) return new Set([...before, ...now]);
  const others = [...before].filter((name) => !chosen.includes(name));
  return new Set(chosen.every((name) => now.has(name)) ? others : [...others, ...now]);
}

function namesIn(bytes: Uint8Array): readonly string[] {
  try {
    const parsed = schema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    return parsed.data?.reached ?? [];
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return [];
    throw thrown;
  }
}

/** The rotations do not depend on it; a defect is thrown. */
async function tried<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof LockkeeperError) return undefined;
    throw thrown;
  }
}
