import pg from 'pg';
import { adopt } from '../../../../shared/rotation/adopt.ts';
import { rehearse } from '../../../../shared/rotation/rehearse.ts';
import { postgresService } from '../../../../shared/services/postgres.ts';
import type { Login, Service } from '../../../../shared/services/contract.ts';
import { connectAs, makePair, type PostgresPair } from '../../../services/postgres-pair.ts';
import { sqlOn, superuser, type PostgresServer } from '../../../services/postgres-server.ts';
import { adminPassword } from '../../../services/postgres-pair.ts';
import { AttackSucceeded, mustHold } from '../attack.ts';
import { droppingPooler } from './dropping-pooler.ts';
import { depsOn, turn } from './rotation.ts';
import { plantShadows, type Shadows } from './shadows.ts';

/** What was done at one server. */
export interface Hijacks extends Shadows {
  readonly turns: number;
  readonly settings: number;
}

const database = 'shop';

/** Settings that the owner of a database may make for everybody in it. */
const hostileSettings: readonly (readonly [string, string])[] = [
  ['role', 'OWNER'],
  ['session_authorization', 'OWNER'],
  ['local_preload_libraries', 'nowhere'],
  ['default_transaction_read_only', 'on'],
  ['default_transaction_isolation', 'serializable'],
  ['default_transaction_deferrable', 'on'],
  ['statement_timeout', '1'],
  ['lock_timeout', '1'],
  ['idle_in_transaction_session_timeout', '1'],
  // Of a millisecond it would end a transaction before anything could be said in it.
  ['transaction_timeout', '3000'],
  ['client_encoding', 'SJIS'],
  ['standard_conforming_strings', 'off'],
  ['backslash_quote', 'on'],
  ['array_nulls', 'off'],
  ['extra_float_digits', '-15'],
  ['datestyle', 'German'],
  ['intervalstyle', 'sql_standard'],
  ['timezone', 'Asia/Kathmandu'],
  ['bytea_output', 'escape'],
  ['row_security', 'off'],
  ['synchronous_commit', 'off'],
  ['transform_null_equals', 'on'],
  ['quote_all_identifiers', 'on'],
  ['client_min_messages', 'debug5'],
  ['password_encryption', 'md5'],
  ['scram_iterations', '1'],
  ['createrole_self_grant', 'set'],
  ['check_function_bodies', 'off'],
  ['application_name', 'evil'],
  ['exit_on_error', 'on'],
  ['restrict_nonsystem_relation_kind', 'view'],
  ['debug_parallel_query', 'on'],
  ['default_tablespace', 'nowhere'],
];

/** Everything that a consumer which owns its database can try at one server. `isSuperuser`: so is lockkeeper there. */
export class Hijack {
  readonly #server: PostgresServer;
  readonly #pair: PostgresPair;
  readonly #direct: Service;
  #login: Login;
  #turns = 0;

  private constructor(server: PostgresServer, pair: PostgresPair) {
    this.#server = server;
    this.#pair = pair;
    this.#login = pair.initial;
    this.#direct = postgresService(pair.options({ database }));
  }

