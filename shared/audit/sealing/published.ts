import { hasCode, LockkeeperError } from '../../base/error.ts';
import type { ObjectVersion } from '../../objects/contract.ts';
import { checkpointSizes, signedSizes } from './checkpoints.ts';
import { checkpointKey, publishedKey } from '../layout.ts';
import type { LogPlaces, LogDeps } from '../log-deps.ts';
import { tampered } from '../tampered.ts';
import { parseCheckpoint, type Checkpoint } from '../tlog/checkpoint.ts';
import { formatNote, parseNote } from '../tlog/note.ts';

/** The checkpoint that readers are shown, with the cosignatures it had when it was published. */
export interface Published extends Checkpoint {
  readonly note: string;
  /** Undefined where the state store has none and it was found in the log store. */
  readonly version: ObjectVersion | undefined;
}

/**
 * The newest checkpoint that was published; where the state store lost it or is not given, the newest in the log store;
 * undefined for a log that was never sealed. `conflict` where the log store does not have the one that was published:
 * then it was cut off or changed.
 */
export async function readPublished({ log, state }: LogPlaces): Promise<Published | undefined> {
  const stored = await state?.get(publishedKey);
  const size = stored ? readNote(Buffer.from(stored.bytes).toString()).size : await newestSize(log);
  if (size === undefined) return undefined;
  const signed = await log.get(checkpointKey(size));
  if (!signed) throw tampered(`${size} entries were published, and their checkpoint is gone from the log store`);
  const own = readNote(Buffer.from(signed.bytes).toString());
  if (!stored) return { ...own, version: undefined };
  const published = readNote(Buffer.from(stored.bytes).toString());
  if (Buffer.compare(published.root, own.root) !== 0)
    throw tampered(`the checkpoint of ${size} entries in the log store is another one than was published`);
  return { ...published, version: stored.version };
}

/**
 * Shows readers this checkpoint, unless they are shown a larger one already, or this one with all of its cosignatures;
 * those that somebody else had for it are kept. Late and repeated calls change nothing.
 */
export async function publish(deps: Pick<LogDeps, 'state'>, note: string): Promise<void> {
  const next = readNote(note);
  for (;;) {
    const held = await deps.state.get(publishedKey);
    const before = held && readNote(Buffer.from(held.bytes).toString());
    const shown = before?.size === next.size ? withLinesOf(before.note, note) : note;
    if (before && (before.size > next.size || before.note === shown)) return;
    const bytes = Buffer.from(shown);
    const answer = held
      ? await deps.state.replace(publishedKey, bytes, held.version)
      : await deps.state.create(publishedKey, bytes);
    if (answer.outcome === 'done') return;
  }
}

/**
 * What is shown, with the lines of `note` in it: in the place of a signer's own where it has one, else after the
 * others.
 */
function withLinesOf(shown: string, note: string): string {
  const [before, { text, signatures }] = [parseNote(shown), parseNote(note)];
  if (before.text !== text) return note;
  const ids = new Set(before.signatures.map(({ id }) => id));
  const own = before.signatures.map((line) => signatures.find(({ id }) => id === line.id) ?? line);
  return formatNote(text, [...own, ...signatures.filter(({ id }) => !ids.has(id))]);
}

/**
 * How many entries a checkpoint covers that the log's own key signed, by what lies in the stores; 0 where there is
 * none. The published one saves looking at all.
 */
export async function newestSigned({ log, state }: LogPlaces): Promise<number> {
  const stored = await state?.get(publishedKey);
  const published = stored && sizeIn(stored.bytes);
  const isSigned = await signedSizes(log);
  const known = published !== undefined && (await isSigned(published)) ? published : undefined;
  return (await newestSize(log, known)) ?? known ?? 0;
}

function sizeIn(note: Uint8Array): number | undefined {
  try {
    return parseCheckpoint(parseNote(note).text).size;
  } catch (thrown) {
    if (hasCode(thrown, 'invalid')) return undefined;
    throw thrown;
  }
}

/** Of those that the log's own key signed: anybody who may write to the log store can put others there. */
async function newestSize(log: LogDeps['log'], after?: number): Promise<number | undefined> {
  const sizes: number[] = [];
  for await (const size of checkpointSizes(log, after)) sizes.push(size);
  const isSigned = await signedSizes(log);
  for (const size of sizes.toReversed()) if (await isSigned(size)) return size;
  return undefined;
}

function readNote(note: string): Checkpoint & { readonly note: string } {
  try {
    return { ...parseCheckpoint(parseNote(note).text), note };
  } catch (cause) {
    if (!hasCode(cause, 'invalid')) throw cause;
    throw new LockkeeperError('conflict', `the published checkpoint was changed: ${cause.message}`, {
      cause,
      hint: `Run \`lockkeeper audit verify\`. If only the state store was changed, delete ${publishedKey} there: it is made anew from the log store.`,
    });
  }
}
