import { codeOf, messageOf } from './postgres-said.ts';
import { ServerDistrusted } from './postgres-trust.ts';

/** A pooler does not take startup options. It says so before it asks for a password. */
export class OptionsRefused extends Error {
  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
    this.name = 'OptionsRefused';
  }
}

/** The server took the password, and then refused the login for another reason, which the SQLSTATE `code` names. */
export class AfterPassword extends Error {
  readonly code: string;

  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
    this.name = 'AfterPassword';
    this.code = codeOf(cause);
  }
}

/** PgBouncer to 1.19 and from 1.20 (08P01), and RDS Proxy (0A000). */
const noOptions: readonly (readonly [code: string, text: RegExp])[] = [
  ['08P01', /^unsupported startup parameter(?: in options)?: /i],
  ['08P01', /^unsupported options startup parameter: /i],
  ['0A000', /^Feature not supported: RDS Proxy currently doesn.t support command-line options/],
];

/**
 * How PgBouncer refuses a login, always as 08P01 (protocol violation): its own words from 1.0 to 1.25, for a password
 * that is not the one it holds and for a user that it does not know.
 */
const poolerRefusals =
  /^(?:SASL authentication failed|password authentication failed|auth failed|no such user(?:: .*)?)$/i;

/** PostgreSQL's words, also where a pooler passes on how the server refused the pooler's own login. */
const refusedFor = /^password authentication failed for user "(.*)"$/;

/**
 * True where the server, or a pooler before it, refused the user and value that were shown. A refusal that names
 * somebody else is about the pooler's own login at the server, and proves nothing.
 */
export function isRefusal(thrown: unknown, user: string): boolean {
  if (thrown instanceof AfterPassword) return false;
  const named = refusedFor.exec(messageOf(thrown))?.[1];
  if (named !== undefined && named !== user) return false;
  const code = codeOf(thrown);
  if (code === '08P01') return named !== undefined || poolerRefusals.test(messageOf(thrown));
  return code === '28P01' || code === '28000';
}

/** What was thrown before the server asked for a password, as what it is: it is no answer about the password. */
export function refusedUnasked(thrown: unknown): unknown {
  const [code, said] = [codeOf(thrown), messageOf(thrown)];
  if (noOptions.some(([one, text]) => one === code && text.test(said))) return new OptionsRefused(thrown);
  if (code === '28000') return notLetIn(said);
  if (code !== '28P01') return thrown;
  return new ServerDistrusted(
    `the login is refused before any password was asked for: ${said}`,
    'unreachable',
    'If a pooler answers here, it cannot log in at its own server: check its auth_user and that one’s password.',
  );
}

/** What was thrown after the password was taken and before the login was complete. */
export function refusedAfterPassword(thrown: unknown): unknown {
  return codeOf(thrown) === '' ? thrown : new AfterPassword(thrown);
}

/** PostgreSQL names host, user, database and encryption as it sees them. */
const byRule = /^(?:no pg_hba\.conf entry|pg_hba\.conf rejects connection) for .*?(, no encryption|, SSL off)?$/;

/** Neither the password nor what consumers on other hosts are told is known then. */
function notLetIn(said: string): ServerDistrusted {
  const rule = byRule.exec(said);
  const told = `${said}: the server refuses this machine before it asks for a password, so nothing is known about the password, nor about consumers on other hosts`;
  if (!rule)
    return new ServerDistrusted(
      told,
      'denied',
      'Let pg_hba.conf ask for scram-sha-256 here, not for a certificate, an account or a ticket.',
    );
  const alsoTls = rule[1] === undefined ? '' : ', or ask for TLS (tls): lines with hostssl do not count without it';
  return new ServerDistrusted(
    told,
    'denied',
    `Add a line for this host, user and database to pg_hba.conf and reload${alsoTls}.`,
  );
}
