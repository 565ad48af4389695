import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { rotate } from '../../../shared/rotation/run.ts';
import { Sealed } from '../../../shared/base/sealed.ts';
import type { Login, Service } from '../../../shared/services/contract.ts';
import { postgresService, type PostgresOptions } from '../../../shared/services/postgres.ts';
import { depsOn } from '../../proofs/attacks/postgres/rotation.ts';
import { startPgBouncer, type PgBouncer, type PgBouncerOptions } from '../pgbouncer.ts';
import type { FoundCase, FoundServer } from './case.ts';
import { must, toldIn } from './expect.ts';
import { foundPair, passwordOf, type FoundPair } from './found-pair.ts';

const free = async () => undefined;

interface PoolerCase {
  readonly name: string;
  readonly pooler: (pair: FoundPair) => Omit<PgBouncerOptions, 'server' | 'databases'>;
  readonly run: (pair: FoundPair, pooler: PgBouncer) => Promise<void>;
}

function poolerCase({ name, pooler, run }: PoolerCase): FoundCase {
  return {
    name,
    async run(found: FoundServer) {
      const pair = await foundPair(found, 'ready');
      const { server } = found;
      const started = await startPgBouncer({ server, databases: [pair.database], ...pooler(pair) });
      try {
        await run(pair, started);
      } finally {
        await started.stop();
      }
    },
  };
}

/** A consumer that logs in through the pooler and stays. */
async function consumer(pair: FoundPair, pooler: PgBouncer, login: Login): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: pooler.port,
    user: login.slot,
    password: login.value.open(),
    database: pair.database,
    application_name: 'shop',
  });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('SELECT 1');
  return client;
}

/** Everything that a rotation asks of a service, with a consumer that comes through the pooler. */
async function turn(pair: FoundPair, pooler: PgBouncer, service: Service): Promise<void> {
  const { problems, risks, slotsEqual } = await service.describe();
  must(problems.length === 0 && slotsEqual, `it is not ready: ${problems.join('\n')}`);
  toldIn(risks, new RegExp(`pooler at ${pooler.endpoint} that is idle may show no session`));
  const [old, next] = [pair.login(pair.a), { slot: pair.b, value: new Sealed('value-of-the-next-01234567890') }];
  await good(service, old);
  await service.change(next, old, free);
  await good(service, next);
  await (await consumer(pair, pooler, next)).end();
  const late = await consumer(pair, pooler, old);
  toldIn(
    (await service.sessions(pair.a)).map(({ peer }) => peer),
    new RegExp(`^127\\.0\\.0\\.1 \\(shop\\), where the pooler at ${pooler.endpoint} comes from: RECONNECT`),
  );
  await late.end();
  must((await service.sessions(pair.a)).length === 1, 'the connection that the pooler keeps is not seen as what it is');
  await pooler.console('RECONNECT');
  await goneSoon(service, pair.a);
  await service.retire(pair.a, next, free);
  for (const { answer } of await service.accepts(old)) must(answer === 'refused', `the old value is ${answer}`);
  await good(service, next);
  must((await service.sessions(pair.a)).length === 0, 'a login of lockkeeper’s own stays behind in the pool');
}

/** It logs in everywhere, and nothing stays behind that looks like a consumer's session. */
async function good(service: Service, login: Login): Promise<void> {
  for (const { answer, unfit, error } of await service.accepts(login))
    must(answer === 'accepted' && unfit === undefined, `${login.slot}: ${answer} ${unfit ?? error?.message ?? ''}`);
}

async function goneSoon(service: Service, slot: string): Promise<void> {
  for (let looks = 0; looks < 50; looks += 1) {
    if ((await service.sessions(slot)).length === 0) return;
    await pause(50);
  }
  throw new Error('RECONNECT does not close what is idle');
}

/** Runs as a schedule would, until the rotation is done. */
async function rotated(service: Service, port: number, login: Login): Promise<void> {
  const deps = await depsOn(service, port, login);
  for (let runs = 0; runs < 100; runs += 1) {
    const report = await rotate(deps, { now: runs === 0 });
    if (report.outcome === 'done') return;
    must(report.outcome === 'waiting', `${report.outcome}: ${report.text}`);
    await pause(25);
  }
  throw new Error('the rotation does not end');
}

const lookups = (['session', 'transaction'] as const).flatMap((mode) =>
  (['scram-sha-256', 'md5'] as const).flatMap((type) =>
    (['beside the server', 'alone'] as const).map((where): FoundCase =>
      poolerCase({
        name: `PgBouncer ${where}, pool_mode ${mode}, auth_query, auth_type ${type}`,
        pooler: () => ({ mode, type, auth: 'query' }),
        async run(pair, pooler) {
          const endpoints = [...(where === 'alone' ? [] : [pair.found.server.endpoint]), pooler.endpoint];
          const more: Partial<PostgresOptions> = type === 'md5' ? { authentication: 'md5' } : {};
          await turn(pair, pooler, postgresService(pair.options({ endpoints, ...more })));
          const login = { slot: pair.b, value: new Sealed('value-of-the-next-01234567890') };
          await rotated(postgresService(pair.options({ endpoints, ...more })), pooler.port, login);
        },
      }),
    ),
  ),
);

