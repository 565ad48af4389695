import { LockkeeperError, type ErrorCode } from '../base/error.ts';
import { ServerDistrusted } from './postgres-trust.ts';

interface Meaning {
  readonly code: ErrorCode;
  readonly hint: string;
}

/**
 * SQLSTATE (five characters, or the class of two) and Node's socket codes to ours. 28P01 and 28000 stand for
 * lockkeeper's own login here; for a consumer's login they are an answer, see `isRefusal`.
 */
const meanings: Readonly<Record<string, Meaning>> = {
  '28P01': { code: 'denied', hint: "Check the user and password of lockkeeper's own login." },
  '28000': { code: 'denied', hint: "Check lockkeeper's own login and the server's pg_hba.conf." },
  '42501': {
    code: 'denied',
    hint: 'Grant the right that the message names to lockkeeper’s own login; `rotate NAME --adopt` prints the SQL.',
  },
  '42704': { code: 'not-found', hint: 'Create the role, or name the right one. `rotate NAME --adopt` prints the SQL.' },
  '3D000': { code: 'not-found', hint: 'Name a database that exists.' },
  '22023': { code: 'rejected', hint: "The server's policy does not take this value." },
  '53': { code: 'throttled', hint: 'The server is full; the next run tries again.' },
  '57014': { code: 'conflict', hint: 'The statement took too long; the next run tries again.' },
  '57': { code: 'unreachable', hint: 'The server is starting, stopping or recovering; the next run tries again.' },
  '08': { code: 'unreachable', hint: 'The connection broke; the next run tries again.' },
  '55P03': { code: 'conflict', hint: 'Another run holds the lock; the next run tries again.' },
  '40': { code: 'conflict', hint: 'Another session changed the same thing; the next run tries again.' },
  XX000: { code: 'conflict', hint: 'Another session changed the same role; the next run tries again.' },
  '25006': { code: 'unreachable', hint: 'The first endpoint must be the primary; this one only reads.' },
  '0A000': { code: 'unsupported', hint: 'The server cannot do this.' },
  ECONNREFUSED: { code: 'unreachable', hint: 'Start the server, or name the right host and port.' },
  ECONNRESET: { code: 'unreachable', hint: 'The connection broke; the next run tries again.' },
  EPIPE: { code: 'unreachable', hint: 'The connection broke; the next run tries again.' },
  ETIMEDOUT: { code: 'unreachable', hint: 'Check routes and firewalls to the server.' },
  EHOSTUNREACH: { code: 'unreachable', hint: 'Check routes and firewalls to the server.' },
  ENETUNREACH: { code: 'unreachable', hint: 'Check routes and firewalls to the server.' },
  ENOTFOUND: { code: 'unreachable', hint: 'Check the host name.' },
  EAI_AGAIN: { code: 'unreachable', hint: 'Name resolution failed; the next run tries again.' },
};

/** Texts of errors that carry no code: the driver's own about the connection, and TLS. */
const texts: readonly (readonly [RegExp, Meaning])[] = [
  [/^SASL: .*client password must be/, { code: 'invalid', hint: 'Give a password that is not empty.' }],
  [
    /^SASL: (Only mechanism|.*scramMaxIterations)/,
    { code: 'unsupported', hint: 'Let the server offer SCRAM-SHA-256 with 4096 to 1000000 iterations.' },
  ],
  [
    /^SASL/,
    {
      code: 'unreachable',
      hint: 'The server did not prove that it knows the password: find out who answers at this address.',
    },
  ],
  [
    /does not support SSL/i,
    { code: 'unreachable', hint: 'Switch TLS on at the server, or set tls: off if the network may be trusted.' },
  ],
  [
    /certificate|self.signed|altname/i,
    { code: 'unreachable', hint: 'Name the authority that signed the server’s certificate (tls: {ca}).' },
  ],
  [
    /timeout|terminated|connection/i,
    { code: 'unreachable', hint: 'Check that the server answers; the next run tries again.' },
  ],
];

/** True where the server itself refused the login that was shown. */
export function isRefusal(thrown: unknown): boolean {
  const code = codeOf(thrown);
  return code === '28P01' || code === '28000';
}

/**
 * What was thrown before the server asked for a password. 28000 says then that no rule of pg_hba.conf lets this machine
 * in, which is no answer about the password: a value that is refused here may still be good elsewhere.
 */
export function refusedUnasked(thrown: unknown): unknown {
  if (codeOf(thrown) !== '28000') return thrown;
  return new ServerDistrusted(
    `the server lets nobody in from here before it asks for a password: ${messageOf(thrown)}`,
    'denied',
    'Add a line for this user, database and address to pg_hba.conf (hostssl where TLS is used), and reload.',
  );
}

/**
 * What the server or the socket said, as our error. `tried` says what on what. The server's own message is kept, as one
 * line that people read to its end; who passes it on withholds our values from it.
 */
export function postgresError(thrown: unknown, tried: string): LockkeeperError {
  if (thrown instanceof LockkeeperError) return thrown;
  const { code, hint } = meaningOf(thrown);
  const said = messageOf(thrown);
  const sqlState = codeOf(thrown);
  return new LockkeeperError(code, `${tried}: ${said}${sqlState ? ` (${sqlState})` : ''}`, { hint, cause: thrown });
}

function meaningOf(thrown: unknown): Meaning {
  if (thrown instanceof ServerDistrusted) return thrown.meaning;
  const code = codeOf(thrown);
  const known = meanings[code] ?? meanings[code.slice(0, 2)];
  if (known) return known;
  const [, byText] = texts.find(([pattern]) => pattern.test(messageOf(thrown))) ?? [];
  return byText ?? { code: 'bug', hint: 'This is a defect in lockkeeper: please report it.' };
}

function messageOf(thrown: unknown): string {
  const said =
    typeof thrown === 'object' && thrown !== null && 'message' in thrown ? String(thrown.message) : String(thrown);
  const line = said.replaceAll(/\p{Cc}+/gu, ' ');
  return line.length <= longestMessage ? line : `${line.slice(0, longestMessage).toWellFormed()}…`;
}

const longestMessage = 1_000;

function codeOf(thrown: unknown): string {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'string'
    ? thrown.code
    : '';
}
