import { createHmac } from 'node:crypto';
import { LockkeeperError } from '../base/error.ts';
import { Sealed } from '../base/sealed.ts';
import type { Instant } from '../base/time.ts';

/** A message before it is signed. */
export interface WebhookMessage {
  /** The same for every attempt: receivers know a repeated message by it. */
  readonly id: string;
  /** When this attempt is made. */
  readonly at: Instant;
  /** Exactly the bytes that are sent. */
  readonly body: string;
}

/**
 * The headers of Standard Webhooks 1.0.0 with an HMAC-SHA256 over `id.seconds.body` by each key. More than one
 * signature lets the key be changed: receivers take the one that fits.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function webhookHeaders({ id, at, body }: WebhookMessage, keys: WebhookKeys): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(at / 1000));
  const signature = keys.map((key) => {
    const hmac = createHmac('sha256', keyBytes(key)).update(`${id}.${timestamp}.${body}`).digest('base64');
    return `v1,${hmac}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature.join(' ') };
}

/** One key, or the new and the old one; each whsec_ and base64. */
export type WebhookKeys = readonly Sealed[];

/**
 * The keys in a text: one, or two with a blank or a line between them while a key is being changed. `invalid` for
 * anything else; nothing of the text is in the error.
 */
export function webhookKeys(text: Sealed): WebhookKeys {
  const words = text.open().trim().split(/\s+/);
  const areKeys = words.length <= 2 && words.every((word) => isKey(word));
  if (areKeys) return words.map((word) => new Sealed(word));
  throw new LockkeeperError('invalid', 'the key of a webhook is not whsec_ and 24 to 64 bytes in base64', {
    hint: 'Make one by: echo "whsec_$(openssl rand -base64 32)", and give the receiver the same one.',
  });
}

/** An id that holds no ".", by which id and time would run into one another. Different names stay different. */
export function webhookId(...names: readonly string[]): string {
  return names
    .map((name) => encodeURIComponent(name).replaceAll(/[^\w%-]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`))
    .join(':');
}

const prefix = 'whsec_';

function isKey(word: string): boolean {
  const base64 = word.slice(prefix.length);
  const bytes = Buffer.from(base64, 'base64');
  const isExact = bytes.toString('base64').replace(/=+$/, '') === base64.replace(/=+$/, '');
  return word.startsWith(prefix) && isExact && bytes.length >= 24 && bytes.length <= 64;
}

function keyBytes(key: Sealed): Uint8Array {
  return Buffer.from(key.open().slice(prefix.length), 'base64');
}