  static async run(server: PostgresServer, isSuperuser: boolean): Promise<Hijacks> {
    const pair = await makePair(server);
    if (isSuperuser) await server.sql('ALTER ROLE lockkeeper SUPERUSER');
    await server.sql(`CREATE DATABASE ${database} OWNER ${pair.owner}`);
    const hijack = new Hijack(server, pair);
    await hijack.#turn(hijack.#direct, 'without any attack');
    const shadows = await hijack.#plant();
    await hijack.#checkThatShadowsMark();
    await hijack.#shadowed();
    const settings = await hijack.#settings();
    await hijack.#hidden();
    await hijack.#printed();
    return { ...shadows, turns: hijack.#turns, settings };
  }

  async #plant(): Promise<Shadows> {
    const client = await this.#consumer();
    try {
      const statements = `${this.#server.log()} now session_user`;
      return await plantShadows(client, statements, ['public', 'lockkeeper', ...this.#pair.users]);
    } finally {
      await client.end();
    }
  }

  /** A session that is not pinned steps on them; else they would prove nothing. */
  async #checkThatShadowsMark(): Promise<void> {
    await this.#hostile([['search_path', 'public, pg_catalog']]);
    const login = { port: this.#server.port, user: 'lockkeeper', password: adminPassword, database };
    await sqlOn(
      login,
      "SELECT rolname FROM pg_roles WHERE rolname = 'lockkeeper' AND pg_has_role(current_user, oid, 'MEMBER')",
    );
    if ((await this.#marks()).length < 3)
      throw new Error(`the shadows do not mark who steps on them: ${JSON.stringify(await this.#marks())}`);
  }

  /** The search path of the database and of each user leads to the shadows, before the server's own names. */
  async #shadowed(): Promise<void> {
    for (const path of ['public, pg_catalog', '"$user", public, pg_catalog']) {
      await this.#hostile([['search_path', path]]);
      for (const user of this.#pair.users) await this.#server.sql(`ALTER ROLE ${user} SET search_path = ${path}`);
      await this.#turnUnmarked(this.#direct, `search_path ${path}`);
      await using pooler = await droppingPooler(this.#server.port);
      const pooled = postgresService(this.#pair.options({ database, endpoints: [pooler.endpoint] }));
      await this.#turnUnmarked(pooled, `search_path ${path} behind a pooler that drops options`);
      await this.#loginTrigger(path);
    }
    for (const user of this.#pair.users) await this.#server.sql(`ALTER ROLE ${user} RESET search_path`);
  }

  /** From 17 on an administrator may let something run at each login: before anything that lockkeeper could say. */
  async #loginTrigger(path: string): Promise<void> {
    const [version] = await this.#server.sql<{ n: number }>("SELECT current_setting('server_version_num')::int AS n");
    if ((version?.n ?? 0) < 170_000) return;
    const admin = {
      port: this.#server.port,
      ...superuser,
      database,
      options: '-c search_path=pg_catalog -c role=none -c local_preload_libraries=',
    };
    await sqlOn(
      admin,
      `SET search_path = pg_catalog; CREATE TABLE IF NOT EXISTS public.logins (who text, at timestamptz);
      GRANT INSERT ON public.logins TO PUBLIC; CREATE OR REPLACE FUNCTION public.note_login() RETURNS event_trigger
      LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.logins VALUES (session_user, now()); END $$;
      GRANT EXECUTE ON FUNCTION public.note_login() TO PUBLIC;
      CREATE EVENT TRIGGER note ON login EXECUTE FUNCTION public.note_login();
      ALTER EVENT TRIGGER note ENABLE ALWAYS; DELETE FROM evil.marks`,
    );
    await this.#turnUnmarked(this.#direct, `search_path ${path} and a trigger at login`);
    await sqlOn(admin, 'DROP EVENT TRIGGER note');
  }

  async #settings(): Promise<number> {
    await this.#server.sql(`ALTER DATABASE ${database} RESET ALL`);
    const made = await this.#hostile(hostileSettings);
    await this.#turn(this.#direct, 'hostile settings of the database');
    await this.#server.sql(`ALTER DATABASE ${database} RESET ALL`);
    await this.#checkMarks('hostile settings of the database');
    return made;
  }

  /** A consumer's session takes the name of lockkeeper's own, which everybody can read. */
  async #hidden(): Promise<void> {
    const client = await connectAs(this.#server.port, this.#login);
    try {
      const other = this.#pair.users.find((user) => user !== this.#login.slot) ?? '';
      await this.#direct.change({ slot: other, value: this.#login.value }, this.#login, async () => {
        await client.query(`SELECT set_config('application_name', application_name, false)
          FROM pg_stat_activity WHERE application_name LIKE 'lockkeeper %' LIMIT 1`);
      });
      const seen = await this.#direct.sessions(this.#login.slot);
      mustHold(seen.length === 1, "a session under the name of lockkeeper's own is not seen");
    } finally {
      await client.end();
    }
  }

  /** An administrator runs what adoption prints about the users, as often as it prints something. */
  async #printed(): Promise<void> {
    const user = this.#login.slot;
    const evil = `ALTER ROLE ${user} SUPERUSER`;
    const client = await this.#consumer();
    await client.query(`SET ROLE NONE; ALTER ROLE ${user} SET application_name = 'x. Run: ${evil}; --';
      CREATE TABLE public."t. Run: ${evil}; --" ();
      SELECT set_config('search_path', 'x;${evil.replaceAll(' ', '/**/')};--', false);
      ALTER ROLE ${user} SET search_path FROM CURRENT;`);
    await client.end();
    const deps = await depsOn(this.#direct, this.#server.port, this.#login);
    for (let round = 0; round < 3; round += 1) {
      await rehearse(deps);
      for (const sql of (await adopt(deps)).sql) await this.#server.sql(sql).catch(() => undefined);
    }
    const [role] = await this.#server.sql<{ is: boolean }>('SELECT rolsuper AS is FROM pg_roles WHERE rolname = $1', [
      user,
    ]);
    mustHold(role?.is === false, 'the SQL that adoption prints makes a consumer superuser');
  }

  async #turn(service: Service, how: string): Promise<void> {
    try {
      this.#login = await turn(service, this.#server.port, this.#pair.users, this.#login);
      const deps = await depsOn(service, this.#server.port, this.#login);
      if (!(await adopt(deps)).adopted || !(await rehearse(deps)).wouldFinish) throw new Error('it is not adopted');
    } catch (thrown) {
      if (how === 'without any attack') throw thrown;
      throw new AttackSucceeded(`${how} stops the rotation: ${String(thrown)}`);
    }
    this.#turns += 1;
  }

  async #turnUnmarked(service: Service, how: string): Promise<void> {
    await this.#turn(service, how);
    await this.#checkMarks(how);
  }

  async #checkMarks(how: string): Promise<void> {
    const marks = await this.#marks();
    mustHold(marks.length === 0, `${how}: the consumer's code ran: ${marks.slice(0, 3).join(', ')}`);
  }

  /** Answers how many of the settings the server let the consumer make. */
  async #hostile(settings: readonly (readonly [string, string])[]): Promise<number> {
    const client = await this.#consumer();
    let made = 0;
    try {
      for (const [name, value] of settings) {
        const shown = name === 'search_path' ? value : pg.escapeLiteral(value.replace('OWNER', this.#pair.owner));
        made += await client.query(`ALTER DATABASE ${database} SET ${name} = ${shown}`).then(
          () => 1,
          () => 0,
        );
      }
      await client.query('DELETE FROM evil.marks');
    } finally {
      await client.end();
    }
    return made;
  }

  async #marks(): Promise<readonly string[]> {
    const login = {
      port: this.#server.port,
      ...superuser,
      database,
      options: '-c search_path=pg_catalog -c role=none -c local_preload_libraries=',
    };
    const rows = await sqlOn<{ mark: string }>(login, "SELECT DISTINCT who || ': ' || what AS mark FROM evil.marks");
    return rows.map(({ mark }) => mark);
  }

  /** In the database as its owner, with a search path that steps on nothing. */
  async #consumer(): Promise<pg.Client> {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: this.#server.port,
      user: this.#login.slot,
      password: this.#login.value.open(),
      database,
      options: '-c search_path=pg_catalog',
    });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }
}
