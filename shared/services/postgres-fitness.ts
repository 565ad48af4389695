import pg from 'pg';
import type { Slot } from './contract.ts';
import { fix, fixAsSuperuser, q } from './postgres-fixes.ts';
import { AfterPassword } from './postgres-refusals.ts';
import { codeOf } from './postgres-said.ts';
import { pinNow } from './postgres-session.ts';
import { readOwnLogin, type OwnSession } from './postgres-sessions.ts';

/** What a consumer must be able to do where it logs in. */
export interface FitnessWanted {
  readonly slot: Slot;
  readonly database: string;
  /** The role that it becomes by itself; undefined: none in particular. */
  readonly ownerRole: string | undefined;
  /** True at the primary; another endpoint may be there for reading only. */
  readonly mustWrite: boolean;
}

/** What a login is, as the server shows it. */
export interface LoginSeen {
  /** Undefined where the server does not show the session to itself. */
  readonly own: OwnSession | undefined;
  readonly sessionUser: string;
  readonly currentUser: string;
  /** `server_version_num`. */
  readonly version: number;
  readonly isStandby: boolean;
  /** Where default_transaction_read_only comes from, as pg_settings says it; undefined: it may write. */
  readonly readOnlyBy: string | undefined;
  /** True where it may become the owner role, though it has not. */
  readonly mayBecome: boolean;
}

/** Nobody's names and operators are found: it runs as a consumer and outside a pinned transaction. */
const whoText = `SELECT session_user AS "sessionUser", current_user AS "currentUser",
  pg_catalog.current_setting('server_version_num') AS version, pg_catalog.pg_is_in_recovery() AS "isStandby",
  pg_catalog.current_setting('transaction_read_only') AS "readOnly"`;

const readOnlyText = `SELECT source FROM pg_catalog.pg_settings
  WHERE name OPERATOR(pg_catalog.=) 'default_transaction_read_only'`;

/** Looks at the login that runs this, in a transaction that it leaves open. */
export async function readLogin(client: pg.Client, { ownerRole }: FitnessWanted): Promise<LoginSeen> {
  interface Row {
    readonly sessionUser: string;
    readonly currentUser: string;
    readonly version: string;
    readonly isStandby: boolean;
    readonly readOnly: string;
  }
  await client.query('BEGIN');
  const [who] = (await client.query<Row>(whoText)).rows;
  if (!who) throw new Error('the server does not show who is logged in');
  await pinNow(client);
  const own = await readOwnLogin(client);
  const { sessionUser, currentUser, isStandby } = who;
  const asks = !isStandby && who.readOnly === 'on';
  const readOnlyBy = asks ? (await client.query<{ readonly source: string }>(readOnlyText)).rows[0]?.source : undefined;
  const mayBecome = ownerRole !== undefined && currentUser !== ownerRole && (await becomes(client, ownerRole));
  return { own, sessionUser, currentUser, version: Number(who.version), isStandby, readOnlyBy, mayBecome };
}

/** A failure ends the transaction, which is the last thing that is asked in it. */
async function becomes(client: pg.Client, role: string): Promise<boolean> {
  try {
    await client.query(`SET LOCAL ROLE ${pg.escapeIdentifier(role)}`);
    return true;
  } catch (thrown) {
    // insufficient_privilege, and invalid_parameter_value where there is no such role.
    if (codeOf(thrown) === '42501' || codeOf(thrown) === '22023') return false;
    throw thrown;
  }
}

/** Why a consumer could not do its work with such a login, with what to do; undefined: it can. Pure. */
export function unfitBecause(seen: LoginSeen, wanted: FitnessWanted): string | undefined {
  const { slot, ownerRole, mustWrite } = wanted;
  if (seen.sessionUser !== slot)
    return `the server sees ${seen.sessionUser} and not ${slot}, as where a pooler logs everybody in as one user. Take user= out of its line in [databases], and RELOAD it.`;
  const found = [
    ...(ownerRole === undefined || seen.currentUser === ownerRole ? [] : [notOwner(seen, wanted, ownerRole)]),
    ...(mustWrite ? notWriting(seen) : []),
  ];
  return found.length > 0 ? found.join(' ') : undefined;
}

function notOwner(seen: LoginSeen, { slot, database }: FitnessWanted, ownerRole: string): string {
  const what = `it works as ${seen.currentUser} and not as the owner role ${ownerRole}`;
  if (!seen.mayBecome)
    return fix(
      `${what}, which ${slot} may not become`,
      `GRANT ${q(ownerRole)} TO ${q(slot)}${seen.version >= 160_000 ? ' WITH SET TRUE' : ''}`,
    ).text;
  return fix(what, `ALTER ROLE ${q(slot)} IN DATABASE ${q(database)} SET role = ${pg.escapeLiteral(ownerRole)}`).text;
}

/**
 * What was set for one role is meant for it, and `describe` compares it between the two users. Who owns the database sets
 * what holds in it: that may be a consumer, who must not stop a rotation so, and `describe` tells it as a risk.
 */
function notWriting({ isStandby, readOnlyBy }: LoginSeen): readonly string[] {
  if (isStandby)
    return [
      'this endpoint is a standby, where nobody can write. Name the primary first among the endpoints, or promote this one.',
    ];
  const what = 'nobody can write unless they ask for it (default_transaction_read_only)';
  if (readOnlyBy === undefined || !ofServer.has(readOnlyBy)) return [];
  if (readOnlyBy !== 'configuration file')
    return [
      `on the whole server ${what}, by its ${readOnlyBy}. Start it without that, or name a server that writes first.`,
    ];
  return [
    fixAsSuperuser(
      `on the whole server ${what}, by ALTER SYSTEM or its configuration file`,
      'ALTER SYSTEM SET default_transaction_read_only = off; SELECT pg_reload_conf()',
    ).text,
  ];
}

const ofServer: ReadonlySet<string> = new Set(['configuration file', 'command line', 'environment variable', 'global']);

/** Why the server let a login with the right password go; undefined where that is for a moment only, or not known. */
export function refusedOtherwise(thrown: unknown, { slot, database }: FitnessWanted): string | undefined {
  if (!(thrown instanceof AfterPassword)) return undefined;
  const why: Readonly<Record<string, string>> = {
    '28000': fix(`the password is right, but ${slot} may not log in`, `ALTER ROLE ${q(slot)} LOGIN`).text,
    '42501': fix(
      `the password is right, but ${slot} may not connect to the database ${database}`,
      `GRANT CONNECT ON DATABASE ${q(database)} TO ${q(slot)}`,
    ).text,
    '3D000': `the password is right, but there is no database ${database} here. Name the database that consumers use.`,
  };
  return why[thrown.code];
}
