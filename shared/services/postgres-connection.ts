import pg from 'pg';
import { LockkeeperError } from '../base/error.ts';
import type { Sealed } from '../base/sealed.ts';
import { OptionsRefused, refusedAfterPassword, refusedUnasked } from './postgres-refusals.ts';
import { sessionOptions, statementMs } from './postgres-session.ts';
import { WatchedStream } from './postgres-stream.ts';
import { ServerAsked } from './postgres-trust.ts';

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

/** How long a connection may take until it is made, in milliseconds. */
export const connectMs = 5_000;
/** Twenty times what takes a tenth of a second; more would be the server's way to keep this process busy. */
const mostIterations = 1_000_000;

/** How a connection came about. */
export interface Connected {
  /** True where a pooler answers that takes no startup options: nothing is pinned outside a pinned transaction. */
  readonly isPooler: boolean;
}

/** How a connection is to be made. */
export interface ConnectOptions {
  /** The startup parameter `options`; `sessionOptions` unless given. */
  readonly startup?: string;
}

/** How a server asks for the password of a user. */
export interface Question {
  /** `md5`, or `scram:` and the salt of the verifier that it holds. */
  readonly asked: string;
  readonly isPooler: boolean;
}

/**
 * Connects, runs `work`, and closes the connection whatever happens. The session begins pinned, see postgres-session. A
 * pooler that says so, and says it before any password is asked for, is asked again without startup options.
 * The raw error comes through: the caller knows what it means; only a refusal before any password was asked for comes as
 * what it is, and one after the password was taken as AfterPassword.
 */
export async function withConnection<T>(
  target: PostgresTarget,
  work: (client: pg.Client, how: Connected) => Promise<T>,
  { startup = sessionOptions }: ConnectOptions = {},
): Promise<T> {
  try {
    return await connected({ target, startup }, (client) => work(client, { isPooler: false }));
  } catch (thrown) {
    if (!(thrown instanceof OptionsRefused)) throw thrown;
    return connected({ target, startup: undefined }, (client) => work(client, { isPooler: true }));
  }
}

/**
 * How the server asks for the password of `target.user`: it ends there, shows nothing of the password, and no server
 * counts it as a failed login. Undefined where it does not ask, with SCRAM or md5.
 */
export async function questionOf(target: PostgresTarget): Promise<Question | undefined> {
  const ask = async (startup: string | undefined) => {
    try {
      await connected({ target, startup, asksOnly: true }, async () => undefined);
    } catch (thrown) {
      if (thrown instanceof OptionsRefused && startup !== undefined) return ask(undefined);
      if (thrown instanceof ServerAsked) return { asked: thrown.question, isPooler: startup === undefined };
    }
    return undefined;
  };
  return ask(sessionOptions);
}

interface Connecting {
  readonly target: PostgresTarget;
  readonly startup: string | undefined;
  readonly asksOnly?: boolean;
}

async function connected<T>(connecting: Connecting, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const { tls, authentication } = connecting.target;
  const stream = new WatchedStream({
    tls: tls === 'off' ? undefined : tls === 'require' ? {} : tls,
    md5: authentication === 'md5',
    asksOnly: connecting.asksOnly ?? false,
  });
  const client = new pg.Client(clientOptions(connecting, stream));
  // A connection that breaks between two statements also makes the next statement fail, which is where it is handled.
  client.on('error', () => undefined);
  let isIn = false;
  try {
    await client.connect();
    isIn = true;
    return await work(client);
  } catch (thrown) {
    if (!stream.wasAsked) throw refusedUnasked(thrown);
    throw stream.tookPassword && !isIn ? refusedAfterPassword(thrown) : thrown;
  } finally {
    await closed(client);
    stream.destroy();
  }
}

function clientOptions({ target, startup, asksOnly = false }: Connecting, stream: WatchedStream): pg.ClientConfig {
  const { host, port } = addressOf(target.endpoint);
  const options: pg.ClientConfig & { readonly scramMaxIterations: number } = {
    host,
    port,
    user: target.user,
    password: asksOnly ? 'never shown' : target.password.open(),
    database: target.database,
    stream: () => stream,
    // The stream makes TLS. pg binds SCRAM to its certificate, and says so where a server claims that it cannot.
    ssl: false,
    enableChannelBinding: target.tls !== 'off',
    scramMaxIterations: mostIterations,
    application_name: target.applicationName,
    connectionTimeoutMillis: connectMs,
    ...(startup !== undefined && { options: startup }),
    // The server's own limit comes first; this one is for a server that no longer answers.
    query_timeout: statementMs + 5_000,
  };
  return options;
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
