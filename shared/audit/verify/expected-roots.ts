import { asLockkeeperError } from '../../base/error.ts';
import type { ObjectStore } from '../../objects/contract.ts';
import { checkpointSizes, readCheckpoint, type SignedCheckpoint } from '../sealing/checkpoints.ts';
import { checkpointKey } from '../layout.ts';
import type { VerifierKey } from '../tlog/note.ts';
import { parseNote } from '../tlog/note.ts';
import { ahead, objectsAhead } from './ahead.ts';
import type { Finding, Note } from './finding.ts';
import type { ExpectedRoot } from './tree-check.ts';

/** A signed checkpoint, or undefined after telling what is wrong with it. */
export function trusted(
  note: string,
  { key, signer, notify }: { readonly key: string; readonly signer: VerifierKey; readonly notify: Note },
): SignedCheckpoint | undefined {
  try {
    return readCheckpoint(note, signer);
  } catch (thrown) {
    notify({ key, kind: kindOf(note, signer), what: `does not count: ${asLockkeeperError(thrown).message}` });
    return undefined;
  }
}

/** A note in which the key's line is there but does not fit was changed; one without it was signed by somebody else. */
function kindOf(note: string, { name, id }: VerifierKey): Finding['kind'] {
  try {
    return parseNote(note).signatures.some((one) => one.name === name && one.id === id) ? 'changed' : 'unsigned';
  } catch (thrown) {
    if (asLockkeeperError(thrown).code === 'invalid') return 'changed';
    throw thrown;
  }
}

/** Checkpoints of one log by ascending size, a few of them known beforehand, the rest read as they are wanted. */
export class ExpectedRoots {
  readonly #known: ExpectedRoot[];
  readonly #stored: AsyncIterator<ExpectedRoot> | undefined;
  #next: ExpectedRoot | undefined;
  #isBegun = false;

  constructor(known: readonly ExpectedRoot[], stored?: AsyncIterable<ExpectedRoot>) {
    this.#known = known.toSorted((a, b) => a.size - b.size);
    this.#stored = stored?.[Symbol.asyncIterator]();
  }

  /** Those of at most `size` entries that were not told yet. */
  async upTo(size: number): Promise<readonly ExpectedRoot[]> {
    const told = this.#known.splice(0, this.#known.filter((one) => one.size <= size).length);
    if (!this.#isBegun) await this.#advance();
    while (this.#next && this.#next.size <= size) {
      told.push(this.#next);
      await this.#advance();
    }
    return told.toSorted((a, b) => a.size - b.size);
  }

  async #advance(): Promise<void> {
    this.#isBegun = true;
    const next = await this.#stored?.next();
    this.#next = next?.done === false ? next.value : undefined;
  }
}

/** The checkpoints in the log store of more than `after` entries; those that do not count are told and left out. */
export async function* storedCheckpoints(
  log: ObjectStore,
  {
    signer,
    after,
    notify,
  }: { readonly signer: VerifierKey; readonly after: number | undefined; readonly notify: Note },
): AsyncGenerator<ExpectedRoot> {
  const read = async (size: number) => ({ size, key: checkpointKey(size), stored: await log.get(checkpointKey(size)) });
  for await (const { size, key, stored } of ahead(checkpointSizes(log, after), read, objectsAhead)) {
    const checkpoint = stored && trusted(Buffer.from(stored.bytes).toString(), { key, signer, notify });
    if (checkpoint && checkpoint.size !== size)
      notify({ key, kind: 'moved', what: `holds the checkpoint of ${checkpoint.size} entries` });
    else if (checkpoint) yield { size, root: checkpoint.root, key };
  }
}
