import { LockkeeperError, type ErrorCode } from '../base/error.ts';

/** Where Azure gets its tokens from. */
export type AzureLogin = Awaited<ReturnType<typeof azureLogin>>;

/**
 * The identity that the host has: environment, workload identity, managed identity, or `az login`. Nothing is asked
 * before the first token is needed; what it answers keeps and renews its tokens.
 */
export async function azureLogin() {
  const { DefaultAzureCredential } = await import('@azure/identity');
  return new DefaultAzureCredential();
}

/** What the request that failed was for. */
export interface AzureRequest {
  /** True for a write: a lost answer is `uncertain` then, not `unreachable`. */
  readonly written?: boolean;
  /** The role it takes, for the hint where it is missing. */
  readonly needs?: string;
}

/** What Azure answered, whichever SDK brought it. */
export interface AzureAnswer {
  /** The service's own error code (BlobNotFound, SecretNotFound, …), or Node's or the SDK's; '' where there is none. */
  readonly code: string;
  /** HTTP status, undefined where no answer came. */
  readonly status: number | undefined;
  readonly name: string;
  /** The first line; the others are request id and time. */
  readonly message: string;
  /** What Microsoft's support asks for. */
  readonly requestId: string | undefined;
  /** How long the service wants to be left alone, in milliseconds. */
  readonly retryAfterMs: number | undefined;
}

/**
 * An error of any Azure SDK as ours, told by its shape. `tried` says what on what. A write whose answer was lost, or
 * was a 5xx other than ServerBusy, is `uncertain`: for OperationTimedOut the service itself says that it may have
 * happened. The cause is a copy without request and response: those hold tokens and signatures.
 * https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes
 */
export function azureError(thrown: unknown, tried: string, about: AzureRequest = {}): LockkeeperError {
  if (thrown instanceof LockkeeperError) return thrown;
  const answer = azureAnswer(thrown);
  const { code, hint } = meaningOf(answer, about);
  const details = [
    answer.code,
    answer.status && `HTTP ${answer.status}`,
    answer.requestId && `request ${answer.requestId}`,
  ];
  const came = details.filter((one) => typeof one === 'string' && one !== '').join(', ');
  return new LockkeeperError(code, `${tried}: ${answer.message}${came && ` (${came})`}`, {
    hint,
    cause: bare(thrown, answer),
  });
}

/**
 * The answer inside an SDK's error, for drivers that read some of them as values; of other errors name and message
 * only.
 */
export function azureAnswer(thrown: unknown): AzureAnswer {
  const status = fieldOf(thrown, 'statusCode');
  const name = fieldOf(thrown, 'name');
  const header = headersOf(thrown);
  const code = header('x-ms-error-code') ?? fieldOf(thrown, 'code');
  const [message = ''] = String(fieldOf(thrown, 'message') ?? thrown).split('\n');
  return {
    code: typeof code === 'string' ? code : '',
    status: typeof status === 'number' && status > 0 ? status : undefined,
    name: typeof name === 'string' ? name : '',
    message: message.trim() || 'an error without a message',
    requestId: header('x-ms-request-id'),
    retryAfterMs: milliseconds(header('retry-after-ms'), 1) ?? milliseconds(header('retry-after'), 1_000),
  };
}

interface Meaning {
  readonly code: ErrorCode;
  readonly hint: string;
}

const logIn = 'Log in (az login), or give the host a managed or workload identity.';
const again = 'The next run tries again.';
const readBack = 'It may have happened: read it back before trying again.';
const defect = 'This is a defect in lockkeeper, or the settings are not what Azure takes.';
const retained = 'Retention or a legal hold protects it; nobody can replace or delete it before that ends.';
const leased = 'Something holds a lease on it: break the lease (az storage blob lease break).';

/** Error codes that mean more, or something else, than their status. */
const byCode: Readonly<Record<string, Meaning>> = {
  AuthenticationFailed: {
    code: 'denied',
    hint: 'Check the account key or the login, and that the clock is right to 15 minutes.',
  },
  InvalidAuthenticationInfo: { code: 'denied', hint: `The login is not valid any more. ${logIn}` },
  ExpiredAuthenticationToken: { code: 'denied', hint: `The login has run out. ${logIn}` },
  BlobImmutableDueToPolicy: { code: 'denied', hint: retained },
  BlobImmutableDueToLegalHold: { code: 'denied', hint: retained },
  ContainerNotFound: { code: 'not-found', hint: 'Create the container, or name the right one.' },
  ContainerBeingDeleted: {
    code: 'not-found',
    hint: 'Somebody is deleting the container: create it again, or name another one.',
  },
  LeaseIdMissing: { code: 'conflict', hint: leased },
  SnapshotsPresent: { code: 'conflict', hint: 'Somebody made snapshots of it: delete those first.' },
  ServerBusy: { code: 'throttled', hint: `Nothing was done. ${again}` },
  BlobOperationNotSupported: { code: 'unsupported', hint: 'Use an account without a hierarchical namespace.' },
  FeatureVersionMismatch: { code: 'unsupported', hint: 'The account or the object does not have this feature.' },
  UnsupportedHeader: { code: 'unsupported', hint: 'The server is too old, or the account does not have this feature.' },
  UnsupportedQueryParameter: {
    code: 'unsupported',
    hint: 'The server is too old, or the account does not have this feature.',
  },
};

