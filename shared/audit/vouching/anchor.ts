import { asLockkeeperError } from '../../base/error.ts';
import type { SignedCheckpoint } from '../sealing/checkpoints.ts';
import { checkpointKey } from '../layout.ts';
import type { Anchor, LogDeps } from '../log-deps.ts';
import { tampered } from '../tampered.ts';
import { parseCheckpoint, type Checkpoint } from '../tlog/checkpoint.ts';
import { parseNote } from '../tlog/note.ts';

/**
 * Puts a copy of the checkpoint into every anchor, so that whoever rules one cloud cannot shorten or rewrite the log
 * unseen. An anchor that is away is a problem and no error; it answers with what could not be done. `conflict` where an
 * anchor has another tree of this size.
 */
export async function publishAnchors(
  { anchors = [] }: LogDeps,
  checkpoint: SignedCheckpoint,
): Promise<readonly string[]> {
  const told = await Promise.all(anchors.map((anchor) => publishTo(anchor, checkpoint)));
  return told.filter((problem) => problem !== undefined);
}

async function publishTo({ name, store }: Anchor, { size, root, note }: SignedCheckpoint): Promise<string | undefined> {
  let anchored: Checkpoint;
  try {
    const { outcome } = await store.create(checkpointKey(size), Buffer.from(note));
    if (outcome === 'done') return undefined;
    anchored = parseCheckpoint(parseNote((await store.get(checkpointKey(size)))?.bytes ?? '').text);
  } catch (thrown) {
    const { code, message } = asLockkeeperError(thrown);
    if (code === 'bug') throw thrown;
    return code === 'invalid'
      ? `anchor ${name} has something else where the checkpoint of ${size} entries belongs: ${message}`
      : `anchor ${name} did not take the checkpoint of ${size} entries: ${message}`;
  }
  if (Buffer.compare(anchored.root, root) === 0) return undefined;
  throw tampered(`the log was forked: anchor ${name} has another tree of ${size} entries`);
}
