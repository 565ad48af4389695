import type { ObjectStore } from '../../objects/contract.ts';
import { checkpointSizes } from '../sealing/checkpoints.ts';
import { checkpointKey } from '../layout.ts';
import type { VerifierKey } from '../tlog/note.ts';
import { trusted } from './expected-roots.ts';
import { asFound } from './as-found.ts';
import type { Note } from './finding.ts';

/** A store in another cloud that has copies of the checkpoints. */
export interface AnchorToCheck {
  readonly name: string;
  readonly store: ObjectStore;
}

export interface AnchorCheckOptions {
  readonly log: ObjectStore;
  /** How many entries were signed, as far as the log itself knows. */
  readonly size: number;
  readonly signer: VerifierKey;
  readonly note: Note;
}

/** Every checkpoint that an anchor has must be in the log, the same tree: what the log forgot or signed twice shows. */
export async function checkAnchors(anchors: readonly AnchorToCheck[], options: AnchorCheckOptions): Promise<void> {
  for (const { name, store: kept } of anchors) {
    const store = asFound(kept, options.note, `anchor ${name}: `);
    for await (const size of checkpointSizes(store)) {
      const stored = await store.get(checkpointKey(size));
      const key = `anchor ${name}: ${checkpointKey(size)}`;
      if (stored && isSame(stored.bytes, (await options.log.get(checkpointKey(size)))?.bytes)) continue;
      const anchored =
        stored && trusted(Buffer.from(stored.bytes).toString(), { key, signer: options.signer, notify: options.note });
      if (anchored) await compare(anchored, name, options);
    }
  }
}

async function compare(
  { size, root }: { readonly size: number; readonly root: Uint8Array },
  anchor: string,
  { log, signer, note, size: signed }: AnchorCheckOptions,
): Promise<void> {
  const key = checkpointKey(size);
  const stored = await log.get(key);
  const own = stored && trusted(Buffer.from(stored.bytes).toString(), { key, signer, notify: () => {} });
  if (!stored) note({ key, kind: size > signed ? 'cut-off' : 'missing', what: `is missing: anchor ${anchor} has it` });
  else if (own && Buffer.compare(own.root, root) !== 0)
    note({ key, kind: 'forked', what: `signs another tree than the one that anchor ${anchor} has` });
}

/** A copy of what the log has: that is checked with everything else there. */
function isSame(anchored: Uint8Array, own: Uint8Array | undefined): boolean {
  return own !== undefined && Buffer.compare(anchored, own) === 0;
}
