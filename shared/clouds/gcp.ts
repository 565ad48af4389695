import { LockkeeperError, type ErrorCode } from '../base/error.ts';

/** What is known about the call that failed. */
export interface GcpCall {
  /** True where a write was sent: what got lost on the way may then have happened. */
  readonly written?: boolean;
  /** The permission that the call needs (storage.objects.get), for the hint of `denied`. */
  readonly needs?: string;
}

/** What an error of a Google client says, whichever client it came from. */
export interface GcpFault {
  /** HTTP status; a gRPC code counts as the status that Google's REST gives for it. Undefined where no answer came. */
  readonly status: number | undefined;
  /**
   * Google's own word for it (conditionNotMet, PERMISSION_DENIED, …), or the code of Node or the SDK; '' where there is
   * none.
   */
  readonly reason: string;
  readonly name: string;
  /** One line, 500 characters at most. */
  readonly message: string;
  /** How long the service wants to be left alone, in milliseconds. */
  readonly retryAfterMs: number | undefined;
}

/**
 * An error of any Google client (Storage's ApiError, google-gax, gaxios, node-fetch) as ours, told by its shape.
 * `tried` says what on what. A write whose answer was lost, or was a 5xx other than 503, is `uncertain`. The cause is a
 * copy without request and response: those hold the access token.
 * https://cloud.google.com/storage/docs/json_api/v1/status-codes
 */
export function gcpError(thrown: unknown, tried: string, call: GcpCall = {}): LockkeeperError {
  if (thrown instanceof LockkeeperError) return thrown;
  const fault = gcpFault(thrown);
  const { code, hint } = meaningOf(fault, call);
  const marks = [fault.reason, fault.status].filter((mark) => mark !== '' && mark !== undefined).join(', ');
  return new LockkeeperError(code, `${tried}: ${fault.message}${marks && ` (${marks})`}`, {
    hint,
    cause: safeCause(thrown, fault),
  });
}

/** The facts of a client's error; of anything else only name and message. */
export function gcpFault(thrown: unknown): GcpFault {
  const answered = answerOf(thrown);
  const first = firstOf(fieldOf(answered, 'errors')) ?? firstOf(fieldOf(thrown, 'errors'));
  const message =
    textOf(fieldOf(first, 'message')) || textOf(fieldOf(answered, 'message')) || textOf(fieldOf(thrown, 'message'));
  const { status, word } = statusOf(thrown);
  return {
    status,
    reason: textOf(fieldOf(first, 'reason')) || textOf(fieldOf(answered, 'status')) || word,
    name: textOf(fieldOf(thrown, 'name')),
    message: message.replaceAll(/\s+/g, ' ').trim().slice(0, 500) || 'an error without a message',
    retryAfterMs: retryAfterMs(fieldOf(fieldOf(thrown, 'response'), 'headers')),
  };
}

/**
 * True where the answer says that the same request may go through a little later: 408, 429, 5xx, a broken connection.
 */
export function isPassing({ status, reason }: GcpFault): boolean {
  return status === undefined
    ? connectionLost.test(reason)
    : status === 408 || status === 429 || (status >= 500 && status !== 501);
}

interface Meaning {
  readonly code: ErrorCode;
  readonly hint: string;
}

const logIn =
  'Give lockkeeper a Google identity: a service account of the host, GOOGLE_APPLICATION_CREDENTIALS, or gcloud auth application-default login.';
const again = 'The next run tries again.';
const readBack = 'It may have happened: read it back before trying again.';
const slower: Meaning = { code: 'throttled', hint: `Google asks to go slower. ${again}` };

