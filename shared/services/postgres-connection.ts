import pg from 'pg';
import { LockkeeperError } from '../base/error.ts';
import type { Sealed } from '../base/sealed.ts';
import { refusedUnasked } from './postgres-errors.ts';
import { sessionOptions, statementMs } from './postgres-session.ts';
import { WatchedStream } from './postgres-stream.ts';

/**
 * `require`: TLS with a certificate that this machine's authorities vouch for; `{ca}`: one that this authority (PEM)
 * signed, asked for anew by each connection; `off`: never TLS. Nothing falls back from TLS to plain text.
 */
export type PostgresTls = 'require' | 'off' | { readonly ca: () => Promise<string> };

/** How a password is shown: `scram` proves it without sending it, both ways; `md5` also answers a server that asks so. */
export type PostgresAuthentication = 'scram' | 'md5';

/** One connection to be made. */
export interface PostgresTarget {
  /** `host:port`; IPv6 as `[::1]:5432`. */
  readonly endpoint: string;
  readonly database: string;
  readonly tls: 'require' | 'off' | { readonly ca: string };
  readonly authentication: PostgresAuthentication;
  readonly user: string;
  readonly password: Sealed;
  readonly applicationName: string;
}

const connectMs = 5_000;
/** Twenty times what takes a tenth of a second; more would be the server's way to keep this process busy. */
const mostIterations = 1_000_000;

/**
 * Connects, runs `work`, and closes the connection whatever happens. The session begins pinned, see postgres-session.
 * The raw error comes through: the caller knows what it means; only a refusal before any password was asked for comes as
 * what it is.
 */
export async function withConnection<T>(target: PostgresTarget, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const { host, port } = addressOf(target.endpoint);
  const { tls } = target;
  const stream = new WatchedStream({
    tls: tls === 'off' ? undefined : tls === 'require' ? {} : tls,
    md5: target.authentication === 'md5',
  });
  const options: pg.ClientConfig & { readonly scramMaxIterations: number } = {
    host,
    port,
    user: target.user,
    password: target.password.open(),
    database: target.database,
    stream: () => stream,
    // The stream makes TLS. pg binds SCRAM to its certificate, and says so where a server claims that it cannot.
    ssl: false,
    enableChannelBinding: tls !== 'off',
    scramMaxIterations: mostIterations,
    application_name: target.applicationName,
    connectionTimeoutMillis: connectMs,
    options: sessionOptions,
    // The server's own limit comes first; this one is for a server that no longer answers.
    query_timeout: statementMs + 5_000,
  };
  const client = new pg.Client(options);
  // A connection that breaks between two statements also makes the next statement fail, which is where it is handled.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } catch (thrown) {
    throw stream.wasAsked ? thrown : refusedUnasked(thrown);
  } finally {
    await closed(client);
    stream.destroy();
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
