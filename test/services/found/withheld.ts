import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { postgresService } from '../../../shared/services/postgres.ts';
import { holdSession } from '../postgres-pair.ts';
import { superuser } from '../postgres-server.ts';
import { printedIn } from '../printed.ts';
import type { FoundCase, FoundServer } from './case.ts';
import { must, toldIn } from './expect.ts';
import { foundPair, q, type FoundPair } from './found-pair.ts';

/** Runs `work` while these lines stand before all others of pg_hba.conf. */
async function underRules<T>({ server }: FoundServer, lines: readonly string[], work: () => Promise<T>): Promise<T> {
  const [row] = await server.sql<{ readonly file: string }>("SELECT current_setting('hba_file') AS file");
  const file = row?.file ?? '';
  const before = await readFile(file, 'utf8');
  const put = async (text: string) => {
    await writeFile(file, text);
    await server.sql('SELECT pg_reload_conf()');
    await pause(150);
  };
  await put([...lines, before].join('\n'));
  try {
    return await work();
  } finally {
    await put(before);
  }
}

interface RuleCase {
  readonly name: string;
  readonly line: (pair: FoundPair) => string;
  readonly message: RegExp;
  readonly hint: RegExp;
}

/** None of them says anything about the password or about consumers. */
function ruleCase({ name, line, message, hint }: RuleCase): FoundCase {
  return {
    name,
    async run(found) {
      const pair = await foundPair(found, 'ready');
      await underRules(found, [line(pair)], async () => {
        const [answer] = await postgresService(pair.options()).accepts(pair.login(pair.a));
        must(answer?.answer === 'no-answer', `it is ${answer?.answer}`);
        toldIn([answer?.error?.message], message);
        toldIn([answer?.error?.hint], hint);
        const told = `${answer?.error?.message} ${answer?.error?.hint}`;
        must(!/lock(?:ed)?[ -]?out|wrong password/i.test(told), told);
      });
    },
  };
}

const unknown = /: the server refuses this machine before it asks for a password, so nothing is known about/;

const rules: readonly FoundCase[] = [
  ruleCase({
    name: 'pg_hba.conf rejects this host',
    line: ({ a }) => `host all ${a} 127.0.0.1/32 reject`,
    message: new RegExp(/pg_hba\.conf rejects connection for host "127\.0\.0\.1", user "f\d+_\d+_a", database/.source),
    hint: /Add a line for this host, user and database to pg_hba\.conf and reload, or ask for TLS/,
  }),
  ruleCase({
    name: 'pg_hba.conf lets this host in with TLS only',
    line: ({ a }) => `hostnossl all ${a} 127.0.0.1/32 reject`,
    message: /no encryption.*refuses this machine/,
    hint: /or ask for TLS \(tls\)/,
  }),
  ruleCase({
    name: 'pg_hba.conf asks for a certificate or an account of the host',
    line: ({ a }) => `host all ${a} 127.0.0.1/32 ident`,
    message: unknown,
    hint: /Let pg_hba\.conf ask for scram-sha-256 here/,
  }),
  ruleCase({
    name: 'pg_hba.conf asks for the password in clear, as for LDAP, RADIUS and PAM',
    line: ({ a }) => `host all ${a} 127.0.0.1/32 password`,
    message: /in clear, and it was not sent/,
    hint: /scram-sha-256/,
  }),
  ruleCase({
    name: 'pg_hba.conf asks for nothing (trust)',
    line: ({ a }) => `host all ${a} 127.0.0.1/32 trust`,
    message: /asks for no password, so the login proves nothing/,
    hint: /scram-sha-256/,
  }),
];

/** One statement after the other on one connection, as a superuser with psql runs what is printed. */
async function asPsql({ found, database }: FoundPair, printed: string): Promise<void> {
  const client = new pg.Client({ host: '127.0.0.1', port: found.server.port, database, ...superuser });
  await client.connect();
  try {
    for (const sql of printed.split(/(?<=;) /)) await client.query(sql);
  } finally {
    await client.end();
  }
}

