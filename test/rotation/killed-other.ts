import { setTimeout as pause } from 'node:timers/promises';
import { minute } from '../../shared/base/time.ts';
import { importLogin } from '../../shared/rotation/import.ts';
import { memoryObjects } from '../../shared/objects/memory.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import { rotate } from '../../shared/rotation/run.ts';
import { MemoryVault, memorySecrets } from '../../shared/secrets/memory.ts';
import type { AdminOffer } from '../../shared/services/admin-login.ts';
import { postgresService } from '../../shared/services/postgres.ts';
import { logsIn, makePair, type PostgresPair } from '../services/postgres-pair.ts';
import type { PostgresServer } from '../services/postgres-server.ts';
import { testWorld } from '../world.ts';
import { form, ownLogin, type DurablePlace } from './killed-place.ts';

/** An alternating pair of consumers that lockkeeper changes by a login of its own, which is rotated meanwhile. */
export class Other {
  readonly #server: PostgresServer;
  readonly #pair: PostgresPair;
  readonly #deps: (admin: () => Promise<AdminOffer>) => RotationDeps;
  readonly #world = testWorld();

  private constructor(server: PostgresServer, pair: PostgresPair) {
    this.#server = server;
    this.#pair = pair;
    const vault = new MemoryVault();
    vault.add('app');
    const shared = { stores: { vault: memorySecrets(vault) }, state: memoryObjects(), world: this.#world };
    this.#deps = (admin) => ({
      ...shared,
      plan: {
        name: 'other',
        service: 'other',
        stores: [{ store: 'vault', secret: 'app', form }],
        address: { engine: 'postgres', host: '127.0.0.1', port: server.port },
        propagationMs: 1,
        everyMs: 1,
        refreshes: [],
        acceptDowntime: false,
      },
      service: postgresService({ ...pair.options(), admin }),
      audit: { record: async () => ({ run: 'none', n: 0, hash: '', at: this.#world.now() }) },
      notify: async () => undefined,
      actor: 'test',
    });
  }

  /** What lockkeeper needs is granted to the role that its `own` logins share, as docs/own-login.md says. */
  static async make(server: PostgresServer, own: PostgresPair): Promise<Other> {
    const pair = await makePair(server);
    const administers = `GRANT ${pair.users.join(', ')} TO ${own.owner} WITH ADMIN OPTION;`;
    await server.sql(`ALTER ROLE ${own.users[0]} CREATEROLE; ALTER ROLE ${own.users[1]} CREATEROLE;
      GRANT pg_signal_backend, pg_read_all_stats TO ${own.owner}; ${administers}`);
    const other = new Other(server, pair);
    await importLogin(other.#deps(pair.options().admin), pair.initial);
    return other;
  }

  /** Rotates it with what lockkeeper finds in `place` for its own login. Answers what went wrong. */
  async goesOn(place: DurablePlace): Promise<readonly string[]> {
    const deps = this.#deps(ownLogin(place));
    for (let runs = 0; runs < 5; runs += 1) {
      const report = await rotate(deps, { now: true });
      if (report.outcome === 'done') return await this.#consumersGetIn(deps);
      if (report.outcome !== 'waiting') return [`the other credential: ${report.outcome}: ${report.text}`];
      await pause(2);
      this.#world.pass(minute);
    }
    return ['the rotation of the other credential does not end'];
  }

  async #consumersGetIn({ stores }: RotationDeps): Promise<readonly string[]> {
    const { current } = (await stores['vault']?.read('app')) ?? {};
    const isIn = current && (await logsIn(this.#server.port, form.read(current.value, this.#pair.users)));
    return isIn ? [] : ['consumers of the other credential are refused'];
  }
}
