import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { LockkeeperError } from '../../../shared/base/error.ts';
import { after } from '../../../shared/base/time.ts';
import type { World } from '../../../shared/base/world.ts';
import { consumerForm } from '../../../shared/rotation/forms/consumer-form.ts';
import type { SecretStore } from '../../../shared/secrets/contract.ts';
import type { Login } from '../../../shared/services/contract.ts';
import { systemCode } from '../system-code.ts';

export interface ConsumersOptions {
  readonly world: World;
  readonly store: SecretStore;
  readonly secret: string;
  readonly port: number;
  /** How many log in at the same time. */
  readonly count: number;
  /** How long each goes on with what it last read, in milliseconds; below the credential's propagation window. */
  readonly cacheMs: number;
}

/** What the consumers met so far. */
export interface Tally {
  readonly logins: number;
  readonly failures: number;
  /** The codes of the failures, each once. */
  readonly codes: readonly string[];
}

/** Consumers at work. */
export interface Consumers {
  tally(): Tally;
  stop(): Promise<Tally>;
}

/** Between two logins of one client. */
const pauseMs = 25;

/**
 * Lets clients log in to PostgreSQL over and over as any application does: read the secret store, keep the answer for a
 * while, connect, ask something, disconnect. Every login that fails is counted; nothing is tried twice.
 */
export function startConsumers(options: ConsumersOptions): Consumers {
  const met = { logins: 0, failures: 0, codes: new Set<string>() };
  const end = new AbortController();
  const work = async (): Promise<void> => {
    while (!end.signal.aborted) {
      const login = await readLogin(options);
      const keptUntil = after(options.world.now(), options.cacheMs);
      while (!end.signal.aborted && options.world.now() < keptUntil) await logIn(options.port, login, met);
    }
  };
  const all = Promise.all(Array.from({ length: options.count }, work));
  const tally = (): Tally => ({ logins: met.logins, failures: met.failures, codes: [...met.codes] });
  return {
    tally,
    async stop() {
      end.abort();
      await all;
      return tally();
    },
  };
}

async function readLogin({ store, secret }: ConsumersOptions): Promise<Login> {
  const { current } = await store.read(secret);
  if (current) return consumerForm().read(current.value, []);
  throw new LockkeeperError('not-found', `consumers find nothing in ${secret}`);
}

async function logIn(
  port: number,
  { slot, value }: Login,
  met: { logins: number; failures: number; readonly codes: Set<string> },
): Promise<void> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: slot,
    password: value.open(),
    database: 'postgres',
    connectionTimeoutMillis: 5_000,
  });
  // A connection may also break while nobody waits for it; the query or the end then fails.
  client.on('error', () => undefined);
  met.logins += 1;
  try {
    await client.connect();
    await client.query('SELECT current_user');
    await client.end();
  } catch (error) {
    met.failures += 1;
    met.codes.add(systemCode(error) ?? 'unknown');
  }
  await sleep(pauseMs);
}
