import { describe, expect, test } from '@jest/globals';
import { hasCode } from '../../shared/base/error.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import type { Service } from '../../shared/services/contract.ts';
import { postgresService, type PostgresOptions } from '../../shared/services/postgres.ts';
import { testWorld } from '../world.ts';
import { connectAs, logsIn } from './postgres-pair.ts';
import { sqlOn, superuser, type PostgresServer } from './postgres-server.ts';
import { runPrinted } from './postgres-versions.ts';

const password = 'password-of-the-keeper-0123456789';
const free = async () => undefined;
let names = 0;

/** A database of its own with lockkeeper's role that can log in and do nothing else, and nothing of a pair. */
class Fresh {
  readonly #server: PostgresServer;
  readonly keeper: string;
  readonly database: string;
  readonly users: readonly [string, string];
  readonly owner: string;

  constructor(server: PostgresServer) {
    names += 1;
    this.#server = server;
    this.keeper = `The keeper "${names}"`;
    this.database = `shop${names}`;
    this.users = [`shop${names}_a`, `Shop ${names}'s b`];
    this.owner = `shop${names}_owner`;
  }

  static async on(server: PostgresServer, keeperIs = ''): Promise<Fresh> {
    const fresh = new Fresh(server);
    await server.sql(`CREATE ROLE ${q(fresh.keeper)} LOGIN PASSWORD '${password}' ${keeperIs}`);
    await server.sql(`CREATE DATABASE ${fresh.database}`);
    return fresh;
  }

