import type pg from 'pg';
import { setTimeout as pause } from 'node:timers/promises';
import { LockkeeperError } from '../base/error.ts';
import type { Slot } from './contract.ts';
import type { ServerPoint, SessionPoint } from './postgres-mark.ts';
import { inPinned } from './postgres-session.ts';

/** One session as a server shows it. */
export interface SessionSeen extends SessionPoint {
  readonly pid: number;
  /** Undefined for a local socket, and where lockkeeper may not see it, as `began` tells. */
  readonly address: string | undefined;
  readonly program: string | undefined;
  /** True where it comes from where the pooler does through which lockkeeper looks. */
  readonly fromPooler: boolean;
}

/** One of lockkeeper's own logins: its process, and when it began, for the numbers of processes come again. */
export interface OwnLogin {
  readonly pid: number;
  /** Microseconds since 1970. */
  readonly began: number;
}

/** A point in time as whole microseconds since 1970: a text of eight bytes, whatever the settings say. */
function micros(time: string): string {
  return `pg_catalog.floor(extract(epoch FROM ${time}) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8`;
}

/** Runs as a consumer, also behind a pooler that pins nothing: so it has no name and no operator without a schema. */
const ownText = `SELECT pid, ${micros('backend_start')} AS began, ${micros('pg_catalog.clock_timestamp()')} AS at
  FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid())`;

const pointText = `SELECT ${micros('pg_catalog.clock_timestamp()')} AS at,
  ${micros('pg_catalog.pg_postmaster_start_time()')} AS started`;

/**
 * `backend_start`, `client_addr` and `client_port` are null to who may not see them; pid, user and `application_name`
 * never are. A port of null beside a beginning belongs to no client: it is the server's own worker for a session that is
 * there too, or for a job.
 */
const sessionsText = `SELECT pid, pg_catalog.host(client_addr) AS address, application_name AS program,
    ${micros('backend_start')} AS began, ${micros('pg_catalog.pg_postmaster_start_time()')} AS started,
    pg_catalog.pg_backend_pid() AS me, client_addr IS NOT DISTINCT FROM pg_catalog.inet_client_addr() AS "fromHere"
  FROM pg_catalog.pg_stat_activity
  WHERE usename = $1::pg_catalog.name AND pid <> pg_catalog.pg_backend_pid()
    AND (backend_start IS NULL OR client_port IS NOT NULL)
    AND NOT (coalesce(application_name, '') = $2::pg_catalog.text AND pid = ANY($3::pg_catalog.int4[])
      AND coalesce(${micros('backend_start')}, 0) = ANY($4::pg_catalog.int8[]))
  ORDER BY backend_start`;

/** `pg_terminate_backend` with a time to wait came with 14; without one it only signals, and who asks looks again. */
const endText = `SELECT pid, pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
  WHERE usename = $1::pg_catalog.name AND pid <> pg_catalog.pg_backend_pid()
    AND (backend_start IS NULL OR ${micros('backend_start')} <= $2::pg_catalog.int8)`;

/** The server's time now and when it was started. */
export async function readPoint(client: pg.Client): Promise<ServerPoint> {
  const { rows } = await client.query<{ readonly at: string; readonly started: string }>(pointText);
  return { at: Number(rows[0]?.at), started: Number(rows[0]?.started) };
}

/** A login as the server shows it to itself. */
export interface OwnSession extends OwnLogin {
  /** The server's time, in microseconds since 1970. */
  readonly at: number;
}

/** The login that runs this; undefined where the server shows none. */
export async function readOwnLogin(client: pg.Client): Promise<OwnSession | undefined> {
  interface Row {
    readonly pid: number | null;
    readonly began: string | null;
    readonly at: string;
  }
  const [row] = (await client.query<Row>(ownText)).rows;
  const [pid, began] = [row?.pid ?? NaN, Number(row?.began ?? NaN)];
  if (!Number.isSafeInteger(pid) || !Number.isSafeInteger(began)) return undefined;
  return { pid, began, at: Number(row?.at) };
}

/** Every session of the user, oldest first, without those under `own.name` that are one of `own.logins`. */
export async function readSessions(
  client: pg.Client,
  slot: Slot,
  own: { readonly name: string; readonly logins: readonly OwnLogin[]; readonly isPooler: boolean },
): Promise<readonly SessionSeen[]> {
  interface Row {
    readonly pid: number;
    readonly address: string | null;
    readonly program: string | null;
    readonly began: string | null;
    readonly started: string;
    readonly me: number;
    readonly fromHere: boolean;
  }
  const mine = [own.logins.map(({ pid }) => pid), own.logins.map(({ began }) => began)];
  const { rows } = await inPinned(client, () => client.query<Row>(sessionsText, [slot, own.name, ...mine]));
  return rows.map(({ pid, address, program, began, started, me, fromHere }) => ({
    pid,
    address: address ?? undefined,
    program: program ?? undefined,
    began: began === null ? undefined : Number(began),
    started: Number(started),
    fromPooler: began !== null && fromHere && (own.isPooler || isOtherProcess(client, me)),
  }));
}

/**
 * A server names its own process to the client. A pooler names something else, whatever startup options it takes: then
 * `pid`, which the server shows itself, is another.
 */
export function isOtherProcess(client: pg.Client, pid: number | undefined): boolean {
  const named = 'processID' in client && typeof client.processID === 'number' ? client.processID : undefined;
  return named !== undefined && pid !== undefined && named !== pid;
}

/** Milliseconds between looks: five seconds in all, most of them for servers that are busy. */
const pauses = [10, 20, 40, 80, 150, 300, 500, 500, 500, 500, 500, 500, 500, 500, 500];
const always = '9223372036854775807';

/**
 * Ends the user's sessions and answers when they are gone. `all`: also those that begin meanwhile, for a login that was
 * accepted a moment before the password went may show up a moment later; else those that are there now. Each look is a
 * transaction of its own, because the server shows one transaction the same sessions all along. `conflict` where
 * they do not go in five seconds.
 */
export async function endSessions(
  client: pg.Client,
  { slot, endpoint, all }: { readonly slot: Slot; readonly endpoint: string; readonly all: boolean },
): Promise<void> {
  const until = all ? always : String((await inPinned(client, () => readPoint(client))).at);
  let left: readonly number[] = [];
  for (const ms of pauses) {
    const { rows } = await inPinned(client, () => client.query<{ readonly pid: number }>(endText, [slot, until]));
    left = rows.map(({ pid }) => pid);
    if (left.length === 0) return;
    await pause(ms);
  }
  const told = `ending the sessions of ${slot} at ${endpoint}: ${left.length} are still there (processes ${left.join(', ')})`;
  throw new LockkeeperError('conflict', told, {
    hint: 'End these processes at the server by hand; the next run tries again.',
  });
}
