import { asLockkeeperError } from '../../base/error.ts';
import { formatInstant, type Instant } from '../../base/time.ts';
import { checkpointKey } from '../layout.ts';
import type { Anchor, LogDeps } from '../log-deps.ts';
import { readPublished } from '../sealing/published.ts';
import { encodeBase64 } from '../tlog/base64.ts';
import { parseNote, parseVerifierKey, verifyNote } from '../tlog/note.ts';
import { unsignedEntries, type Unsigned } from '../sealing/unsigned.ts';

/** The newest published checkpoint, and who vouches for it. */
export interface LogHead {
  readonly origin: string;
  readonly size: number;
  /** Base64, as in the checkpoint. */
  readonly root: string;
  /** The signed note with every cosignature it has. */
  readonly note: string;
  /** Names of the configured witnesses that cosigned it, and of those that did not. */
  readonly cosigned: readonly string[];
  readonly notCosigned: readonly string[];
  /** Names of the anchors that have a copy, and of those that have none or do not answer. */
  readonly anchored: readonly string[];
  readonly notAnchored: readonly string[];
  readonly unsigned: Unsigned;
}

/**
 * The head of a log; undefined where nothing was sealed yet. Only reads. Errors: those of the stores; `conflict` where
 * they were changed.
 */
export async function readHead(deps: LogDeps): Promise<LogHead | undefined> {
  const published = await readPublished(deps);
  if (!published) return undefined;
  const { origin, size, root, note } = published;
  const witnesses = (deps.witnesses ?? []).map(({ key }) => parseVerifierKey(key));
  const signed = new Set(verifyNote(parseNote(note), witnesses));
  const copied = await Promise.all(
    (deps.anchors ?? []).map(async (anchor) => ({ name: anchor.name, isThere: await has(anchor, size, note) })),
  );
  return {
    origin,
    size,
    root: encodeBase64(root),
    note,
    cosigned: witnesses.filter((key) => signed.has(key)).map(({ name }) => name),
    notCosigned: witnesses.filter((key) => !signed.has(key)).map(({ name }) => name),
    anchored: copied.filter(({ isThere }) => isThere).map(({ name }) => name),
    notAnchored: copied.filter(({ isThere }) => !isThere).map(({ name }) => name),
    unsigned: await unsignedEntries(deps),
  };
}

async function has({ store }: Anchor, size: number, note: string): Promise<boolean> {
  try {
    const copy = await store.get(checkpointKey(size));
    return copy !== undefined && parseNote(copy.bytes).text === parseNote(note).text;
  } catch (thrown) {
    if (asLockkeeperError(thrown).code === 'bug') throw thrown;
    return false;
  }
}

/**
 * The head as people are told it: a few lines, then the whole note after a blank one. The text as it is, with more
 * around it or less, is what `audit verify --since` takes.
 */
export function headText(head: LogHead, now: Instant): string {
  const { origin, size, root, note, cosigned, notCosigned, anchored, notAnchored, unsigned } = head;
  return [
    `The audit log ${origin} has ${size} entries, root ${root}, on ${formatInstant(now)}.`,
    `Cosigned by ${counted(cosigned, notCosigned, 'witnesses')}; copied to ${counted(anchored, notAnchored, 'anchors')}. ${behind(unsigned)}`,
    'Save this message: `lockkeeper audit verify --since FILE` proves that the log has only grown since.',
    '',
    note,
  ].join('\n');
}

function counted(there: readonly string[], missing: readonly string[], what: string): string {
  if (there.length + missing.length === 0) return `no ${what}, for none are configured`;
  return `${there.length} of ${there.length + missing.length} ${what}${missing.length === 0 ? '' : ` (not ${missing.join(', ')})`}`;
}

function behind({ entries, since }: Unsigned): string {
  return since === undefined
    ? 'No entry waits to be signed.'
    : `${entries} ${entries === 1 ? 'entry waits' : 'entries wait'} to be signed, since ${formatInstant(since)}.`;
}
