import { LockkeeperError } from '../base/error.ts';
import { OurValues } from '../base/our-values.ts';
import type { Sealed } from '../base/sealed.ts';
import { formatInstant, second } from '../base/time.ts';
import type { World } from '../base/world.ts';
import type { Refresh, RefreshNews } from './contract.ts';
import { answerError, connectionError, textOfAnswer } from './http-answer.ts';
import { publishedNews } from './published-news.ts';
import { webhookHeaders, webhookId, webhookKeys, type WebhookKeys } from './standard-webhook.ts';
import { noAnswerInTime, timeLimit } from './time-limit.ts';

/** Where a receiver listens and by which key it knows the messages. */
export interface HttpRefreshOptions {
  /** The receiver's name; with the rotation it makes the id of the message. */
  readonly name: string;
  /** https, or http to this machine; without user, password, query and fragment. */
  readonly url: string;
  /** The key, asked for at every call; see webhookKeys for its form. */
  readonly key: () => Promise<Sealed>;
  readonly world: World;
  /** How long an answer may take; 15 s if left out. */
  readonly answerMs?: number;
}

/**
 * One POST of a small JSON text, signed as Standard Webhooks are. Any 2xx acknowledges it; redirects are not followed.
 * The id of the message is that of the rotation and the receiver, so repeating it is the same message. `invalid` at
 * once where the address is none, and at the call where the key is none; whatever `key` throws. A private authority is
 * trusted by NODE_EXTRA_CA_CERTS.
 *
 * | came back                             | code          |
 * |---------------------------------------|---------------|
 * | 401, 403                              | `denied`      |
 * | 429                                   | `throttled`   |
 * | 408, 5xx, no connection, no answer    | `unreachable` |
 * | any other answer                      | `rejected`    |
 * | the connection ended after sending    | `uncertain`   |
 */
export function httpRefresh(options: HttpRefreshOptions): Refresh {
  const { name, key, world, answerMs = 15 * second } = options;
  const url = checkedUrl(options.url);
  // Of the address only the host is shown: a path may be something that only the receiver is to know.
  const tried = `tell ${name} at ${url.host} to read its secret again`;
  return {
    async poke(news) {
      const keys = webhookKeys(await key());
      const limitMs = timeLimit(tried, { world, answerMs });
      try {
        await send(signedRequest(news, { name, world, keys }), { url, tried, limitMs });
      } catch (thrown) {
        throw new OurValues(keys).withholdFrom(thrown);
      }
    },
  };
}

interface SignedRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function signedRequest(
  news: RefreshNews,
  { name, world, keys }: { readonly name: string; readonly world: World; readonly keys: WebhookKeys },
): SignedRequest {
  const at = world.now();
  const body = JSON.stringify({ type: 'credential.rotated', timestamp: formatInstant(at), data: publishedNews(news) });
  const headers = webhookHeaders({ id: webhookId(news.rotation, name), at, body }, keys);
  return { headers: { ...headers, ...ownHeaders }, body };
}

const ownHeaders = {
  'content-type': 'application/json',
  'user-agent': 'lockkeeper',
  accept: '*/*',
  'accept-encoding': 'identity',
  // A connection kept for later may be closed by then, which would look like a lost answer.
  connection: 'close',
} as const;

interface Target {
  readonly url: URL;
  readonly tried: string;
  readonly limitMs: number;
}

async function send({ headers, body }: SignedRequest, { url, tried, limitMs }: Target): Promise<void> {
  const late = AbortSignal.timeout(limitMs);
  const over = new AbortController();
  const signal = AbortSignal.any([late, over.signal]);
  try {
    const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    if (!answer.ok) throw answerError(tried, answer.status, await textOfAnswer(answer));
  } catch (thrown) {
    if (thrown instanceof LockkeeperError) throw thrown;
    throw late.aborted ? noAnswerInTime(tried, limitMs, thrown) : connectionError(tried, thrown);
  } finally {
    // What else the receiver says is not read.
    over.abort();
  }
}

function checkedUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHere = ['127.0.0.1', 'localhost', '[::1]'].includes(url?.hostname ?? '');
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isHere);
  if (url && isSafe && `${url.username}${url.password}${url.search}${url.hash}` === '') return url;
  throw new LockkeeperError(
    'invalid',
    'the address of a receiver is not https://HOST/PATH (or http:// on this machine) without user, password and query',
    { hint: 'Keep secrets out of the address: the receiver knows the message by its signature.' },
  );
}