interface UnfitCase {
  readonly name: string;
  readonly since?: number;
  readonly arrange: (pair: FoundPair) => string;
  readonly unfit: RegExp;
}

/** Told after a login, and put right by the SQL that is printed. */
function unfitCase({ name, since, arrange, unfit }: UnfitCase): FoundCase {
  return {
    name,
    ...(since === undefined ? {} : { since }),
    async run(found) {
      const pair = await foundPair(found, 'ready');
      const ask = async () => (await postgresService(pair.options()).accepts(pair.login(pair.a)))[0];
      must((await ask())?.unfit === undefined, 'it is unfit before anything is arranged');
      for (const sql of arrange(pair).split('; ')) await pair.sql(sql);
      const answer = await ask();
      must(answer?.answer === 'accepted', `it is ${answer?.answer}: ${answer?.error?.message}`);
      await asPsql(pair, printedIn(toldIn([answer?.unfit], unfit)));
      await pause(100);
      const after = await ask();
      must(after?.answer === 'accepted' && after.unfit === undefined, `after the printed SQL: ${after?.unfit}`);
    },
  };
}

const unfit: readonly FoundCase[] = [
  unfitCase({
    name: 'a login that does not become the owner role, for nothing says so',
    arrange: ({ a }) => `ALTER ROLE ${q(a)} RESET role`,
    unfit: /It works as f\d+_\d+_a and not as the owner role/,
  }),
  unfitCase({
    name: 'a login that becomes somebody else in this database',
    arrange: ({ a, database }) => `ALTER ROLE ${q(a)} IN DATABASE ${q(database)} SET role = 'none'`,
    unfit: /and not as the owner role/,
  }),
  unfitCase({
    name: 'a login that may not become the owner role (WITH SET FALSE)',
    since: 16,
    arrange: ({ a, owner }) => `GRANT ${q(owner)} TO ${q(a)} WITH SET FALSE`,
    unfit: /which f\d+_\d+_a may not become\. Run: GRANT .* WITH SET TRUE;/,
  }),
  unfitCase({
    name: 'a login that may not become the owner role (no member)',
    arrange: ({ a, owner }) => `REVOKE ${q(owner)} FROM ${q(a)}`,
    unfit: /which f\d+_\d+_a may not become/,
  }),
  unfitCase({
    name: 'a user that may not log in (NOLOGIN)',
    arrange: ({ a }) => `ALTER ROLE ${q(a)} NOLOGIN`,
    unfit: /password is right, but .* may not log in/,
  }),
  unfitCase({
    name: 'a user without CONNECT on the database',
    arrange: ({ database }) => `REVOKE CONNECT ON DATABASE ${q(database)} FROM PUBLIC`,
    unfit: /password is right, but .* may not connect to the database/,
  }),
  unfitCase({
    name: 'a server on which nobody writes (ALTER SYSTEM SET default_transaction_read_only)',
    arrange: () => 'ALTER SYSTEM SET default_transaction_read_only = on; SELECT pg_reload_conf(), pg_sleep(0.3)',
    unfit: /On the whole server nobody can write .* ALTER SYSTEM/,
  }),
];

