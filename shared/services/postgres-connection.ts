import pg from 'pg';
import { LockkeeperError } from '../base/error.ts';
import type { Sealed } from '../base/sealed.ts';
import { postgresError } from './postgres-errors.ts';

/**
 * `require`: TLS with a certificate that this machine's authorities vouch for; `{ca}`: one that this authority (PEM)
 * signed; `off`: never TLS. Nothing falls back from TLS to plain text.
 */
export type PostgresTls = 'require' | 'off' | { readonly ca: string };

/** One connection to be made. */
export interface PostgresTarget {
  /** `host:port`; IPv6 as `[::1]:5432`. */
  readonly endpoint: string;
  readonly database: string;
  readonly tls: PostgresTls;
  readonly user: string;
  readonly password: Sealed;
  readonly applicationName: string;
}

const connectMs = 5_000;
const statementMs = 10_000;

/**
 * Connects, runs `work`, and closes the connection whatever happens. The raw error comes through: the caller knows
 * what it means.
 */
export async function withConnection<T>(target: PostgresTarget, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const { host, port } = addressOf(target.endpoint);
  const client = new pg.Client({
    host,
    port,
    user: target.user,
    password: target.password.open(),
    database: target.database,
    ssl:
      target.tls === 'off'
        ? false
        : { rejectUnauthorized: true, ...(target.tls !== 'require' && { ca: target.tls.ca }) },
    application_name: target.applicationName,
    connectionTimeoutMillis: connectMs,
    statement_timeout: statementMs,
    // The server's own limit comes first; this one is for a server that no longer answers.
    query_timeout: statementMs + 5_000,
  });
  // A connection that breaks between two statements also makes the next statement fail, which is where it is handled.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await closed(client);
  }
}

/** As withConnection, with every error as ours; `tried` says what was tried. */
export async function asAdmin<T>(
  target: PostgresTarget,
  tried: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  try {
    return await withConnection(target, work);
  } catch (thrown) {
    throw postgresError(thrown, `${tried} at ${target.endpoint}`);
  }
}

/** Host and port of `host:port`; `invalid` for anything else. */
export function addressOf(endpoint: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s/]+)):(\d{1,5})$/.exec(endpoint);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host !== undefined && port >= 1 && port <= 65_535) return { host, port };
  throw new LockkeeperError('invalid', 'an endpoint is not an address', {
    hint: 'Write host:port, like db.internal:5432 or [fd00::1]:5432.',
  });
}

/** Closing says goodbye to the server; a connection that is broken already has nobody to say it to. */
async function closed(client: pg.Client): Promise<void> {
  const gone = client.end().catch((thrown: unknown) => void thrown);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, 2_000);
  });
  await Promise.race([gone, late]);
  clearTimeout(timer);
}