/** Reasons that mean more, or something else, than their status. */
const byReason: Readonly<Record<string, Meaning>> = {
  retentionPolicyNotMet: {
    code: 'denied',
    hint: "The bucket's retention policy protects it: nobody can replace or delete it before that ends.",
  },
  objectUnderActiveHold: {
    code: 'denied',
    hint: 'A hold protects it: nobody can replace or delete it before the hold is released.',
  },
  rateLimitExceeded: slower,
  userRateLimitExceeded: slower,
  RATE_LIMIT_EXCEEDED: slower,
  invalid_grant: { code: 'denied', hint: `The login has run out or was revoked. ${logIn}` },
  invalid_client: { code: 'denied', hint: logIn },
  unauthorized_client: { code: 'denied', hint: logIn },
  accessNotConfigured: { code: 'denied', hint: 'Enable this API in the project.' },
  billingNotEnabled: { code: 'denied', hint: 'Enable billing for the project.' },
  accountDisabled: { code: 'denied', hint: 'The account of the project is disabled: ask Google.' },
  FAILED_PRECONDITION: {
    code: 'conflict',
    hint: 'Its state forbids this: look at it (a disabled or destroyed version?), then run again.',
  },
};

/**
 * Texts of errors that say it nowhere else: google-auth-library's own, and a sum that is wrong, which is a plain 400.
 */
const byText: readonly (readonly [RegExp, Meaning])[] = [
  [
    /could not (load|refresh) (the default|access|default) credentials|could not refresh access token|no refresh token/i,
    { code: 'denied', hint: logIn },
  ],
  [
    /^provided (crc32c|md5 hash) .* doesn't match calculated/i,
    { code: 'unreachable', hint: `The bytes were damaged on the way; nothing was kept. ${again}` },
  ],
  [
    /unable to detect a project id|project ?id is required/i,
    { code: 'invalid', hint: 'Name the project (projectId).' },
  ],
];

/** No connection came about, so nothing was sent. */
const neverSent: readonly (readonly [RegExp, string])[] = [
  [/^ECONNREFUSED$/, 'Nothing listens there: check the endpoint.'],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'The host name is not known: check the endpoint, and DNS.'],
  [/^(EHOSTUNREACH|ENETUNREACH)$/, 'Check routes and firewalls to Google.'],
  [/CERT|SELF_SIGNED|^UNABLE_TO_/, 'TLS failed: something between here and Google shows another certificate.'],
];

/** The connection broke on the way, or what came is no HTTP, so nobody knows; or it damaged what was read. */
const connectionLost =
  /^(ECONNRESET|ECONNABORTED|EPIPE|ERR_STREAM_PREMATURE_CLOSE|UND_ERR_SOCKET|CONTENT_DOWNLOAD_MISMATCH|HPE_\w+)$/;
const late = /^(ETIMEDOUT|ESOCKETTIMEDOUT|ABORT_ERR|UND_ERR_\w+_TIMEOUT)$/;

/**
 * google.rpc.Code to HTTP status, as Google's REST gives it; only FAILED_PRECONDITION keeps its own name, see
 * `byReason`.
 */
const grpc: Readonly<Record<number, readonly [number, string]>> = {
  1: [499, 'CANCELLED'],
  2: [500, 'UNKNOWN'],
  3: [400, 'INVALID_ARGUMENT'],
  4: [504, 'DEADLINE_EXCEEDED'],
  5: [404, 'NOT_FOUND'],
  6: [409, 'ALREADY_EXISTS'],
  7: [403, 'PERMISSION_DENIED'],
  8: [429, 'RESOURCE_EXHAUSTED'],
  9: [400, 'FAILED_PRECONDITION'],
  10: [409, 'ABORTED'],
  11: [400, 'OUT_OF_RANGE'],
  12: [501, 'UNIMPLEMENTED'],
  13: [500, 'INTERNAL'],
  // Also what gRPC says of a broken connection, so it is not the 503 that means "nothing was done".
  14: [502, 'UNAVAILABLE'],
  15: [500, 'DATA_LOSS'],
  16: [401, 'UNAUTHENTICATED'],
};

