import { parentPort, workerData } from 'node:worker_threads';
import { asLockkeeperError } from '../../../../shared/base/error.ts';
import { Sealed } from '../../../../shared/base/sealed.ts';
import { postgresService } from '../../../../shared/services/postgres.ts';
import { testWorld } from '../../../world.ts';

/** What the worker is to do: log in everywhere, in turn. */
export interface LoginWork {
  readonly endpoints: readonly string[];
  readonly password: string;
  readonly tls: 'off' | 'require';
}

/** What came of one login. */
export interface LoginOutcome {
  readonly endpoint: string;
  /** `accepted`, `refused`, or the code of the error where there was no answer. */
  readonly came: string;
}

/**
 * Logs in as lockkeeper does, in a thread of its own: a server that keeps it busy for ever, or kills it, is seen from
 * outside.
 */
async function main(): Promise<void> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the attack that starts this thread gives it
  const { endpoints, password, tls } = workerData as LoginWork;
  const login = { slot: 'app_a', value: new Sealed(password) };
  for (const endpoint of endpoints) {
    const service = postgresService({
      credential: 'orders-db',
      strategy: 'alternating',
      users: ['app_a', 'app_b'],
      database: 'orders',
      endpoints: [endpoint],
      tls,
      admin: async () => ({ user: 'lockkeeper', password: new Sealed(password) }),
      world: testWorld('2026-10-01T00:00:00Z', 'worker'),
    });
    const came = await service.accepts(login).then(
      ([answer]) => answer?.error?.code ?? answer?.answer ?? 'nothing',
      (thrown: unknown) => asLockkeeperError(thrown).code,
    );
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
    parentPort?.postMessage({ endpoint, came } satisfies LoginOutcome);
  }
}

await main();
