import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { AzureRefusal } from './azure-blob-model.ts';

/** What a client signed and sent. */
export interface AzureSent {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** Who may sign. */
export interface AzureSigner {
  readonly account: string;
  /** In base64. */
  readonly key: string;
}

const known = new Set(['x-ms-version', 'x-ms-date', 'x-ms-client-request-id', 'x-ms-blob-type']);
const unknown = new Set([
  'content-encoding',
  'content-language',
  'if-modified-since',
  'if-unmodified-since',
  'range',
  'transfer-encoding',
]);

/** Refuses what Azure would refuse before it looks at the container, and loudly what this stand-in does not know. */
export function checkSent(sent: AzureSent, signer: AzureSigner): void {
  const { headers, body } = sent;
  const strange = Object.keys(headers).filter(
    (name) => unknown.has(name) || (name.startsWith('x-ms-') && !known.has(name)),
  );
  if (strange.length > 0) throw notKnown(strange);
  if (!/^\d{4}-\d\d-\d\d$/.test(only(headers, 'x-ms-version')))
    throw new AzureRefusal(400, 'MissingRequiredHeader', 'x-ms-version');
  if (headers.authorization === undefined)
    throw new AzureRefusal(
      401,
      'NoAuthenticationInformation',
      'Server failed to authenticate the request. Please refer to the information in the www-authenticate header.',
    );
  if (headers.authorization !== `SharedKey ${signer.account}:${signatureOf(sent, signer)}`) throw unauthentic();
  const digest = only(headers, 'content-md5');
  if (digest !== '' && digest !== createHash('md5').update(body).digest('base64'))
    throw new AzureRefusal(400, 'Md5Mismatch', 'The MD5 value specified in the request did not match.');
}

/** A refusal of what this stand-in cannot do, so that no test passes because something was overlooked. */
export function notKnown(names: readonly string[]): AzureRefusal {
  return new AzureRefusal(501, 'APINotImplemented', `the stand-in does not know ${names.join(', ')}`);
}

/** https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key */
function signatureOf({ method, url, headers }: AzureSent, { account, key }: AzureSigner): string {
  const length = only(headers, 'content-length');
  const plain = [
    'content-md5',
    'content-type',
    'date',
    'if-modified-since',
    'if-match',
    'if-none-match',
    'if-unmodified-since',
    'range',
  ];
  const own = Object.keys(headers)
    .filter((name) => name.startsWith('x-ms-'))
    .toSorted();
  const query = [...url.searchParams].map(([name, value]) => `${name.toLowerCase()}:${value}`).toSorted();
  const lines = [
    method,
    only(headers, 'content-encoding'),
    only(headers, 'content-language'),
    length === '0' ? '' : length,
    ...plain.map((name) => only(headers, name)),
    ...own.map((name) => `${name}:${only(headers, name)}`),
    [`/${account}${url.pathname}`, ...query].join('\n'),
  ];
  return createHmac('sha256', Buffer.from(key, 'base64')).update(lines.join('\n')).digest('base64');
}

function only(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
}

function unauthentic(): AzureRefusal {
  return new AzureRefusal(
    403,
    'AuthenticationFailed',
    'Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.',
  );
}
