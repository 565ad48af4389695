import type pg from 'pg';
import type { Login, LoginAnswer, Slot } from './contract.ts';
import type { PostgresAccess } from './postgres-access.ts';
import { connectMs, withConnection, type Connected, type PostgresTarget } from './postgres-connection.ts';
import { postgresError } from './postgres-errors.ts';
import { readLogin, refusedOtherwise, unfitBecause, type FitnessWanted } from './postgres-fitness.ts';
import { isRefusal } from './postgres-refusals.ts';
import { consumerOptions } from './postgres-session.ts';
import { isOtherProcess, type OwnLogin, type OwnSession } from './postgres-sessions.ts';

/** What every login of one driver has in common. */
export interface LoginsOptions {
  readonly access: PostgresAccess;
  /** The first is the primary. */
  readonly endpoints: readonly string[];
  readonly database: string;
  /** Undefined where a user need not become anybody. */
  readonly ownerRole: string | undefined;
}

/** Logs in as a consumer does, and remembers what it was at each endpoint. */
export class PostgresLogins {
  readonly #options: LoginsOptions;
  readonly #own = new Map<string, readonly OwnLogin[]>();

  constructor(options: LoginsOptions) {
    this.#options = options;
  }

  /** One fresh connection to each endpoint; only the server's own yes or no is one. */
  async accepts(login: Login): Promise<readonly LoginAnswer[]> {
    const { access, endpoints } = this.#options;
    const targets = await Promise.all(endpoints.map((endpoint) => access.target(endpoint, login)));
    return Promise.all(targets.map((target) => this.#logIn(target)));
  }

  /**
   * The last logins at an endpoint. Anybody can read an application name and take it; a session is one of these by its
   * process and beginning too.
   */
  ownAt(endpoint: string): readonly OwnLogin[] {
    return this.#own.get(endpoint) ?? [];
  }

  async #logIn(target: PostgresTarget): Promise<LoginAnswer> {
    const { endpoint, user, tls } = target;
    const told = { endpoint, encrypted: tls !== 'off' };
    const wanted = this.#wanted(endpoint, user);
    try {
      const unfit = await withConnection(target, (client, how) => this.#look(client, how, { endpoint, wanted }), {
        startup: consumerOptions,
      });
      return { ...told, answer: 'accepted', ...(unfit !== undefined && { unfit }) };
    } catch (thrown) {
      if (isRefusal(thrown, user)) return { ...told, answer: 'refused' };
      const unfit = refusedOtherwise(thrown, wanted);
      if (unfit !== undefined) return { ...told, answer: 'accepted', unfit };
      return { ...told, answer: 'no-answer', error: postgresError(thrown, `logging in as ${user} at ${endpoint}`) };
    }
  }

  #wanted(endpoint: string, slot: Slot): FitnessWanted {
    const { database, ownerRole, endpoints } = this.#options;
    return { slot, database, ownerRole, mustWrite: endpoint === endpoints[0] };
  }

  /** A pooler lets users in by itself; only a statement reaches the server. */
  async #look(
    client: pg.Client,
    { isPooler }: Connected,
    { endpoint, wanted }: { readonly endpoint: string; readonly wanted: FitnessWanted },
  ): Promise<string | undefined> {
    const seen = await readLogin(client, wanted);
    if (isPooler || isOtherProcess(client, seen.own?.pid)) await this.#throughPooler(client, endpoint, seen.own);
    else this.#remember(endpoint, seen.own);
    return unfitBecause(seen, wanted);
  }

  /**
   * A pooler would keep its connection to the server for others, where it looks like a session of the user: one that
   * was made for this login goes with it, because a pooler closes what a client leaves in the middle of a transaction.
   * One that was there before is given back, for it counts as what it is: consumers use it.
   */
  async #throughPooler(client: pg.Client, endpoint: string, own: OwnSession | undefined): Promise<void> {
    if (own && own.at - own.began < connectMs * 1_000) this.#remember(endpoint, own);
    else await client.query('ROLLBACK');
  }

  #remember(endpoint: string, own: OwnSession | undefined): void {
    if (!own) return;
    const { pid, began } = own;
    this.#own.set(endpoint, [...this.ownAt(endpoint), { pid, began }].slice(-keptLogins));
  }
}

const keptLogins = 32;
