import { hasCode, LockkeeperError } from '../../base/error.ts';
import type { ObjectStore } from '../../objects/contract.ts';
import { checkpointKey, checkpointPrefix, numberIn, verifierKeyKey } from '../layout.ts';
import type { LogDeps } from '../log-deps.ts';
import { tampered } from '../tampered.ts';
import { checkOrigin, formatCheckpoint, parseCheckpoint, type Checkpoint } from '../tlog/checkpoint.ts';
import type { Hash } from '../tlog/merkle.ts';
import { formatNote, parseNote, parseVerifierKey, verifierKey, verifyNote, type VerifierKey } from '../tlog/note.ts';

/** What is signed of a tree. */
interface SignableTree {
  readonly size: number;
  root(): Hash;
}

/** A checkpoint with its signatures, as text and read. */
export interface SignedCheckpoint extends Checkpoint {
  /** The signed note. */
  readonly note: string;
}

/**
 * The key that this log is signed with. The first to seal writes it into the log store; `conflict` where the log there
 * is kept under another one, or under another origin: two keys would be two logs.
 */
export async function expectOwnKey({
  log,
  origin,
  signer,
}: Pick<LogDeps, 'log' | 'origin' | 'signer'>): Promise<VerifierKey> {
  checkOrigin(origin);
  const own = verifierKey(origin, await signer.publicKey());
  const { outcome } = await log.create(verifierKeyKey, Buffer.from(`${own}\n`));
  if (outcome === 'done') return parseVerifierKey(own);
  throw new LockkeeperError(
    'conflict',
    `nothing was sealed: the log is kept under ${(await readVerifierKey(log)) ?? 'another key'}, and here it would be ${own}`,
    {
      hint: 'Put back the origin and the key of `audit` in the configuration. A new key or name is a new log, in an empty place.',
    },
  );
}

/** The verifier key that lies in the log store, as text; undefined where nothing was sealed yet. */
export async function readVerifierKey(log: ObjectStore): Promise<string | undefined> {
  const stored = await log.get(verifierKeyKey);
  return stored && Buffer.from(stored.bytes).toString().replace(/\n$/, '');
}

/**
 * The signed checkpoint of the tree, durable in the log store. Signing is deterministic, so whoever comes second writes
 * the same bytes; other signatures of the same tree are taken as they are. `conflict` where one of this size has
 * another root: a fork.
 */
export async function checkpointOf(
  { log, signer }: LogDeps,
  key: VerifierKey,
  tree: SignableTree,
): Promise<SignedCheckpoint> {
  const text = formatCheckpoint({ origin: key.name, size: tree.size, root: tree.root(), extensions: [] });
  const signature = await signer.sign(Buffer.from(text));
  const note = formatNote(text, [{ name: key.name, id: key.id, bytes: signature }]);
  const { outcome } = await log.create(checkpointKey(tree.size), Buffer.from(note));
  if (outcome === 'done') return readCheckpoint(note, key);
  const there = await log.get(checkpointKey(tree.size));
  const other = there && storedCheckpoint(tree.size, there.bytes, key);
  if (other && formatCheckpoint(other) === text) return other;
  throw tampered(`the log was forked: another tree of ${tree.size} entries was signed`);
}

function storedCheckpoint(size: number, bytes: Uint8Array, key: VerifierKey): SignedCheckpoint {
  try {
    return readCheckpoint(Buffer.from(bytes).toString(), key);
  } catch (cause) {
    if (!hasCode(cause, 'invalid')) throw cause;
    throw tampered(`${checkpointKey(size)} was changed: ${cause.message}`, cause);
  }
}

/** A signed note as a checkpoint; `invalid` unless this key signed it, and its origin is the key's name. */
export function readCheckpoint(note: string, key: VerifierKey): SignedCheckpoint {
  const parsed = parseNote(note);
  const checkpoint = parseCheckpoint(parsed.text);
  const signed = verifyNote(parsed, [key]).length > 0;
  if (signed && checkpoint.origin === key.name) return { ...checkpoint, note };
  const why = signed ? `it is of another log, ${checkpoint.origin}` : `it is not signed by ${key.name} (${key.id})`;
  throw new LockkeeperError('invalid', `a checkpoint does not count: ${why}`, {
    hint: 'Compare the verifier key with the one you were given.',
  });
}

/** Tells of a size whether the log store has a checkpoint of it that the log's own key signed. */
export async function signedSizes(log: ObjectStore): Promise<(size: number) => Promise<boolean>> {
  const own = await readVerifierKey(log);
  return async (size) => {
    const stored = own === undefined ? undefined : await log.get(checkpointKey(size));
    if (own === undefined || !stored) return false;
    try {
      return readCheckpoint(Buffer.from(stored.bytes).toString(), parseVerifierKey(own)).size === size;
    } catch (thrown) {
      if (hasCode(thrown, 'invalid') || hasCode(thrown, 'unsupported')) return false;
      throw thrown;
    }
  };
}

/** Sizes of the checkpoints in the log store, ascending. */
export async function* checkpointSizes(log: ObjectStore, after?: number): AsyncGenerator<number> {
  for await (const { key } of log.list(checkpointPrefix, after === undefined ? undefined : checkpointKey(after))) {
    const size = numberIn(key, checkpointPrefix);
    if (size !== undefined && key === checkpointKey(size)) yield size;
  }
}
