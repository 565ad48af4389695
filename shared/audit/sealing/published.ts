import { hasCode, LockkeeperError } from '../../base/error.ts';
import type { ObjectVersion } from '../../objects/contract.ts';
import { checkpointSizes } from './checkpoints.ts';
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

async function newestSize(log: LogDeps['log']): Promise<number | undefined> {
  let newest: number | undefined;
  for await (const size of checkpointSizes(log)) newest = size;
  return newest;
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
