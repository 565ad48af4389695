import pg from 'pg';
import { asLockkeeperError, LockkeeperError } from '../base/error.ts';
import { OurValues } from '../base/our-values.ts';
import { Sealed } from '../base/sealed.ts';
import { instant } from '../base/time.ts';
import type { World } from '../base/world.ts';
import type { AdminOffer } from './admin-login.ts';
import type { EndpointResult, Guard, Login, LoginAnswer, Mark, Service, Session, Slot } from './contract.ts';
import { PostgresAccess } from './postgres-access.ts';
import type { PostgresAuthentication, PostgresTls } from './postgres-connection.ts';
import { underLock } from './postgres-lock.ts';
import { PostgresLogins } from './postgres-logins.ts';
import { isOlder, markOf, type ServerPoint } from './postgres-mark.ts';
import { roleProblems } from './postgres-problems.ts';
import { roleRisks } from './postgres-risks.ts';
import { readRoles } from './postgres-roles.ts';
import { inPinned } from './postgres-session.ts';
import { peersOf } from './postgres-peers.ts';
import { findPoolers, type PoolersFound } from './postgres-poolers.ts';
import { readOnlyRisks, readStandby, standbyProblem } from './postgres-standby.ts';
import { endSessions, readPoint, readSessions } from './postgres-sessions.ts';
import { scramVerifier } from './scram.ts';
import { readElsewhere } from './postgres-elsewhere-rights.ts';
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
  /**
   * lockkeeper's own login, asked by every connection, so that it can be rotated, too: a role that administers the users.
   * It needs pg_signal_backend and pg_read_all_stats; `describe` prints what is missing.
   */
  readonly admin: () => Promise<AdminOffer>;
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
  const ours = new OurValues();
  const host = new PostgresHost(options, ours);
  const driver: Service = {
    describe: () => host.describe(),
    // One user holds one value, so what is to be kept is the other user's, or has to go.
    change: (login, _keep, guard) => host.change(login, guard),
    accepts: (login) => host.accepts(login),
    sessions: (slot, before) => host.sessions(slot, before),
    retire: (...[slot, keep, guard, ends]) =>
      host.retire({ slot, keep, guard, endSessions: ends?.endSessions ?? false }),
  };
  return withholding(driver, ours);
}

interface Retiring {
  readonly slot: Slot;
  readonly keep: Login | undefined;
  readonly guard: Guard;
  readonly endSessions: boolean;
}

class PostgresHost {
  readonly #options: PostgresOptions;
  readonly #ours: OurValues;
  readonly #access: PostgresAccess;
  /**
   * Unlike any consumer's and any other lockkeeper's name, so that only this object's own logins are left out of
   * sessions.
   */
  readonly #loginName: string;
  readonly #logins: PostgresLogins;

