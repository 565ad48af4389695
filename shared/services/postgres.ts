import { createHash } from 'node:crypto';
import pg from 'pg';
import { LockkeeperError } from '../base/error.ts';
import { OurValues } from '../base/our-values.ts';
import { Sealed } from '../base/sealed.ts';
import { instant } from '../base/time.ts';
import type { World } from '../base/world.ts';
import type { Guard, Login, LoginAnswer, Service, Session, Slot } from './contract.ts';
import {
  asAdmin,
  withConnection,
  type PostgresAuthentication,
  type PostgresTarget,
  type PostgresTls,
} from './postgres-connection.ts';
import { isRefusal, postgresError } from './postgres-errors.ts';
import { readRoles, roleProblems } from './postgres-roles.ts';
import { beginPinned, durableCommit, inPinned } from './postgres-session.ts';
import { scramVerifier } from './scram.ts';
import { withholding } from './withholding.ts';

/** One PostgreSQL service and the users that take turns on it. */
export interface PostgresOptions {
  /** Names the lock: every lockkeeper that rotates this credential must use the same name and database. */
  readonly credential: string;
  readonly strategy: 'alternating' | 'single';
  /** Two login roles for alternating, one for single. */
  readonly users: readonly Slot[];
  /** The NOLOGIN role that owns the objects and that both users become; alternating only. */
  readonly ownerRole?: string;
  readonly database: string;
  /**
   * `host:port`; the first is the primary, where changes are made; every one must accept a value before it is
   * published.
   */
  readonly endpoints: readonly string[];
  readonly tls: PostgresTls;
  /** `scram` unless given. */
  readonly authentication?: PostgresAuthentication;
  /** lockkeeper's own login: a role that administers the users. It needs pg_signal_backend to end sessions. */
  readonly admin: { readonly user: string; readonly password: Sealed };
  readonly world: World;
  /** Of SCRAM's key derivation; 4096 unless given. */
  readonly iterations?: number;
  /** Length of new values; 32 unless given. */
  readonly valueLength?: number;
}

/**
 * A PostgreSQL service (10 and later). Values travel as SCRAM verifiers, so no server log can hold one. Changes run in
 * one transaction under `pg_advisory_xact_lock`, the guard inside it; a lock by lease would let a stale writer through.
 */
export function postgresService(options: PostgresOptions): Service {
  const ours = new OurValues([options.admin.password]);
  const host = new PostgresHost(options, ours);
  const driver: Service = {
    describe: () => host.describe(),
    change: (login, guard) => host.change(login, guard),
    accepts: (login) => inTurn(options.endpoints, (endpoint) => host.logIn(endpoint, login)),
    sessions: async (slot) => (await inTurn(options.endpoints, (endpoint) => host.sessionsAt(endpoint, slot))).flat(),
    retire: (login, guard, ends) => host.retire(login, guard, ends?.endSessions ?? false),
  };
  return withholding(driver, ours);
}

class PostgresHost {
  readonly #options: PostgresOptions;
  readonly #ours: OurValues;
  /**
   * Unlike any consumer's and any other lockkeeper's name, so that only this object's own logins are left out of
   * sessions.
   */
  readonly #loginName: string;
  /** The server's processes behind this object's last logins, by endpoint. */
  readonly #ownPids = new Map<string, readonly number[]>();

  constructor(options: PostgresOptions, ours: OurValues) {
    this.#options = options;
    this.#ours = ours;
    this.#loginName = `lockkeeper ${Buffer.from(options.world.random(6)).toString('hex')}`;
  }

