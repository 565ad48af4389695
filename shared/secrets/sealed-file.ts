import { createCipheriv, createDecipheriv } from 'node:crypto';
import { canonicalJson } from '../base/canonical.ts';
import { LockkeeperError } from '../base/error.ts';
import type { World } from '../base/world.ts';
import type { Shelf, ShelfStaged, ShelfVersion } from './shelf.ts';

/** A secret as it lies in its file. `generation` counts its writes. */
export interface ShelfFile {
  readonly generation: number;
  readonly shelf: Shelf;
}

const format = 'lockkeeper-secret-1';
const hint = 'Restore the file from a backup, together with the key file it was written with.';

/**
 * The file of one secret: one line of canonical JSON `{"data","format","generation","name","nonce","tag"}` with the
 * shelf under AES-256-GCM. Format, name and generation are authenticated with it, so no file passes for another secret
 * or another version. The nonce is 96 random bits a write, good for billions of writes under one key.
 */
export function sealFile(key: Uint8Array, secret: string, content: ShelfFile & { readonly world: World }): Uint8Array {
  const nonce = content.world.random(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(header(secret, content.generation));
  const data = Buffer.concat([cipher.update(canonicalJson(content.shelf), 'utf8'), cipher.final()]);
  const { generation } = content;
  const envelope = {
    format,
    name: secret,
    generation,
    nonce: base64(nonce),
    tag: base64(cipher.getAuthTag()),
    data: base64(data),
  };
  return Buffer.from(`${canonicalJson(envelope)}\n`);
}

/** The secret in `bytes`; `invalid` if a single byte is not as it was written, or the key is another one. */
export function openFile(key: Uint8Array, secret: string, bytes: Uint8Array): ShelfFile {
  const envelope = envelopeIn(secret, bytes);
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(envelope.nonce, 'base64'), { authTagLength: 16 });
  let text: string;
  try {
    decipher.setAAD(header(secret, envelope.generation));
    decipher.setAuthTag(Buffer.from(envelope.tag, 'base64'));
    text = decipher.update(envelope.data, 'base64', 'utf8') + decipher.final('utf8');
  } catch (cause) {
    throw damaged(secret, 'its content was changed, or the key is not the one it was written with', cause);
  }
  const shelf = shelfIn(JSON.parse(text));
  if (shelf) return { generation: envelope.generation, shelf };
  throw damaged(secret, 'it was written by another version of lockkeeper');
}

interface Envelope {
  readonly generation: number;
  readonly nonce: string;
  readonly tag: string;
  readonly data: string;
}

/** Parses and writes again: equal bytes or it was touched. So not even a space or a spare bit of base64 goes unseen. */
function envelopeIn(secret: string, bytes: Uint8Array): Envelope {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw damaged(secret, 'it is not one line of JSON', cause);
  }
  const fields = {
    format: '',
    name: '',
    generation: 0,
    nonce: '',
    tag: '',
    data: '',
    ...(typeof json === 'object' ? json : {}),
  };
  const { generation, nonce, tag, data } = fields;
  if (fields.format !== format) throw damaged(secret, `its format is not ${format}`);
  if (fields.name !== secret) throw damaged(secret, 'it belongs to another secret');
  const again = {
    format,
    name: secret,
    generation,
    nonce: rewritten(nonce),
    tag: rewritten(tag),
    data: rewritten(data),
  };
  if (`${canonicalJson(again)}\n` !== Buffer.from(bytes).toString('utf8'))
    throw damaged(secret, 'it is not as it was written');
  return { generation, nonce, tag, data };
}

function rewritten(text: unknown): string {
  return typeof text === 'string' ? base64(Buffer.from(text, 'base64')) : '';
}

function header(secret: string, generation: number): Buffer {
  return Buffer.from(canonicalJson({ format, name: secret, generation }));
}

/**
 * The shelf in what was decrypted. Files from before `earlier` have one `previous`, and do not say as what the current
 * version was staged: the rotation promoted last published it, under the same id.
 */
function shelfIn(value: unknown): Shelf | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { current, earlier, previous, pending, promoted }: Readonly<Record<string, unknown>> = { ...value };
  if (!isList(promoted, isText)) return undefined;
  if (current !== null && !isVersion(current)) return undefined;
  if (pending !== null && !isStaged(pending)) return undefined;
  if (isList(earlier, isVersion)) return { current, earlier, pending, promoted };
  if (earlier !== undefined || (previous !== null && !isVersion(previous))) return undefined;
  const rotation = promoted.at(-1);
  return {
    current: current && rotation !== undefined ? { ...current, staged: { rotation, id: current.id } } : current,
    earlier: previous ? [previous] : [],
    pending,
    promoted,
  };
}

function isVersion(value: unknown): value is ShelfVersion {
  if (typeof value !== 'object' || value === null) return false;
  const { id, text, staged } = { id: undefined, text: undefined, staged: undefined, ...value };
  return isText(id) && isText(text) && (staged === undefined || isStagedName(staged));
}

function isStaged(value: unknown): value is ShelfStaged {
  return isVersion(value) && isStagedName(value);
}

function isStagedName(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { id, rotation } = { id: undefined, rotation: undefined, ...value };
  return isText(id) && isText(rotation);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isList<T>(value: unknown, isItem: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isItem);
}

function damaged(secret: string, why: string, cause?: unknown): LockkeeperError {
  return new LockkeeperError('invalid', `the file of secret ${JSON.stringify(secret)} cannot be used: ${why}`, {
    hint,
    ...(cause !== undefined && { cause }),
  });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
