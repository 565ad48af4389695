import { LockkeeperError, type ErrorCode } from '../base/error.ts';
import type { Sealed } from '../base/sealed.ts';

/** Static credentials; where none are given, an SDK finds its own (role, profile, environment). */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: Sealed;
  readonly sessionToken?: Sealed;
}

/** What every client of an AWS service is told. */
export interface AwsPlace {
  /** Left to the SDK (environment, profile) where it is missing and no endpoint is given either. */
  readonly region?: string | undefined;
  /** Base URL of a compatible service. */
  readonly endpoint?: string | undefined;
  readonly credentials?: AwsCredentials | undefined;
}

/** What the request that failed was for. */
export interface AwsRequest {
  /** True for a write: a lost answer is `uncertain` then, not `unreachable`. */
  readonly written?: boolean;
  /** The permissions it takes, for the hint where they are missing. */
  readonly needs?: string;
}

/** What AWS answered: the name of its error and the HTTP status, as far as there are any. */
export interface AwsAnswer {
  readonly name: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
}

interface Meaning {
  readonly code: ErrorCode;
  readonly hint: string;
}

/**
 * Settings of any SDK client. The SDK itself never tries again: it forgets that an earlier answer was lost, and then a
 * write that took effect reads as one that was refused.
 */
export function awsClientSettings({ region, endpoint, credentials }: AwsPlace) {
  const chosen = region ?? (endpoint === undefined ? undefined : 'us-east-1');
  return {
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 5_000 },
    ...(chosen !== undefined && { region: chosen }),
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && {
      credentials: {
        accessKeyId: credentials.accessKeyId,
        secretAccessKey: credentials.secretAccessKey.open(),
        ...(credentials.sessionToken && { sessionToken: credentials.sessionToken.open() }),
      },
    }),
  };
}

/**
 * Any error of an SDK in our codes, told by its shape. The cause is kept without the request and the answer that the
 * SDK hangs on to it: they hold session tokens.
 */
export function awsError(thrown: unknown, tried: string, about: AwsRequest = {}): LockkeeperError {
  if (thrown instanceof LockkeeperError) return thrown;
  const answer = awsAnswer(thrown);
  const { code, hint } = meaningOf(thrown, answer, about);
  const name = answer.name === 'Error' ? '' : answer.name;
  const details = [name, answer.status && `HTTP ${answer.status}`, answer.requestId && `request ${answer.requestId}`];
  const came = details.filter((one) => typeof one === 'string' && one !== '').join(', ');
  return new LockkeeperError(code, `${tried}: ${said(thrown)}${came && ` (${came})`}`, { hint, cause: bare(thrown) });
}

/**
 * The answer inside an SDK's error, for drivers that read some of them as values. A name has no "Exception" at its end.
 */
export function awsAnswer(thrown: unknown): AwsAnswer {
  const metadata = member(thrown, '$metadata');
  const status = member(metadata, 'httpStatusCode');
  const requestId = member(metadata, 'requestId');
  return {
    name: textOf(member(thrown, 'name')).replace(/(Exception|Fault)$/, ''),
    status: typeof status === 'number' ? status : undefined,
    requestId: typeof requestId === 'string' ? requestId : undefined,
  };
}

