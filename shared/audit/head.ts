import { z } from 'zod';
import { canonicalJson, sha256 } from '../base/canonical.ts';
import { LockkeeperError } from '../base/error.ts';
import type { World } from '../base/world.ts';
import type { ObjectStore, ObjectVersion } from '../objects/contract.ts';
import { firstPrevious } from './codec.ts';
import { headKey } from './layout.ts';

/** How long the log is at least, and the hash of its last entry: what shows that entries were cut off its end. */
export interface Head {
  readonly size: number;
  readonly hash: string;
}

/** A head as the state store has it. */
export interface HeldHead extends Head {
  readonly version: ObjectVersion;
}

/** The head of a log without entries. */
export const emptyHead: Head = { size: 0, hash: firstPrevious };

/** The head, or undefined where there never was one. `invalid` where one byte of it was changed. */
export async function readHead(state: ObjectStore): Promise<HeldHead | undefined> {
  const stored = await state.get(headKey);
  return stored && { ...decodeHead(stored.bytes), version: stored.version };
}

/**
 * Moves the head to `head`, never back: repeating it, also late, changes nothing. `held` is the caller's last sight of
 * it and saves a read. `conflict` where the head has another hash for this size: then there are two logs.
 */
export async function advanceHead(rooms: { readonly state: ObjectStore; readonly world: World }, head: Head, held?: HeldHead): Promise<HeldHead> {
  for (let current = held; ; current = await readHead(rooms.state)) {
    if (current && current.size >= head.size) return checked(current, head);
    const bytes = encodeHead(head, Buffer.from(rooms.world.random(12)).toString('hex'));
    const answer = current ? await rooms.state.replace(headKey, bytes, current.version) : await rooms.state.create(headKey, bytes);
    if (answer.outcome === 'done') return { ...head, version: answer.version };
  }
}

function checked(current: HeldHead, head: Head): HeldHead {
  if (current.size > head.size || current.hash === head.hash) return current;
  throw new LockkeeperError('conflict', `the log was forked: two different entries ${head.size - 1} were written`, {
    hint: 'Run `lockkeeper audit verify` and find out who else writes to these stores.',
  });
}

/** The nonce makes two writes of one head differ; the sum covers every byte. */
function encodeHead({ size, hash }: Head, nonce: string): Uint8Array {
  const open = { size, hash, nonce };
  return Uint8Array.from(Buffer.from(canonicalJson({ ...open, sum: sha256(canonicalJson(open)) })));
}

function decodeHead(bytes: Uint8Array): Head {
  const text = new TextDecoder().decode(bytes);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw damaged(cause);
  }
  const head = headSchema.safeParse(parsed);
  if (!head.success) throw damaged(head.error);
  const { sum, ...open } = head.data;
  if (sum !== sha256(canonicalJson(open)) || canonicalJson(head.data) !== text) throw damaged(undefined);
  return { size: open.size, hash: open.hash };
}

function damaged(cause: unknown): LockkeeperError {
  return new LockkeeperError('invalid', `the head of the log (${headKey} in the state store) was changed`, {
    cause,
    hint: 'Restore the state store from its backup, then run `lockkeeper audit verify`.',
  });
}

const headSchema = z.strictObject({ size: z.number().int().nonnegative(), hash: z.string(), nonce: z.string(), sum: z.string() });