const sessions: readonly FoundCase[] = [
  {
    name: 'a database in which nobody writes (ALTER DATABASE … SET default_transaction_read_only): told, and stops nothing',
    async run(found) {
      const pair = await foundPair(found, 'ready');
      const service = postgresService(pair.options());
      await pair.sql(`ALTER DATABASE ${q(pair.database)} SET default_transaction_read_only = on`);
      const { problems, risks } = await service.describe();
      must(problems.length === 0, problems.join(' '));
      const told = toldIn(risks, /In the database .* nobody can write/);
      const [answer] = await service.accepts(pair.login(pair.a));
      must(answer?.answer === 'accepted' && answer.unfit === undefined, `it stops the rotation: ${answer?.unfit}`);
      await service.change(pair.login(pair.b), undefined, async () => undefined);
      await asPsql(pair, printedIn(told));
      must(
        (await service.describe()).risks.every((risk) => !/nobody can write/.test(risk)),
        'the SQL changes nothing',
      );
    },
  },
  {
    name: 'a session whose address lockkeeper may not see, and a query with parallel workers',
    async run(found) {
      const pair = await foundPair(found, 'ready');
      const { port } = found.server;
      const held = await holdSession(port, pair.login(pair.a));
      const peers = async () => (await postgresService(pair.options()).sessions(pair.a)).map(({ peer }) => peer);
      const working = await parallelQuery(pair);
      must((await workers(pair)) > 0, 'the query has no parallel workers');
      const [one, ...more] = await peers();
      must(one === '127.0.0.1 (consumer)' && more.length === 1, `they are told as ${[one, ...more].join(', ')}`);
      await pair.sql(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${pair.a}' AND query LIKE 'SELECT count%'`,
      );
      await working.end().catch(() => undefined);
      await pair.sql(`REVOKE pg_read_all_stats FROM ${q(pair.keeper)}`);
      if (found.version >= 16) await pair.sql(`GRANT ${q(pair.a)} TO ${q(pair.keeper)} WITH INHERIT FALSE`);
      else await pair.sql(`ALTER ROLE ${q(pair.keeper)} NOINHERIT`);
      toldIn(await peers(), /^not shown \(consumer\): lockkeeper’s own login lacks pg_read_all_stats/);
      await held.close();
    },
  },
  {
    name: 'every connection that the user may have is taken',
    async run(found) {
      const pair = await foundPair(found, 'ready');
      await pair.sql(`ALTER ROLE ${q(pair.a)} CONNECTION LIMIT 1`);
      const held = await holdSession(found.server.port, pair.login(pair.a));
      const [answer] = await postgresService(pair.options()).accepts(pair.login(pair.a));
      must(answer?.answer === 'no-answer' && answer.error?.code === 'throttled', `it is ${answer?.answer}`);
      toldIn([answer?.error?.hint], /says nothing about the password/);
      await held.close();
    },
  },
  {
    name: 'an expired user (VALID UNTIL) is not told as a wrong password',
    async run(found) {
      const pair = await foundPair(found, 'ready');
      await pair.sql(`ALTER ROLE ${q(pair.a)} VALID UNTIL '2001-01-01'`);
      const [answer] = await postgresService(pair.options()).accepts(pair.login(pair.a));
      must(answer?.answer === 'refused', `it is ${answer?.answer}`);
      await pair.sql(`ALTER ROLE ${q(pair.keeper)} VALID UNTIL '2001-01-01'`);
      const thrown: unknown = await postgresService(pair.options())
        .describe()
        .catch((error: unknown) => error);
      toldIn(
        [thrown instanceof Error && 'hint' in thrown ? String(thrown.hint) : ''],
        /has not expired \(VALID UNTIL\)/,
      );
    },
  },
];

/** A consumer whose query has parallel workers, for as long as it is looked at. */
async function parallelQuery(pair: FoundPair): Promise<pg.Client> {
  await pair.sql(
    `CREATE TABLE t AS SELECT generate_series(1, 200000) i; ALTER TABLE t OWNER TO ${q(pair.owner)}; ANALYZE t`,
  );
  const { slot, value } = pair.login(pair.a);
  const client = new pg.Client({
    host: '127.0.0.1',
    port: pair.found.server.port,
    database: pair.database,
    user: slot,
    password: value.open(),
    application_name: 'consumer',
  });
  client.on('error', () => undefined);
  await client.connect();
  await client.query(`SET max_parallel_workers_per_gather = 2; SET min_parallel_table_scan_size = 0;
    SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0`);
  client.query('SELECT count(*) FROM t a, t b WHERE sqrt(a.i) > b.i + 1').catch(() => undefined);
  for (let looks = 0; looks < 100 && (await workers(pair)) === 0; looks += 1) await pause(20);
  return client;
}

async function workers(pair: FoundPair): Promise<number> {
  const [row] = await pair.sql<{ readonly n: number }>(
    `SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = '${pair.a}' AND backend_type = 'parallel worker'`,
  );
  return row?.n ?? 0;
}

/** What a server keeps from a login or from lockkeeper. */
export const withheldCases: readonly FoundCase[] = [...rules, ...unfit, ...sessions];