  async describe(): ReturnType<Service['describe']> {
    const { strategy, users, endpoints, valueLength = 32 } = this.#options;
    const roles = await asAdmin(this.#admin(this.#primary()), 'reading the roles', (client) =>
      inPinned(client, () => readRoles(client, this.#options)),
    );
    const found = roleProblems(roles, this.#options);
    return {
      strategy,
      slots: users,
      endpoints,
      sessionsSeen: strategy === 'alternating' ? 'exact' : 'age',
      preHashed: true,
      valueRule: { alphabet: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', length: valueLength },
      problems: found.problems.map(({ text }) => text),
      fixes: found.problems.flatMap(({ sql }) => sql ?? []),
      slotsEqual: strategy === 'alternating' && found.equal,
    };
  }

  async change(login: Login, guard: Guard): Promise<void> {
    const verifier = scramVerifier(login.value, {
      iterations: this.#options.iterations ?? 4096,
      salt: this.#options.world.random(16),
    });
    // Without its head, which is the same in every verifier.
    this.#ours.add(new Sealed(verifier.slice(verifier.indexOf(':') + 1)));
    await this.#alter(login.slot, guard, async () => pg.escapeLiteral(verifier));
  }

  /** An alternating user loses its password whatever it is; a single one only if it is still the given value. */
  async retire(login: Login, guard: Guard, endSessions: boolean): Promise<void> {
    const isSingle = this.#options.strategy === 'single';
    await this.#alter(login.slot, guard, async () =>
      isSingle && !(await this.#isCurrent(login)) ? undefined : 'NULL',
    );
    if (endSessions) await inTurn(this.#options.endpoints, (endpoint) => this.#endSessions(endpoint, login.slot));
  }

  /** One fresh connection; the server's own refusal is an answer, everything else is thrown. */
  async logIn(endpoint: string, login: Login): Promise<LoginAnswer> {
    const target = { ...this.#admin(endpoint), user: login.slot, password: login.value };
    try {
      return await withConnection(target, async (client) => {
        // A pooler lets users in by itself; only a statement reaches the server. What it answers decides nothing.
        const { rows } = await client.query<{ pid: number }>('SELECT pg_catalog.pg_backend_pid() AS pid');
        this.#remember(endpoint, rows[0]?.pid);
        return { endpoint, accepted: true, encrypted: this.#options.tls !== 'off' };
      });
    } catch (thrown) {
      if (isRefusal(thrown)) return { endpoint, accepted: false, encrypted: this.#options.tls !== 'off' };
      throw postgresError(thrown, `logging in as ${login.slot} at ${endpoint}`);
    }
  }

  async sessionsAt(endpoint: string, slot: Slot): Promise<readonly Session[]> {
    interface Row {
      readonly address: string;
      readonly program: string | null;
      /** Milliseconds, as a text: fractions would come as short as the database's settings want them. */
      readonly since: string | null;
    }
    const own = [slot, this.#loginName, this.#ownPids.get(endpoint) ?? []];
    const rows = await asAdmin(this.#admin(endpoint), `reading the sessions of ${slot}`, (client) =>
      inPinned(client, async () => (await client.query<Row>(sessionsText, own)).rows),
    );
    return rows.map((row) => ({
      slot,
      peer: row.program ? `${row.address} (${row.program})` : row.address,
      since: row.since === null ? undefined : instant(Number(row.since)),
    }));
  }

  /**
   * ALTER ROLE under the lock. Killed before COMMIT: the server rolls back, nothing happened. Killed after: it
   * happened, and doing it again is harmless. A COMMIT without an answer is `uncertain`.
   */
  async #alter(slot: Slot, guard: Guard, password: () => Promise<string | undefined>): Promise<void> {
    const { credential, users } = this.#options;
    if (!users.includes(slot))
      throw new LockkeeperError('not-found', `${credential} has no user ${slot}`, {
        hint: `Its users are ${users.join(', ')}.`,
      });
    let isCommitting = false;
    try {
      await withConnection(this.#admin(this.#primary()), async (client) => {
        await beginPinned(client);
        await client.query(durableCommit);
        await client.query('SELECT pg_catalog.pg_advisory_xact_lock($1::pg_catalog.int8)', [lockKey(credential)]);
        await guard();
        const value = await password();
        if (value !== undefined) await client.query(`ALTER ROLE ${pg.escapeIdentifier(slot)} PASSWORD ${value}`);
        isCommitting = true;
        const answer = await client.query('COMMIT');
        if (answer.command !== 'COMMIT')
          throw new LockkeeperError('unreachable', `changing ${slot}: the server rolled back`, {
            hint: 'The next run tries again.',
          });
        isCommitting = false;
      });
    } catch (thrown) {
      const error = postgresError(thrown, `changing ${slot} at ${this.#primary()}`);
      if (!isCommitting || !isConnectionLoss(error)) throw error;
      throw new LockkeeperError('uncertain', `${error.message}; it may have happened`, {
        hint: 'The next run finds out by logging in.',
        cause: thrown,
      });
    }
  }

  async #isCurrent(login: Login): Promise<boolean> {
    return (await this.logIn(this.#primary(), login)).accepted;
  }

  /** Several rounds, because a login that was accepted a moment before the change may show up a moment later. */
  async #endSessions(endpoint: string, slot: Slot): Promise<void> {
    const rounds = this.#options.strategy === 'alternating' ? 5 : 1;
    await asAdmin(this.#admin(endpoint), `ending the sessions of ${slot}`, async (client) => {
      for (let round = 1; round <= rounds; round += 1) {
        const { rowCount } = await inPinned(client, () => client.query(endText, [slot]));
        if (rowCount === 0 || rounds === 1) return;
      }
      throw new LockkeeperError('conflict', `sessions of ${slot} at ${endpoint} do not end`, {
        hint: 'End them by hand; the next run tries again.',
      });
    });
  }

  #primary(): string {
    const [first] = this.#options.endpoints;
    if (first !== undefined) return first;
    throw new LockkeeperError('invalid', `${this.#options.credential} names no endpoint`, {
      hint: 'Name at least one host:port.',
    });
  }

  #admin(endpoint: string): PostgresTarget {
    const { database, tls, authentication, admin } = this.#options;
    return {
      endpoint,
      database,
      tls,
      authentication: authentication ?? 'scram',
      user: admin.user,
      password: admin.password,
      applicationName: this.#loginName,
    };
  }

  /** Anybody can read an application name and take it; a session is this object's own by its process too. */
  #remember(endpoint: string, pid: unknown): void {
    if (!Number.isSafeInteger(pid)) return;
    this.#ownPids.set(endpoint, [...(this.#ownPids.get(endpoint) ?? []), Number(pid)].slice(-keptPids));
  }
}

const keptPids = 32;

const sessionsText = `SELECT coalesce(pg_catalog.host(client_addr), 'local socket') AS address,
    application_name AS program, pg_catalog.floor(extract(epoch FROM backend_start) * 1000)::pg_catalog.int8 AS since
  FROM pg_catalog.pg_stat_activity
  WHERE usename = $1::pg_catalog.name AND NOT (application_name = $2::pg_catalog.text AND pid = ANY($3::pg_catalog.int4[]))
  ORDER BY backend_start`;

const endText = `SELECT pg_catalog.pg_terminate_backend(pid, 1000) FROM pg_catalog.pg_stat_activity
  WHERE usename = $1::pg_catalog.name AND pid <> pg_catalog.pg_backend_pid()`;

function isConnectionLoss(error: LockkeeperError): boolean {
  return error.code === 'unreachable' || error.code === 'bug';
}

/** One lock for one credential, as a signed 64-bit number. */
function lockKey(credential: string): string {
  return createHash('sha256').update(`lockkeeper:${credential}`).digest().readBigInt64BE(0).toString();
}

async function inTurn<T>(endpoints: readonly string[], ask: (endpoint: string) => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  for (const endpoint of endpoints) answers.push(await ask(endpoint));
  return answers;
}