  options(more: Partial<PostgresOptions> = {}): PostgresOptions {
    return {
      credential: this.database,
      strategy: 'alternating',
      users: this.users,
      ownerRole: this.owner,
      database: this.database,
      endpoints: [this.#server.endpoint],
      tls: 'off',
      admin: async () => ({ user: this.keeper, password: new Sealed(password) }),
      world: testWorld('2026-10-01T00:00:00Z', this.database),
      ...more,
    };
  }

  /** As the superuser, in the database. */
  async sql(text: string): Promise<unknown> {
    return sqlOn({ port: this.#server.port, ...superuser, database: this.database }, text);
  }
}

/** What `describe` prints on a fresh server, and that it is enough and needed. */
export function adoptionTests(version: number, here: () => PostgresServer): void {
  describe(`on a fresh PostgreSQL ${version} what adoption prints is enough, in one round:`, () => {
    test('where nothing is there, with an own login that may do nothing', async () => {
      const fresh = await Fresh.on(here());
      const service = postgresService(fresh.options());
      const run = await runPrinted(service, fresh);
      expect(await service.describe()).toMatchObject({ problems: [], fixes: [], slotsEqual: true });
      expect(run).toContain(`ALTER ROLE ${q(fresh.keeper)} CREATEROLE;`);
      const administers = run.filter((sql) =>
        sql.endsWith(`TO ${q(fresh.keeper)} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE;`),
      );
      expect(administers).toHaveLength(version < 16 ? 0 : 2);
      await turn(service, here());
    });

    test('where nothing is there and one user is all there will be', async () => {
      const fresh = await Fresh.on(here(), 'NOINHERIT');
      const service = postgresService(fresh.options({ strategy: 'single', users: [fresh.users[0]] }));
      const { encrypted } = await service.describe();
      await runPrinted(service, fresh);
      expect(await service.describe()).toMatchObject({ problems: [], encrypted });
      await turn(service, here());
    });

    test('where one user runs the database and owns everything, and the other is to come', async () => {
      const fresh = await Fresh.on(here());
      const [a] = fresh.users;
      await here().sql(`CREATE ROLE ${a} LOGIN CREATEDB CONNECTION LIMIT 9 VALID UNTIL '2100-01-01';
      CREATE ROLE "Odd; group" ROLE ${a}; ALTER DATABASE ${fresh.database} OWNER TO ${a};
      ALTER ROLE ${a} SET search_path = app, public; ALTER ROLE ${a} IN DATABASE ${fresh.database} SET work_mem = '8MB';
      ALTER ROLE ${a} SET log_min_duration_statement = 7; ALTER ROLE ${a} SET "my.own" = 'x; y'`);
      await fresh.sql(`SET ROLE ${a}; CREATE SCHEMA app; CREATE TABLE app.orders (id serial PRIMARY KEY);
      CREATE VIEW app.open AS SELECT * FROM app.orders; CREATE TYPE app.state AS ENUM ('a');
      CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; GRANT SELECT ON app.orders TO PUBLIC`);
      const service = postgresService(fresh.options());
      // What does not say that it needs a superuser is run by a role that administers the users.
      await here().sql(
        `CREATE ROLE dba_${names} LOGIN CREATEROLE PASSWORD '${password}'; GRANT ${a} TO dba_${names} WITH ADMIN OPTION`,
      );
      const dba = { port: here().port, user: `dba_${names}`, password, database: fresh.database };
      const run = await runPrinted(service, fresh, (sql) => sqlOn(dba, sql));
      expect(run.join('\n')).toMatch(/REASSIGN OWNED/);
      expect(await service.describe()).toMatchObject({ problems: [], slotsEqual: true });
      await turn(service, here());
    });

    test('where users and owner role are there and wrong in every way at once', async () => {
      const fresh = await Fresh.on(here(), 'NOINHERIT');
      const [a, b] = fresh.users;
      await here()
        .sql(`CREATE ROLE ${fresh.owner} LOGIN; CREATE ROLE ${a} SUPERUSER NOLOGIN; CREATE ROLE ${q(b)} NOINHERIT LOGIN;
      GRANT ${fresh.owner} TO ${a}; GRANT pg_monitor TO ${q(b)} WITH ADMIN OPTION; ALTER ROLE ${a} SET role = 'none';
      ALTER ROLE ${q(b)} IN DATABASE ${fresh.database} SET role = 'none'; ALTER ROLE ${a} SET DateStyle = 'German'`);
      await fresh.sql(`CREATE TABLE one (); ALTER TABLE one OWNER TO ${a}; CREATE TABLE two (); ALTER TABLE two OWNER TO ${q(b)};
      GRANT SELECT ON one TO ${q(b)}`);
      const service = postgresService(fresh.options());
      await runPrinted(service, fresh);
      expect(await service.describe()).toMatchObject({ problems: [], slotsEqual: true });
      await turn(service, here());
    });

    test('each right that is printed is needed for what it is said to be for', async () => {
      const fresh = await Fresh.on(here());
      const service = postgresService(fresh.options());
      await runPrinted(service, fresh);
      const [a] = fresh.users;
      const login = { slot: a, value: new Sealed('value-of-the-first-0123456789') };
      await service.change(login, undefined, free);
      const consumer = await connectAs(here().port, login);
      await here().sql(`REVOKE pg_signal_backend FROM ${q(fresh.keeper)}`);
      expect((await service.describe()).problems).toEqual([expect.stringMatching(/may not end the sessions/)]);
      expect(await service.retire(a, undefined, free, { endSessions: true })).toMatchObject([
        {
          error: {
            code: 'denied',
            message: expect.stringContaining(`ending the sessions of ${a} at ${here().endpoint}`),
          },
        },
      ]);
      await here().sql(`REVOKE pg_read_all_stats FROM ${q(fresh.keeper)}`);
      expect(await service.sessions(a)).toEqual([
        { slot: a, peer: expect.stringContaining('pg_read_all_stats'), since: undefined },
      ]);
      expect((await service.describe()).problems).toHaveLength(2);
      await consumer.end();
      await here().sql(`ALTER ROLE ${q(fresh.keeper)} NOCREATEROLE`);
      await expect(service.change(login, undefined, free)).rejects.toMatchObject({ code: 'denied' });
      // Before 16 the right to create roles is the right to change them.
      await here().sql(`ALTER ROLE ${q(fresh.keeper)} CREATEROLE; REVOKE ${a} FROM ${q(fresh.keeper)}`);
      const came: unknown = await service.change(login, undefined, free).catch((thrown: unknown) => thrown);
      expect(hasCode(came, 'denied')).toBe(version >= 16);
      await runPrinted(service, fresh);
      expect((await service.describe()).problems).toEqual([]);
    });

    test('a superuser needs nothing, and a user of its own password neither', async () => {
      const fresh = await Fresh.on(here());
      const admin = async () => ({ user: superuser.user, password: new Sealed(superuser.password) });
      const service = postgresService(fresh.options({ admin }));
      await runPrinted(service, fresh);
      expect((await service.describe()).problems).toEqual([]);
      const itself = postgresService(fresh.options({ strategy: 'single', users: [fresh.keeper] }));
      expect((await itself.describe()).problems).toEqual([]);
    });
  });
}

/** Changes, sees and ends a session, retires, with no more rights than were printed. */
async function turn(service: Service, server: PostgresServer): Promise<void> {
  const [first = '', second = first] = (await service.describe()).slots;
  const old = { slot: first, value: new Sealed('value-of-the-first-0123456789') };
  const next = { slot: second, value: new Sealed('value-of-the-next-01234567890') };
  await service.change(old, undefined, free);
  const consumer = await connectAs(server.port, old);
  await service.change(next, old, free);
  expect(await service.sessions(first)).toEqual([
    { slot: first, peer: '127.0.0.1 (consumer)', since: expect.any(Number) },
  ]);
  const keep = first === second ? next : undefined;
  expect(await service.retire(first, keep, free, { endSessions: true })).toEqual([
    { endpoint: server.endpoint, error: undefined },
  ]);
  expect(await service.sessions(first)).toEqual([]);
  await expect(consumer.query('SELECT 1')).rejects.toThrow(/./);
  expect(await logsIn(server.port, next)).toBe(true);
  expect(await service.accepts(old)).toMatchObject([{ answer: 'refused' }]);
}

function q(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
