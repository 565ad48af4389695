import { afterAll, beforeAll } from '@jest/globals';
import { adoptionTests } from './postgres-adoption.ts';
import { endpointTests } from './postgres-endpoints.ts';
import type { PostgresServer } from './postgres-server.ts';
import { startVersion, versionsHere } from './postgres-versions.ts';

/** One server of each version here, and two at least. */
let servers: readonly PostgresServer[] = [];
beforeAll(async () => {
  const versions = versionsHere.length > 1 ? versionsHere : [...versionsHere, ...versionsHere];
  servers = await Promise.all(versions.map((version) => startVersion(version)));
}, 60_000);
afterAll(async () => {
  for (const server of servers) await server.stop();
});

for (const [at, version] of versionsHere.entries())
  adoptionTests(version, () => {
    const server = servers[at];
    if (!server) throw new Error('the server was not started');
    return server;
  });

endpointTests(() => servers);
