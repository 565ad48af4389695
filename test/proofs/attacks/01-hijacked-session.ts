import { startDebianPostgres } from '../../services/debian-postgres.ts';
import { startPostgres, type PostgresServer } from '../../services/postgres-server.ts';
import type { Attack } from './attack.ts';
import { Hijack, type Hijacks } from './postgres/hijacks.ts';

const session = 'shared/services/postgres-session.ts';
const sessions = 'shared/services/postgres-sessions.ts';

/** A consumer that owns its database tries to run code as lockkeeper, to stop its rotations, and to hide from it. */
export const attack: Attack = {
  number: 1,
  about: "a consumer shadows what lockkeeper's session calls, and shapes its settings",
  async run() {
    const [old, current] = await Promise.all([
      on(() => startDebianPostgres(15, ['log_statement=all']), true),
      on(() => startPostgres(['log_statement=all']), false),
    ]);
    return `PostgreSQL 15 (lockkeeper a superuser): ${told(old)}; 18: ${told(current)}; no code ran, no rotation stopped, no session hid, no printed SQL did more than it says`;
  },
  switchedBack: [
    {
      name: 'startup-options',
      file: 'shared/services/postgres-connection.ts',
      find: '    ...(startup !== undefined && { options: startup }),\n',
      replace: '',
    },
    { name: 'startup-search-path', file: session, find: "  ['search_path', 'pg_catalog,pg_temp'],\n", replace: '' },
    { name: 'pinned-transaction', file: session, find: '  await client.query(pinTransaction);\n', replace: '' },
    {
      name: 'qualified-first-statement',
      file: session,
      find: "SELECT pg_catalog.set_config('search_path'",
      replace: "SELECT set_config('search_path'",
    },
    {
      name: 'sessions-by-process',
      file: sessions,
      find: " AND pid = ANY($3::pg_catalog.int4[])\n      AND coalesce(${micros('backend_start')}, 0) = ANY($4::pg_catalog.int8[])",
      replace: ' AND $3::pg_catalog.int4[] IS NOT NULL AND $4::pg_catalog.int8[] IS NOT NULL',
    },
    {
      name: 'own-statement-by-schema',
      file: sessions,
      find: 'OPERATOR(pg_catalog.*) 1000000',
      replace: '* 1000000',
    },
    {
      name: 'list-settings-as-names',
      file: 'shared/services/postgres-settings.ts',
      find: "  return listItems(value)\n    ?.map((one) => pg.escapeLiteral(one))\n    .join(', ');",
      replace: '  return value;',
    },
    {
      name: 'sql-apart-from-text',
      file: 'shared/rotation/adopt.ts',
      find: 'sql: seen.service.fixes,',
      replace: 'sql: problems.map((one) => / Run: (.+;)$/s.exec(one)?.[1] ?? ""),',
    },
  ],
};

async function on(start: () => Promise<PostgresServer>, isSuperuser: boolean): Promise<Hijacks> {
  const server = await start();
  try {
    return await Hijack.run(server, isSuperuser);
  } finally {
    await server.stop();
  }
}

function told({ functions, operators, relations, types, settings, turns }: Hijacks): string {
  return `${functions} functions, ${operators} operators, ${relations} relations, ${types} types shadowed, ${settings} settings made, ${turns} whole turns`;
}