function meaningOf(fault: GcpFault, call: GcpCall): Meaning {
  const known = byReason[fault.reason] ?? byText.find(([text]) => text.test(fault.message))?.[1];
  if (known) return known;
  const [, hint] = neverSent.find(([codes]) => codes.test(fault.reason)) ?? [];
  if (hint !== undefined) return { code: 'unreachable', hint };
  if (fault.status !== undefined) return byStatus(fault.status, call);
  if (connectionLost.test(fault.reason) || late.test(fault.reason) || /^(Abort|Timeout)Error$/.test(fault.name))
    return lost(call);
  // A client that could not read the answer to a write leaves its effect open too.
  return call.written === true
    ? lost(call)
    : { code: 'bug', hint: 'This is a defect in lockkeeper: please report it.' };
}

function byStatus(status: number, call: GcpCall): Meaning {
  switch (status) {
    case 401:
      return { code: 'denied', hint: logIn };
    case 403:
      return {
        code: 'denied',
        hint: `Grant ${call.needs ?? 'the permission that the message names'} to the identity that lockkeeper runs as.`,
      };
    case 404:
    case 410:
      return { code: 'not-found', hint: 'Create it, or name the right one and its project.' };
    case 409:
    case 412:
      return { code: 'conflict', hint: 'It changed meanwhile, or it is there already: read it again.' };
    case 408:
    case 499:
      return lost(call);
    case 429:
    case 503:
      return slower;
    case 405:
    case 501:
      return {
        code: 'unsupported',
        hint: 'This server cannot do it: use Google, or a newer version of the compatible server.',
      };
    default:
      // An answer that could not be read came with a success, or is a failure in the middle of the work.
      return status < 300 || status >= 500
        ? lost(call)
        : { code: 'invalid', hint: 'Google does not take this request: check the names in the configuration.' };
  }
}

function lost({ written = false }: GcpCall): Meaning {
  return written
    ? { code: 'uncertain', hint: readBack }
    : { code: 'unreachable', hint: `The answer was lost. ${again}` };
}

/**
 * The body of Google's answer where the client kept it parsed: {error: {message, status, errors}}, or OAuth's {error,
 * error_description}.
 */
function answerOf(thrown: unknown): unknown {
  const body = fieldOf(fieldOf(thrown, 'response'), 'data') ?? fieldOf(fieldOf(thrown, 'response'), 'body');
  const error = fieldOf(body, 'error');
  return typeof error === 'string'
    ? { status: error, message: textOf(fieldOf(body, 'error_description')) || error }
    : error;
}

/** A number up to 16 is gRPC's; texts are Node's and the SDK's own, where gaxios has also a status as text. */
function statusOf(thrown: unknown): { readonly status: number | undefined; readonly word: string } {
  const codes = [fieldOf(thrown, 'code'), fieldOf(fieldOf(thrown, 'cause'), 'code')];
  const word = textOf(codes.find((code) => typeof code === 'string' && !/^\d+$/.test(code)));
  const number = Number(codes[0] ?? fieldOf(thrown, 'status') ?? fieldOf(fieldOf(thrown, 'response'), 'status'));
  const [status, name] = grpc[number] ?? [];
  if (status !== undefined && name !== undefined) return { status, word: socketCode(thrown) ?? name };
  const direct = [number, Number(fieldOf(thrown, 'status'))].find((one) => one >= 100 && one < 600);
  return { status: direct, word };
}

/** gRPC hides the socket's error in its message: "No connection established. Last error: … ECONNREFUSED …". */
function socketCode(thrown: unknown): string | undefined {
  return /\b(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)\b/.exec(
    textOf(fieldOf(thrown, 'message')),
  )?.[0];
}

function safeCause(thrown: unknown, { name, status, reason, message }: GcpFault): unknown {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  return Object.assign(new Error(message), { name: name || 'Error', status, reason });
}

function retryAfterMs(headers: unknown): number | undefined {
  const value = hasGet(headers) ? headers.get('retry-after') : fieldOf(headers, 'retry-after');
  return typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) * 1_000 : undefined;
}

function hasGet(value: unknown): value is { get(name: string): unknown } {
  return typeof fieldOf(value, 'get') === 'function';
}

function firstOf(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