/** How long AWS asks to wait, in milliseconds; undefined where it does not. */
export function awsRetryAfterMs(thrown: unknown): number | undefined {
  const seconds = Number(member(member(member(thrown, '$response'), 'headers'), 'retry-after') ?? NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
}

function meaningOf(thrown: unknown, answer: AwsAnswer, about: AwsRequest): Meaning {
  const { status } = answer;
  const byName = names.find(([pattern]) => pattern.test(answer.name))?.[1];
  if (byName) return byName(about);
  if (status === undefined) return systemMeaning(thrown, about) ?? meanings.bug;
  // The SDK could not read what came with a success, or which error it was: of a 404 only its body tells what is
  // missing.
  if (status < 300 || answerLost.test(textsOf(thrown))) return lost(about);
  return statuses[status]?.(about) ?? (status >= 500 ? lost(about) : meanings.invalid);
}

const meanings = {
  bug: { code: 'bug', hint: 'This is a defect in lockkeeper: please report it.' },
  invalid: {
    code: 'invalid',
    hint: 'AWS does not take this request: check the names and the region in the configuration.',
  },
  region: { code: 'invalid', hint: 'It is in another region: name that one.' },
  noRegion: { code: 'invalid', hint: 'Name the region in the configuration, or set AWS_REGION.' },
  folder: { code: 'invalid', hint: 'An object cannot be the folder of another one here.' },
  credentials: {
    code: 'denied',
    hint: 'Give lockkeeper credentials that AWS takes: a role, or keys that are not expired.',
  },
  clock: { code: 'denied', hint: "Set this machine's clock: AWS refuses requests that are minutes off." },
  throttled: { code: 'throttled', hint: 'AWS asks to go slower; the next run tries again.' },
  missing: { code: 'not-found', hint: 'Make it, or name the right one and its region.' },
  conflict: { code: 'conflict', hint: 'It changed meanwhile, or it is there already: read it again.' },
  rejected: { code: 'rejected', hint: 'Its state or a quota of the account forbids it: see the message.' },
  unsupported: {
    code: 'unsupported',
    hint: 'This service cannot do that: use AWS, or a newer version of the compatible service.',
  },
  unreachable: { code: 'unreachable', hint: 'Check the endpoint, routes and name resolution; nothing was sent.' },
} as const satisfies Record<string, Meaning>;

function denied({ needs }: AwsRequest): Meaning {
  return {
    code: 'denied',
    hint: `Grant ${needs ?? 'what the message names'} to the role or user that lockkeeper runs as, and look for a policy that denies it.`,
  };
}

/** The request went out and its answer did not come in. */
function lost({ written }: AwsRequest): Meaning {
  if (written === true) return { code: 'uncertain', hint: 'It may have taken effect: read it back.' };
  return { code: 'unreachable', hint: 'The answer was lost; the next run tries again.' };
}

type Reading = (about: AwsRequest) => Meaning;

/**
 * In this order: some names fit several lines. S3 answers 409 where a conditional write has to be repeated: it is no
 * conflict.
 */
const names: readonly (readonly [RegExp, Reading])[] = [
  [
    /^(SlowDown|Throttl|RequestThrottled|EC2Throttled|TooManyRequests|RequestLimitExceeded|BandwidthLimitExceeded|ProvisionedThroughput|PriorRequestNotComplete|TransactionInProgress)/,
    () => meanings.throttled,
  ],
  [/^(ConditionalRequestConflict|OperationAborted|ServiceUnavailable|Unavailable)$/, () => meanings.throttled],
  [/^(RequestTimeTooSkewed|RequestExpired|RequestInTheFuture)$/, () => meanings.clock],
  [
    /^(ExpiredToken|InvalidToken|InvalidAccessKeyId|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidSignature|IncompleteSignature|MissingAuthenticationToken|TokenRefreshRequired|(Credentials|Token)ProviderError)$/,
    () => meanings.credentials,
  ],
  [/^(AccessDenied|UnauthorizedOperation|AuthFailure|OptInRequired|AllAccessDisabled)/, denied],
  [/^(PermanentRedirect|TemporaryRedirect|AuthorizationHeaderMalformed)$/, () => meanings.region],
  [/^(NoSuch\w+|(Resource)?NotFound|[\w.]+\.NotFound)$/, () => meanings.missing],
  // Of S3-compatible stores on a file system.
  [/^(ObjectParentIsFile|ExistingObjectIsDirectory)$/, () => meanings.folder],
  [
    /^(PreconditionFailed|Conflict|IdempotentParameterMismatch|Resource(Exists|InUse|Conflict)|\w*AlreadyExists|[\w.]+\.Duplicate)$/,
    () => meanings.conflict,
  ],
  [
    /^(\w*LimitExceeded|\w*QuotaExceeded|InvalidObjectState|KMSInvalidState|Disabled|KeyUnavailable|(En|De)cryptionFailure)$/,
    () => meanings.rejected,
  ],
  [/^(NotImplemented|MethodNotAllowed|Unsupported\w*)$/, () => meanings.unsupported],
  [/^(InternalError|InternalFailure|InternalServiceError|DependencyTimeout|KMSInternal)$/, lost],
  // S3 waited for the rest of the request: it never had it whole.
  [/^RequestTimeout$/, () => ({ code: 'unreachable', hint: 'The connection is too slow; nothing was written.' })],
];

const statuses: Readonly<Record<number, Reading>> = {
  301: () => meanings.region,
  307: () => meanings.region,
  401: denied,
  403: denied,
  404: () => meanings.missing,
  405: () => meanings.unsupported,
  408: lost,
  409: () => meanings.conflict,
  412: () => meanings.conflict,
  429: () => meanings.throttled,
  501: () => meanings.unsupported,
  503: () => meanings.throttled,
};

const neverSent =
  /\b(connect|getaddrinfo) E|\b(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)\b|certificate|did not establish a connection/;
const answerLost =
  /\b(ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|ERR_STREAM_PREMATURE_CLOSE|TimeoutError|AbortError|socket hang up|aborted|Checksum mismatch|Parse Error|HPE_\w+)\b/;

/**
 * Errors of sockets, name resolution, TLS and time limits. Told by their text: the SDK puts an error of another realm
 * into one of its own and drops its code, as it does under jest.
 */
function systemMeaning(thrown: unknown, about: AwsRequest): Meaning | undefined {
  const text = textsOf(thrown);
  if (/\bRegion is missing\b/.test(text)) return meanings.noRegion;
  if (neverSent.test(text)) return meanings.unreachable;
  return answerLost.test(text) ? lost(about) : undefined;
}

function textsOf(thrown: unknown): string {
  return ['code', 'name', 'message'].map((one) => textOf(member(thrown, one))).join(' ');
}

/** AWS quotes a wrong value in its answer: it is left out, since it may be the secret that was written. */
function said(thrown: unknown): string {
  const message = textOf(member(thrown, 'message')).replace(/\s*Deserialization error: [^]*/, '') || 'no message';
  return message.replace(/\bValue '[^]*?' at '/g, "Value [left out] at '");
}

function bare(thrown: unknown): unknown {
  if (member(thrown, '$metadata') === undefined && member(thrown, '$response') === undefined) return thrown;
  const cause = new Error(said(thrown));
  cause.name = textOf(member(thrown, 'name')) || cause.name;
  return cause;
}

function member(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
