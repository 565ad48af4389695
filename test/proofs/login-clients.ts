import pg from 'pg';
import { setTimeout as pause } from 'node:timers/promises';
import { Sealed } from '../../shared/base/sealed.ts';
import { consumerForm } from '../../shared/rotation/forms/consumer-form.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import type { Login } from '../../shared/services/contract.ts';

/** What consumers noticed. */
export interface LoginTally {
  logins: number;
  /** Of them, connections that a pool made by itself. */
  pooled: number;
  /** Of them, by way of a pooler. */
  throughPooler: number;
  /** Logins that were refused, and sessions that broke. */
  failures: number;
}

type Noted = Pick<LoginTally, 'logins' | 'failures'>;

/** Where consumers connect and how long they go on with what they read. */
export interface ConsumerPlace {
  readonly deps: Pick<RotationDeps, 'stores' | 'world'>;
  readonly port: number;
  /** The longest a cached login is used, in milliseconds. */
  readonly keepMs: number;
  readonly tally: LoginTally;
  /** Stops them. */
  readonly end: AbortSignal;
}

export const form = consumerForm();

/** A login read from a store, and again once it is older than `keepMs`. */
export class CachedLogin {
  readonly #deps: ConsumerPlace['deps'];
  readonly #store: string;
  readonly #keepMs: number;
  #cached: { readonly login: Login; readonly readAt: number } | undefined;

  constructor({ deps }: Pick<ConsumerPlace, 'deps'>, store: string, keepMs: number) {
    this.#deps = deps;
    this.#store = store;
    this.#keepMs = keepMs;
  }

  async read(): Promise<Login> {
    const now = this.#deps.world.now();
    if (this.#cached && now - this.#cached.readAt < this.#keepMs) return this.#cached.login;
    const { current } = (await this.#deps.stores[this.#store]?.read('app-db')) ?? {};
    this.#cached = { login: form.read(current?.value ?? new Sealed(''), []), readAt: now };
    return this.#cached.login;
  }
}

/**
 * Four that log in anew each time: the first reads a store every time, the others keep what they read for up to `keepMs`;
 * now and then one stays a little.
 */
export function loopsOfLogins(place: ConsumerPlace): readonly Promise<void>[] {
  return [0, 1, 2, 3].map(async (index) => {
    const cached = new CachedLogin(place, index % 2 === 0 ? 'one' : 'two', (place.keepMs * index) / 3);
    for (let turns = 0; !place.end.aborted; turns += 1) {
      await session(place, await cached.read(), async () => (turns % 10 === 0 ? await pause(30) : undefined));
      await pause(5);
    }
  });
}

/** Two that stay for longer than the window and still work at its end; then they log in with what is current. */
export function longSessions(place: ConsumerPlace, staysMs: number): readonly Promise<void>[] {
  return ['one', 'two'].map(async (store, index) => {
    const cached = new CachedLogin(place, store, 0);
    await pause(index * (staysMs / 2));
    while (!place.end.aborted)
      await session(place, await cached.read(), async (client) => {
        for (let at = 0; at < staysMs && !place.end.aborted; at += 50) {
          await pause(50);
          await client.query('SELECT 1');
        }
      });
  });
}

/**
 * A pool of `pg` that connects when there is work, drops what is idle, and renews what is older than the window. It logs in
 * with what a store handed out at most `keepMs` ago.
 */
export async function pooledWork(place: ConsumerPlace, store: string, isPooler = false): Promise<void> {
  const cached = new CachedLogin(place, store, place.keepMs);
  let login = await cached.read();
  class OwnClient extends pg.Client {
    constructor() {
      super({ ...whereTo(place.port), user: login.slot, password: login.value.open() });
      place.tally.logins += 1;
      place.tally.pooled += 1;
      if (isPooler) place.tally.throughPooler += 1;
    }
  }
  const pool = new pg.Pool({ Client: OwnClient, max: 3, idleTimeoutMillis: 60, maxLifetimeSeconds: 0.25 });
  pool.on('error', () => void (place.tally.failures += 1));
  for (let turns = 0; !place.end.aborted; turns += 1) {
    login = await cached.read();
    const work = Array.from({ length: 1 + (turns % 3) }, () => pool.query('SELECT pg_sleep(0.01)'));
    for (const { status, reason } of (await Promise.allSettled(work)).map(ended)) {
      if (status === 'rejected') fail(place.tally, reason);
    }
    await pause(turns % 7 === 0 ? 100 : 10);
  }
  await pool.end();
}

/** Logs in anew by way of a pooler, again and again. */
export async function loginsThroughPooler(place: ConsumerPlace, store: string): Promise<void> {
  const cached = new CachedLogin(place, store, place.keepMs);
  while (!place.end.aborted) {
    place.tally.throughPooler += 1;
    await session(place, await cached.read(), async () => undefined);
    await pause(20);
  }
}

/** Logs in once, works, and notes how it went; it never throws for what the server did. */
export async function session(
  { port, tally }: { readonly port: number; readonly tally: Noted },
  { slot, value }: Login,
  work: (client: pg.Client) => Promise<unknown> = async () => undefined,
): Promise<void> {
  const client = new pg.Client({ ...whereTo(port), user: slot, password: value.open() });
  client.on('error', () => undefined);
  tally.logins += 1;
  try {
    await client.connect();
    await client.query('SELECT 1');
    await work(client);
  } catch (thrown) {
    fail(tally, thrown);
  } finally {
    await client.end();
  }
}

const whereTo = (port: number) => ({ host: '127.0.0.1', port, database: 'postgres' });

/** The first ones are shown, so that a failure tells what it was. */
function fail(tally: Noted, thrown: unknown): void {
  tally.failures += 1;
  if (tally.failures <= 3)
    process.stderr.write(`a consumer: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
}

function ended(one: PromiseSettledResult<unknown>): { readonly status: string; readonly reason: unknown } {
  return { status: one.status, reason: one.status === 'rejected' ? one.reason : undefined };
}
