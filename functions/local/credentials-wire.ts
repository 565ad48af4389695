import type { LocalFileSecrets } from '../../shared/secrets/local-file.ts';
import type { SecretStore } from '../../shared/secrets/contract.ts';
import type { AllDrivers } from './drivers.ts';

/** Every driver of credentials that one machine offers: one line each. */
export const drivers = {
  engines: {
    postgres: async (credential, { name, world, admin, authority }) => {
      const { postgresService } = await import('../../shared/services/postgres.ts');
      const { strategy, users, ownerRole, database, endpoints, authentication, tls } = credential;
      return postgresService({
        credential: name,
        strategy,
        users,
        ...(ownerRole === undefined ? {} : { ownerRole }),
        database,
        endpoints,
        authentication,
        tls: typeof tls === 'string' ? tls : { ca: () => authority(tls.ca) },
        admin,
        world,
      });
    },
  },
  secretStores: {
    memory: {
      writes: 'conditional',
      settlesMs: 0,
      open: async (_, { secrets }) => {
        const { MemoryVault, memorySecrets } = await import('../../shared/secrets/memory.ts');
        const vault = new MemoryVault();
        for (const secret of secrets) vault.add(secret);
        return memorySecrets(vault);
      },
    },
    'local-file': {
      writes: 'conditional',
      settlesMs: 0,
      open: async ({ path, keyFile }, { secrets, world }) => {
        const { localFileSecrets } = await import('../../shared/secrets/local-file.ts');
        return madeAtFirstUse(localFileSecrets({ directory: path, keyFile, world }), secrets);
      },
    },
  },
  refreshes: {
    http: async ({ name, url, key, timeout }, { world, open }) => {
      const { httpRefresh } = await import('../../shared/refreshes/http.ts');
      return httpRefresh({ name, url, key: () => open(key), world, answerMs: timeout.ms });
    },
    'aws-event': async ({ name, bus, region, endpoint }, { world }) => {
      const { awsEventRefresh } = await import('../../shared/refreshes/aws-event.ts');
      return awsEventRefresh({ name, bus, region, endpoint, world });
    },
    command: async ({ name, run, timeout }, { world, environment }) => {
      const { commandRefresh } = await import('../../shared/refreshes/command.ts');
      return commandRefresh({ name, run, world, environment, answerMs: timeout.ms });
    },
  },
} as const satisfies AllDrivers;

/**
 * The store with each of `secrets` made, empty, at its first use where it is not there: one that cannot be made is the
 * trouble of that secret alone.
 */
function madeAtFirstUse(store: LocalFileSecrets, secrets: readonly string[]): SecretStore {
  const missing = new Set(secrets);
  const made = async (secret: string): Promise<LocalFileSecrets> => {
    if (missing.has(secret)) await store.add(secret);
    missing.delete(secret);
    return store;
  };
  return {
    writes: store.writes,
    settlesMs: store.settlesMs,
    read: async (secret, ids) => (await made(secret)).read(secret, ids),
    stage: async (secret, rotation, value) => (await made(secret)).stage(secret, rotation, value),
    promote: async (secret, staged, from) => (await made(secret)).promote(secret, staged, from),
    abandon: async (secret, rotation) => (await made(secret)).abandon(secret, rotation),
    retire: async (secret, id) => (await made(secret)).retire(secret, id),
  };
}
