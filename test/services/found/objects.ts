import type { FoundCase } from './case.ts';
import { q } from './found-pair.ts';
import { roleCase } from './role-case.ts';

/** What names the user and is no right: default privileges, mappings, policies, other databases. */
export const objectCases: readonly FoundCase[] = [
  roleCase({
    name: 'default privileges of the user of a database',
    start: 'plain',
    arrange: ({
      a,
      tag,
    }) => `CREATE ROLE ${tag}_reader; CREATE SCHEMA "Odd; schema" AUTHORIZATION ${q(a)}; GRANT CREATE, USAGE ON SCHEMA public TO ${q(a)};
      ALTER DEFAULT PRIVILEGES FOR ROLE ${q(a)} GRANT SELECT ON TABLES TO ${tag}_reader WITH GRANT OPTION;
      ALTER DEFAULT PRIVILEGES FOR ROLE ${q(a)} IN SCHEMA "Odd; schema" GRANT INSERT ON TABLES TO PUBLIC;
      ALTER DEFAULT PRIVILEGES FOR ROLE ${q(a)} GRANT USAGE ON SEQUENCES TO ${tag}_reader;
      ALTER DEFAULT PRIVILEGES FOR ROLE ${q(a)} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
      ALTER DEFAULT PRIVILEGES FOR ROLE ${q(a)} GRANT USAGE ON SCHEMAS TO ${tag}_reader`,
    problems: [/default privileges of/i],
  }),
  roleCase({
    name: 'default privileges of one of two users that are the owner role already',
    start: 'ready',
    arrange: ({ b, tag }) =>
      `CREATE ROLE ${tag}_reader; ALTER DEFAULT PRIVILEGES FOR ROLE ${q(b)} GRANT SELECT ON TABLES TO ${tag}_reader`,
    problems: [/default privileges of/i],
  }),
  roleCase({
    name: 'default privileges of a migration role for the user',
    start: 'plain',
    arrange: ({ a, tag }) => `CREATE ROLE ${tag}_migrator; GRANT CREATE ON SCHEMA public TO ${tag}_migrator;
      ALTER DEFAULT PRIVILEGES FOR ROLE ${tag}_migrator IN SCHEMA public GRANT SELECT, INSERT ON TABLES TO ${q(a)}`,
    problems: [/default privileges give/i],
    after: async ({ sql, tag, owner }) => {
      const [row] = await sql<{ may: boolean }>(
        `SET ROLE ${tag}_migrator; CREATE TABLE later (n int); RESET ROLE`,
      ).then(async () =>
        sql<{ may: boolean }>(`SELECT has_table_privilege('${owner}', 'later', 'SELECT, INSERT') AS may`),
      );
      if (!row?.may) throw new Error('a new table of the migration role is not to be read');
    },
  }),
  roleCase({
    name: 'a user mapping with a password that only a superuser sees',
    start: 'plain',
    arrange: ({
      a,
    }) => `CREATE FOREIGN DATA WRAPPER wrapper; CREATE SERVER "Far's; away" FOREIGN DATA WRAPPER wrapper; GRANT USAGE ON FOREIGN SERVER "Far's; away" TO ${q(a)};
      CREATE USER MAPPING FOR ${q(a)} SERVER "Far's; away" OPTIONS (user 'x', password 'canary; ''quoted'' \\\\ 42');
      CREATE SERVER plain FOREIGN DATA WRAPPER wrapper; CREATE USER MAPPING FOR ${q(a)} SERVER plain`,
    problems: [/user mapping at the foreign server "Far/],
    after: async ({ found: { server } }) => {
      if (server.log().includes('canary')) throw new Error('the password is in the log');
    },
  }),
  roleCase({
    name: 'row security policies TO the user',
    start: 'plain',
    arrange: ({
      a,
      tag,
    }) => `CREATE TABLE rows (n int); INSERT INTO rows VALUES (1), (2), (3); ALTER TABLE rows ENABLE ROW LEVEL SECURITY; GRANT SELECT, INSERT ON rows TO ${q(a)};
      CREATE ROLE ${tag}_team; CREATE POLICY "Odd; one" ON rows TO ${q(a)}, ${tag}_team USING (n < 3); CREATE POLICY less ON rows AS RESTRICTIVE TO ${q(a)} USING (n > 1)`,
    problems: [/"Odd; one" on .*rows|Odd; one on public\.rows/, /less on public\.rows restricts/],
  }),
  roleCase({
    name: 'row security that asks for the name of the user',
    start: 'plain',
    arrange: ({
      a,
    }) => `CREATE TABLE mine (who text); INSERT INTO mine VALUES ('${a}'); ALTER TABLE mine ENABLE ROW LEVEL SECURITY; GRANT SELECT ON mine TO ${q(a)};
      CREATE POLICY mine ON mine USING (who = current_user); CREATE POLICY theirs ON mine USING (who = session_user)`,
    problems: [/granted rights on table public\.mine/],
    risks: [/session_user.*theirs on public\.mine/, /mine on public\.mine/],
    // Nobody can know what the expressions are for: this is what the risk is about.
    mayGo: /sees in mine row/,
  }),
  roleCase({
    name: 'the user owns objects, and has rights and policies, in another database',
    start: 'plain',
    alsoIn: ({ tag }) => [`${tag}_Other "db"`],
    arrange: async ({ sql, a, tag }) => {
      const other = `${tag}_Other "db"`;
      await sql(`CREATE DATABASE ${q(other)}`, 'postgres');
      await sql(
        `CREATE TABLE own (n int); ALTER TABLE own OWNER TO ${q(a)}; CREATE TABLE read (n int); GRANT SELECT ON read TO ${q(a)};
        INSERT INTO read VALUES (1); ALTER TABLE read ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON read TO ${q(a)} USING (true);
        CREATE ROLE ${tag}_reader; GRANT USAGE, CREATE ON SCHEMA public TO ${q(a)}; ALTER DEFAULT PRIVILEGES FOR ROLE ${q(a)} GRANT SELECT ON TABLES TO ${tag}_reader;
        CREATE FOREIGN DATA WRAPPER wrapper; CREATE SERVER far FOREIGN DATA WRAPPER wrapper; CREATE USER MAPPING FOR ${q(a)} SERVER far OPTIONS (x 'y')`,
        other,
      );
    },
    problems: [/In the database .*owns 1 objects/, /In the database .*policy p/, /In the database .*granted rights/],
  }),
  roleCase({
    name: 'rights in another database that lockkeeper may not connect to',
    since: 16,
    start: 'ready',
    arrange: async ({ sql, a, b, keeper, tag }) => {
      await sql(`GRANT ${q(a)}, ${q(b)} TO ${q(keeper)} WITH INHERIT FALSE`);
      await sql(`CREATE DATABASE ${tag}_closed`, 'postgres');
      await sql(
        `REVOKE CONNECT ON DATABASE ${tag}_closed FROM PUBLIC; GRANT CONNECT ON DATABASE ${tag}_closed TO ${q(a)}, ${q(b)}`,
        'postgres',
      );
      await sql(`CREATE TABLE t (n int); GRANT SELECT ON t TO ${q(a)}, ${q(b)}`, `${tag}_closed`);
    },
    problems: [/_closed.*cannot read them/],
  }),
];