  constructor(options: PostgresOptions, ours: OurValues) {
    this.#options = options;
    this.#ours = ours;
    this.#loginName = `lockkeeper ${Buffer.from(options.world.random(6)).toString('hex')}`;
    this.#access = this.#accessTo(options.database);
    const { endpoints, database, strategy, ownerRole } = options;
    this.#logins = new PostgresLogins({
      access: this.#access,
      endpoints,
      database,
      ownerRole: strategy === 'alternating' ? ownerRole : undefined,
    });
  }

  #accessTo(database: string): PostgresAccess {
    return new PostgresAccess({ ...this.#options, database, ours: this.#ours, applicationName: this.#loginName });
  }

  async describe(): ReturnType<Service['describe']> {
    const { strategy, users, endpoints, tls, valueLength = 32 } = this.#options;
    const primary = this.#primary();
    const { roles, point, standby, readOnly, isPooler } = await this.#readPrimary(primary);
    const asked = { others: roles.others, version: roles.admin.version, wanted: this.#options };
    const seen = { ...roles, elsewhere: await readElsewhere(primary, asked, (other) => this.#accessTo(other)) };
    const found = roleProblems(seen, this.#options);
    const poolers = await this.#findPoolers(isPooler);
    return {
      strategy,
      slots: users,
      endpoints,
      fence: 'lock',
      capacity: 1,
      holds: {},
      value: { kind: 'text', rule: { alphabet, length: valueLength } },
      sessionsSeen: strategy === 'alternating' ? 'exact' : 'marked',
      mark: strategy === 'alternating' ? undefined : await this.#mark(primary, point),
      clock: instant(point.at / 1_000),
      preHashed: true,
      encrypted: tls !== 'off',
      problems: [
        ...(standby ? [standbyProblem(primary, standby)] : []),
        ...found.problems.map(({ text }) => text),
        ...poolers.problems,
      ],
      fixes: found.problems.flatMap(({ sql }) => sql ?? []),
      risks: [...roleRisks(seen, this.#options), ...poolers.risks, ...readOnly],
      slotsEqual: strategy === 'alternating' && found.equal,
    };
  }

  async #readPrimary(primary: string) {
    return this.#access.asAdmin(primary, 'reading the roles', (client, { isPooler }) =>
      inPinned(client, async () => ({
        roles: await readRoles(client, this.#options),
        point: await readPoint(client),
        standby: await readStandby(client),
        readOnly: await readOnlyRisks(client, this.#options.database),
        isPooler,
      })),
    );
  }

  async #findPoolers(isBeforePrimary: boolean): Promise<PoolersFound> {
    const { endpoints, users, authentication = 'scram' } = this.#options;
    return findPoolers({ access: this.#access, endpoints, isBeforePrimary, slots: users, authentication });
  }

  /** An endpoint that is silent now is left out: it must not keep an emergency from beginning. See `isOlder`. */
  async #mark(primary: string, point: ServerPoint): Promise<Mark> {
    const others = this.#options.endpoints.filter((endpoint) => endpoint !== primary);
    const points = new Map([[primary, point]]);
    await Promise.all(
      others.map(async (endpoint) => {
        const came = await this.#access.attempt(endpoint, 'reading the time', (client) =>
          inPinned(client, () => readPoint(client)),
        );
        if (came.error === undefined) points.set(endpoint, came.answer);
      }),
    );
    return markOf(points);
  }

  async change(login: Login, guard: Guard): Promise<readonly EndpointResult[]> {
    this.#checkSlot(login.slot);
    const verifier = scramVerifier(login.value, {
      iterations: this.#options.iterations ?? 4096,
      salt: this.#options.world.random(16),
    });
    // Without its head, which is the same in every verifier.
    this.#ours.add(new Sealed(verifier.slice(verifier.indexOf(':') + 1)));
    return [await this.#alter(login.slot, guard, pg.escapeLiteral(verifier))];
  }

  /** The password goes under the lock, and the sessions after it; an endpoint that is silent keeps no other from it. */
  async retire({ slot, keep, guard, endSessions: ends }: Retiring): Promise<readonly EndpointResult[]> {
    this.#checkSlot(slot);
    const keepsValue = keep?.slot === slot;
    const altered = await this.#alter(slot, guard, keepsValue ? undefined : 'NULL');
    if (!ends) return [altered];
    const results = await Promise.all(
      this.#options.endpoints.map((endpoint) => this.#endSessions(endpoint, slot, !keepsValue)),
    );
    const [first] = results;
    if (keepsValue && first?.error && results.every(({ error }) => error)) throw first.error;
    return results;
  }

  async accepts(login: Login): Promise<readonly LoginAnswer[]> {
    return this.#logins.accepts(login);
  }

  async sessions(slot: Slot, before: Mark | undefined): Promise<readonly Session[]> {
    const asked = await Promise.all(
      this.#options.endpoints.map(async (endpoint) => {
        const own = { name: this.#loginName, logins: this.#logins.ownAt(endpoint) };
        const came = await this.#access.attempt(endpoint, `reading the sessions of ${slot}`, (client, { isPooler }) =>
          readSessions(client, slot, { ...own, isPooler }),
        );
        return { endpoint, came };
      }),
    );
    return peersOf(
      slot,
      asked.flatMap(({ endpoint, came }) => {
        if (came.error !== undefined) throw came.error;
        const wanted = came.answer.filter((seen) => before === undefined || isOlder(before, endpoint, seen));
        return wanted.map((seen) => ({ endpoint, seen }));
      }),
    );
  }

  /** One statement at the primary, under the lock; `password` undefined: the guard only. */
  async #alter(slot: Slot, guard: Guard, password: string | undefined): Promise<EndpointResult> {
    const endpoint = this.#primary();
    await underLock({
      access: this.#access,
      endpoint,
      credential: this.#options.credential,
      tried: `changing ${slot}`,
      guard,
      statement: password === undefined ? undefined : `ALTER ROLE ${pg.escapeIdentifier(slot)} PASSWORD ${password}`,
    });
    return { endpoint, error: undefined };
  }

  async #endSessions(endpoint: string, slot: Slot, all: boolean): Promise<EndpointResult> {
    try {
      const { error } = await this.#access.attempt(endpoint, `ending the sessions of ${slot}`, (client) =>
        endSessions(client, { slot, endpoint, all }),
      );
      return { endpoint, error };
    } catch (thrown) {
      // lockkeeper's own login cannot be opened any more: the password may be gone already, so this is no throw.
      return { endpoint, error: asLockkeeperError(thrown) };
    }
  }

  #checkSlot(slot: Slot): void {
    const { credential, users } = this.#options;
    if (users.includes(slot)) return;
    throw new LockkeeperError('not-found', `${credential} has no user ${slot}`, {
      hint: `Its users are ${users.join(', ')}.`,
    });
  }

  #primary(): string {
    const [first] = this.#options.endpoints;
    if (first !== undefined) return first;
    throw new LockkeeperError('invalid', `${this.#options.credential} names no endpoint`, {
      hint: 'Name at least one host:port.',
    });
  }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
