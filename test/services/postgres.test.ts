import { afterAll, beforeAll } from '@jest/globals';
import { postgresService } from '../../shared/services/postgres.ts';
import { serviceSuite, type ServicePlace } from '../conformance/service.ts';
import { foundTests } from './postgres-found.ts';
import { deadService, holdSession, logsIn, makePair } from './postgres-pair.ts';
import { ownLoginTests } from './postgres-own-login.ts';
import { roleTests } from './postgres-roles.ts';
import { startPostgres, type PostgresServer } from './postgres-server.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(async () => server.stop());

for (const strategy of ['alternating', 'single'] as const)
  serviceSuite(`postgres (${strategy})`, async () => open(strategy));

roleTests(() => server);
ownLoginTests(() => server);
foundTests(() => server);

async function open(strategy: 'alternating' | 'single'): Promise<ServicePlace> {
  const pair = await makePair(server);
  const users = strategy === 'single' ? [pair.users[0]] : pair.users;
  const driver = () => postgresService(pair.options({ strategy, users }));
  return {
    first: driver(),
    second: driver(),
    down: deadService(pair, strategy),
    initial: pair.initial,
    target: users.at(-1) ?? '',
    logsIn: async (login) => logsIn(server.port, login),
    hold: async (login) => holdSession(server.port, login),
    // Whoever is in the middle of a change holds the one advisory lock there is.
    loseFirst: async () =>
      void (await server.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()",
      )),
    close: async () => undefined,
  };
}