/** The login failed, so nothing was sent. */
const loginNames = new Set([
  'CredentialUnavailableError',
  'AggregateAuthenticationError',
  'AuthenticationError',
  'AuthenticationRequiredError',
]);

/** No connection came about, so nothing was sent. */
const neverSent: readonly (readonly [RegExp, string])[] = [
  [/^ECONNREFUSED$/, 'Nothing listens there: check the endpoint.'],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'The host name is not known: check the name of the account or vault, and DNS.'],
  [/^(EHOSTUNREACH|ENETUNREACH)$/, 'Check routes and firewalls to Azure.'],
  [/CERT|SELF_SIGNED|^UNABLE_TO_|^EPROTO$/, 'TLS failed: something between here and Azure shows another certificate.'],
];

/** The connection broke, or the time was up, or what came is no HTTP, so nobody knows. */
const lost =
  /^(ECONNRESET|EPIPE|ETIMEDOUT|ESOCKETTIMEDOUT|ERR_STREAM_PREMATURE_CLOSE|REQUEST_SEND_ERROR|PARSE_ERROR|HPE_\w+)$/;

function meaningOf(answer: AzureAnswer, about: AzureRequest): Meaning {
  if (loginNames.has(answer.name))
    return (answer.status ?? 0) >= 500 ? byStatus(answer.status ?? 0, {}) : { code: 'denied', hint: logIn };
  const known = byCode[answer.code];
  if (known) return known;
  if (answer.status !== undefined && answer.status >= 400) return byStatus(answer.status, about);
  const [, hint] = neverSent.find(([pattern]) => pattern.test(answer.code)) ?? [];
  if (hint !== undefined) return { code: 'unreachable', hint };
  if (answer.message.startsWith('connect '))
    return { code: 'unreachable', hint: 'Check routes and firewalls to Azure.' };
  if (lost.test(answer.code) || answer.name === 'AbortError' || answer.name === 'TimeoutError')
    return broken('unreachable', about);
  // An answer that could not be read came with a success.
  if (answer.status !== undefined && answer.status < 300) return broken('unreachable', about);
  return { code: 'bug', hint: defect };
}

function byStatus(status: number, about: AzureRequest): Meaning {
  switch (status) {
    case 401:
    case 403:
      return denied(about);
    case 404:
      return { code: 'not-found', hint: 'Check the names of account, vault, group and resource.' };
    case 408:
      return broken('unreachable', about);
    case 409:
    case 412:
      return {
        code: 'conflict',
        hint: 'Something else changes it, or its state forbids this: look at it, then run again.',
      };
    case 429:
      return { code: 'throttled', hint: `Nothing was done. ${again}` };
    case 500:
    case 503:
      return broken('throttled', about);
    case 501:
      return { code: 'unsupported', hint: 'This server cannot do it.' };
    default:
      return status > 500 ? broken('unreachable', about) : { code: 'invalid', hint: defect };
  }
}

/** A firewall of the account answers the same 403 as a missing role. */
function denied({ needs = 'the role that this takes' }: AzureRequest): Meaning {
  return {
    code: 'denied',
    hint: `Give the identity of this host ${needs}, and see that the firewall of the account lets it in.`,
  };
}

function broken(otherwise: ErrorCode, { written = false }: AzureRequest): Meaning {
  return written ? { code: 'uncertain', hint: readBack } : { code: otherwise, hint: `Nothing was changed. ${again}` };
}

/** Only an error that no SDK made is kept as it is: its stack shows the defect. */
function bare(thrown: unknown, { name, code, status, message, requestId }: AzureAnswer): unknown {
  const isOfSdk = status !== undefined || loginNames.has(name) || name === 'RestError';
  return isOfSdk ? Object.assign(new Error(message), { name, code, status, requestId }) : thrown;
}

function milliseconds(text: string | undefined, unit: number): number | undefined {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) * unit : undefined;
}

function headersOf(thrown: unknown): (name: string) => string | undefined {
  const headers = fieldOf(fieldOf(thrown, 'response'), 'headers');
  if (!hasGet(headers)) return () => undefined;
  return (name) => {
    const value = headers.get(name);
    return typeof value === 'string' ? value : undefined;
  };
}

function hasGet(value: unknown): value is { get(name: string): unknown } {
  return typeof fieldOf(value, 'get') === 'function';
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
