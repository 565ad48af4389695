import type { World } from '../base/world.ts';

/**
 * The last line of every object that changes:
 *
 *     <content>\n~lockkeeper write 000000000007 5f0c…32 hex digits…\n
 *
 * S3's ETag is an MD5 of what is stored, so A → B → A would pass for "unchanged"; with this line no two writes store
 * the same.
 */
export interface Trailer {
  /** Which write of this object's life it was, from 1; 0 where another tool wrote the object, without this line. */
  readonly epoch: number;
  /** 32 hex digits that no other write has; '' with epoch 0. */
  readonly nonce: string;
}

/** What is stored, taken apart. */
export interface Stored {
  readonly content: Uint8Array;
  readonly trailer: Trailer;
}

const shape = /^\n~lockkeeper write (\d{12}) ([0-9a-f]{32})\n$/;

/** Of an object that another tool wrote, or that is stored as it is. */
export const noTrailer: Trailer = { epoch: 0, nonce: '' };

/** Length of every trailer, so that a listing can tell the size of the content. */
export const trailerBytes = encode({ epoch: 0, nonce: '0'.repeat(32) }).length;

/** The trailer of the write after `epoch`. */
export function nextTrailer(epoch: number, world: World): Trailer {
  return { epoch: epoch + 1, nonce: Buffer.from(world.random(16)).toString('hex') };
}

/** What to store. */
export function withTrailer(content: Uint8Array, trailer: Trailer): Uint8Array {
  return Buffer.concat([content, encode(trailer)]);
}

/** The content and its trailer; all of it is content where there is none. */
export function takeApart(stored: Uint8Array): Stored {
  const ends = stored.length - trailerBytes;
  const [, epoch = '', nonce = ''] =
    shape.exec(Buffer.from(stored.subarray(Math.max(ends, 0))).toString('latin1')) ?? [];
  if (nonce === '') return { content: Uint8Array.from(stored), trailer: noTrailer };
  return { content: Uint8Array.from(stored.subarray(0, ends)), trailer: { epoch: Number(epoch), nonce } };
}

function encode({ epoch, nonce }: Trailer): Uint8Array {
  return new TextEncoder().encode(`\n~lockkeeper write ${String(epoch).padStart(12, '0')} ${nonce}\n`);
}
