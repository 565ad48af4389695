import { LockkeeperError, type ErrorCode } from '../base/error.ts';
import { codeOf, messageOf } from './postgres-said.ts';
import { ServerDistrusted } from './postgres-trust.ts';

interface Meaning {
  readonly code: ErrorCode;
  readonly hint: string;
}

const onlyReads: Meaning = {
  code: 'unreachable',
  hint: 'The first endpoint must be the primary, and this one is a standby: name the primary first, or promote this one.',
};

/** The server says the same of a user that has expired. */
const ownPassword =
  "Check the user and password of lockkeeper's own login, and that the user has not expired (VALID UNTIL).";

type Texts = readonly (readonly [RegExp, Meaning])[];

/**
 * SQLSTATE (five characters, or the class of two) and Node's socket codes to ours. 28P01 and 28000 stand for
 * lockkeeper's own login here; for a consumer's login they are an answer, see postgres-refusals.ts.
 */
const meanings: Readonly<Record<string, Meaning>> = {
  '28P01': { code: 'denied', hint: ownPassword },
  '28000': { code: 'denied', hint: "Check lockkeeper's own login and the server's pg_hba.conf." },
  '42501': {
    code: 'denied',
    hint: 'Grant the right that the message names to lockkeeper’s own login; `rotate NAME --adopt` prints the SQL.',
  },
  '42704': { code: 'not-found', hint: 'Create the role, or name the right one. `rotate NAME --adopt` prints the SQL.' },
  '3D000': { code: 'not-found', hint: 'Name a database that exists.' },
  '22023': { code: 'rejected', hint: "The server's policy does not take this value." },
  '53300': {
    code: 'throttled',
    hint: 'Every connection that the server, the database or this role may have is taken, which says nothing about the password; the next run tries again. Its check needs one connection more.',
  },
  '53': { code: 'throttled', hint: 'The server is full; the next run tries again.' },
  '57014': { code: 'conflict', hint: 'The statement took too long; the next run tries again.' },
  '57': { code: 'unreachable', hint: 'The server is starting, stopping or recovering; the next run tries again.' },
  '08': { code: 'unreachable', hint: 'The connection broke; the next run tries again.' },
  '55P03': { code: 'conflict', hint: 'Another run holds the lock; the next run tries again.' },
  '40': { code: 'conflict', hint: 'Another session changed the same thing; the next run tries again.' },
  XX000: { code: 'conflict', hint: 'Another session changed the same role; the next run tries again.' },
  '25006': onlyReads,
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

/** What PgBouncer says as 08P01 (protocol violation), which in its mouth means anything. */
const poolerTexts: Texts = [
  [/^(?:SASL|password) authentication failed|^auth failed|^no such user/i, { code: 'denied', hint: ownPassword }],
  [/^no such database/i, { code: 'not-found', hint: 'Name the database in [databases] of the pooler, and RELOAD it.' }],
  [
    /server_login_retry|^server login failed/i,
    {
      code: 'unreachable',
      hint: 'The pooler cannot log in at its server, and tries again after its server_login_retry; so does the next run.',
    },
  ],
  [/^no more connections allowed/i, { code: 'throttled', hint: 'The pooler is full; the next run tries again.' }],
];

/** Texts of errors that carry no code: the driver's own about the connection, and TLS. */
const texts: Texts = [
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
  const told = messageOf(thrown);
  if (code === '08P01') {
    const [, byPooler] = poolerTexts.find(([pattern]) => pattern.test(told)) ?? [];
    if (byPooler) return byPooler;
  }
  if (code === '0A000' && told.includes('read-write mode during recovery')) return onlyReads;
  const known = meanings[code] ?? meanings[code.slice(0, 2)];
  if (known) return known;
  const [, byText] = texts.find(([pattern]) => pattern.test(told)) ?? [];
  return byText ?? { code: 'bug', hint: 'This is a defect in lockkeeper: please report it.' };
}