/** The list holds what both users have now, in clear or as the server's verifiers. */
function listCase(type: 'scram-sha-256' | 'md5', mode: 'session' | 'transaction'): FoundCase {
  return poolerCase({
    name: `PgBouncer with a userlist (auth_file), auth_type ${type}, pool_mode ${mode}: told before anything is changed`,
    pooler: ({ a, b }) => ({ mode, type, auth: [a, b].map((user) => ({ user, password: passwordOf(user) })) }),
    async run(pair, pooler) {
      const endpoints = [pair.found.server.endpoint, pooler.endpoint];
      const service = postgresService(pair.options({ endpoints, authentication: type === 'md5' ? 'md5' : 'scram' }));
      toldIn(
        (await service.describe()).problems,
        new RegExp(`pooler at ${pooler.endpoint} takes the password of ${pair.a} and ${pair.b} from a list of its own`),
      );
      await good(service, pair.login(pair.a));
      const next = { slot: pair.b, value: new Sealed('value-of-the-next-01234567890') };
      await service.change(next, pair.login(pair.a), free);
      const [direct, pooled] = await service.accepts(next);
      must(direct?.answer === 'accepted' && pooled?.answer === 'refused', `${direct?.answer} and ${pooled?.answer}`);
      await pooler.setUsers([{ user: pair.b, password: next.value.open() }]);
      await good(service, next);
    },
  });
}

const others: readonly FoundCase[] = [
  poolerCase({
    name: 'PgBouncer with auth_type md5 where lockkeeper answers SCRAM only: told before anything is changed',
    pooler: () => ({ mode: 'session', type: 'md5', auth: 'query' }),
    async run(pair, pooler) {
      await pair.sql(`ALTER ROLE ${pair.b} PASSWORD NULL`);
      const endpoints = [pair.found.server.endpoint, pooler.endpoint];
      toldIn(
        (await postgresService(pair.options({ endpoints })).describe()).problems,
        /asks for md5 .*auth_type = md5/,
      );
      const answering = postgresService(pair.options({ endpoints, authentication: 'md5' }));
      must((await answering.describe()).problems.length === 0, 'the way out that is named is none');
    },
  }),
  poolerCase({
    name: 'PgBouncer whose own lookup is refused by the server: no answer about the value that was shown',
    pooler: () => ({ mode: 'session', auth: 'query' }),
    async run(pair, pooler) {
      const service = postgresService(pair.options({ endpoints: [pooler.endpoint] }));
      await pair.sql("ALTER ROLE pgbouncer_lookup PASSWORD 'another-than-the-pooler-knows'");
      try {
        const [answer] = await service.accepts(pair.login(pair.a));
        must(answer?.answer === 'no-answer', `it is ${answer?.answer}`);
      } finally {
        await pair.sql("ALTER ROLE pgbouncer_lookup PASSWORD 'password-of-the-lookup'");
      }
    },
  }),
  poolerCase({
    name: 'PgBouncer that drops startup options (ignore_startup_parameters)',
    pooler: () => ({ mode: 'transaction', auth: 'query', settings: ['ignore_startup_parameters = options'] }),
    async run(pair, pooler) {
      await pair.sql(`ALTER DATABASE ${pair.database} SET search_path = public`);
      const service = postgresService(pair.options({ endpoints: [pair.found.server.endpoint, pooler.endpoint] }));
      await good(service, pair.login(pair.a));
      must((await service.sessions(pair.a)).length === 0, 'a login of lockkeeper’s own stays behind in the pool');
      const late = await consumer(pair, pooler, pair.login(pair.a));
      toldIn(
        (await service.sessions(pair.a)).map(({ peer }) => peer),
        /where the pooler at/,
      );
      await late.end();
    },
  }),
  poolerCase({
    name: 'PgBouncer that logs everybody in as one user (user= in [databases])',
    pooler: ({ a, b, database, found }) => ({
      mode: 'session',
      auth: [a, b].map((user) => ({ user, password: passwordOf(user) })),
      lines: [`${database} = host=127.0.0.1 port=${found.server.port} user=${b} password=${passwordOf(b)}`],
    }),
    async run(pair, pooler) {
      const service = postgresService(pair.options({ endpoints: [pair.found.server.endpoint, pooler.endpoint] }));
      const [, answer] = await service.accepts(pair.login(pair.a));
      toldIn([answer?.unfit], new RegExp(`sees ${pair.b} and not ${pair.a}`));
    },
  }),
];

/** Poolers before the server. */
export const poolerCases: readonly FoundCase[] = [
  ...lookups,
  ...(['scram-sha-256', 'md5'] as const).flatMap((type) =>
    (['session', 'transaction'] as const).map((mode) => listCase(type, mode)),
  ),
  ...others,
];
