import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { importLogin } from '../../shared/rotation/import.ts';
import { consumerForm } from '../../shared/rotation/forms/consumer-form.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import { rotate } from '../../shared/rotation/run.ts';
import { localFileSecrets } from '../../shared/secrets/local-file.ts';
import { logsIn, makePair } from '../services/postgres-pair.ts';
import { startPostgres, type PostgresServer } from '../services/postgres-server.ts';
import { durableDeps, type DurablePlace } from './killed-child.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(async () => server.stop());

const points = [
  'one.stage after 1',
  'service.change in-guard 1',
  'service.change after 1',
  'one.promote after 1',
  'service.retire in-guard 1',
  'service.retire after 1',
  'state.replace before 4',
];

describe('a process killed by the operating system in the middle of a rotation of a real PostgreSQL:', () => {
  test.each(points)(
    '%s',
    async (point) => {
      const pair = await makePair(server);
      const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-killed-'));
      try {
        const place: DurablePlace = { directory, endpoint: server.endpoint, users: pair.users, owner: pair.owner };
        const deps = durableDeps(place);
        for (const name of ['one', 'two'])
          await localFileSecrets({
            directory: join(directory, name),
            keyFile: join(directory, 'key'),
            world: deps.world,
          }).add('app');
        await importLogin(deps, { engine: 'postgres', host: '127.0.0.1', port: server.port }, pair.initial);
        expect(await killedAt(place, point)).toBe('SIGKILL');
        await allLogIn(deps);
        await finish(deps);
        await allLogIn(deps);
        expect(await logsIn(server.port, pair.initial)).toBe(false);
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
    30_000,
  );
});

async function killedAt(place: DurablePlace, point: string): Promise<string | null> {
  const child = spawn(
    process.execPath,
    ['--no-warnings', join(import.meta.dirname, 'killed-child.ts'), JSON.stringify(place), ...point.split(' ')],
    { stdio: 'inherit', timeout: 20_000, killSignal: 'SIGTERM' },
  );
  await once(child, 'exit');
  return child.signalCode;
}

/** What consumers read in any store logs in at the server. */
async function allLogIn(deps: RotationDeps): Promise<void> {
  for (const store of Object.values(deps.stores)) {
    const { current } = await store.read('app');
    expect(current && (await logsIn(server.port, consumerForm().read(current.value, [])))).toBe(true);
  }
}

async function finish(deps: RotationDeps): Promise<void> {
  for (let runs = 0; runs < 50; runs += 1) {
    const report = await rotate(deps, { now: true });
    if (report.outcome === 'done') return;
    expect(['waiting', 'failed']).toContain(report.outcome);
    await pause(50);
  }
  throw new Error('the rotation does not end');
}
