import { LockkeeperError } from '../../shared/base/error.ts';
import { readGuarded } from '../../shared/base/owner-file.ts';
import type { Sealed } from '../../shared/base/sealed.ts';
import type { World } from '../../shared/base/world.ts';
import { openReference } from '../../shared/config/open-reference.ts';
import type { Config, CredentialConfig, ServiceConfig } from '../../shared/config/schema.ts';
import type { Notice } from '../../shared/approvals/contract.ts';
import type { AuditLog } from '../../shared/audit/entry.ts';
import { loginOf } from '../../shared/rotation/consumer-text.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import type { SecretStore } from '../../shared/secrets/contract.ts';
import type { Service } from '../../shared/services/contract.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';

/** What rotations need besides the configuration. */
export interface CredentialSurroundings {
  readonly config: Config;
  readonly world: World;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly secrets: Readonly<Record<string, SecretStore>>;
  readonly state: ObjectStore;
  readonly audit: AuditLog;
  /** The key of the log's fingerprints; undefined where this machine has none. */
  readonly fingerprintKey: Uint8Array | undefined;
  readonly notify: (notice: Notice) => Promise<void>;
  readonly actor: string;
}

/**
 * Opens every secret store of the configuration; each configured secret exists afterwards, empty where it was not
 * there.
 */
export async function openSecretStores(config: Config, world: World): Promise<Readonly<Record<string, SecretStore>>> {
  const opened: [string, SecretStore][] = [];
  for (const [name, store] of Object.entries(config.secrets)) {
    const wanted = config.services.flatMap(({ credential }) =>
      (credential?.secrets ?? []).filter((one) => one.store === name).map((one) => one.name),
    );
    opened.push([name, await openSecretStore(store, wanted, world)]);
  }
  return Object.fromEntries(opened);
}

async function openSecretStore(
  store: Config['secrets'][string],
  wanted: readonly string[],
  world: World,
): Promise<SecretStore> {
  if (store.kind === 'memory') {
    const { MemoryVault, memorySecrets } = await import('../../shared/secrets/memory.ts');
    const vault = new MemoryVault();
    for (const secret of wanted) vault.add(secret);
    return memorySecrets(vault);
  }
  const { localFileSecrets } = await import('../../shared/secrets/local-file.ts');
  const secrets = localFileSecrets({ directory: store.path, keyFile: store.keyFile, world });
  for (const secret of wanted) await secrets.add(secret);
  return secrets;
}

/** The dependencies of every service with a credential, by the service's name. */
export async function rotationDeps(around: CredentialSurroundings): Promise<ReadonlyMap<string, RotationDeps>> {
  const deps = new Map<string, RotationDeps>();
  for (const service of around.config.services) {
    if (service.credential) deps.set(service.name, await depsOf(service, service.credential, around));
  }
  return deps;
}

async function depsOf(
  service: ServiceConfig,
  credential: CredentialConfig,
  around: CredentialSurroundings,
): Promise<RotationDeps> {
  const { secrets: stores, state, audit, world, notify, actor, fingerprintKey } = around;
  return {
    plan: {
      name: service.name,
      service: service.name,
      stores: credential.secrets.map(({ store, name }) => ({ store, secret: name })),
      propagationMs: credential.propagation.ms,
      everyMs: credential.every.ms,
      acceptDowntime: credential.acceptDowntime,
    },
    stores,
    service: await serviceDriver(service, credential, around),
    state,
    audit,
    world,
    notify,
    actor,
    ...(fingerprintKey && { fingerprintKey }),
  };
}

async function serviceDriver(
  service: ServiceConfig,
  credential: CredentialConfig,
  around: CredentialSurroundings,
): Promise<Service> {
  const { postgresService } = await import('../../shared/services/postgres.ts');
  const places = {
    environment: around.environment,
    fromStore: (store: string, secret: string) => passwordIn(around.secrets, store, secret),
  };
  return postgresService({
    credential: service.name,
    strategy: credential.strategy,
    users: credential.users,
    ...(credential.ownerRole === undefined ? {} : { ownerRole: credential.ownerRole }),
    database: credential.database,
    endpoints: credential.endpoints,
    authentication: credential.authentication,
    tls: typeof credential.tls === 'string' ? credential.tls : { ca: await authority(credential.tls.ca) },
    admin: { user: credential.admin.user, password: await openReference(credential.admin.password, places) },
    world: around.world,
  });
}

/** Who may write it decides which server gets the passwords. */
async function authority(path: string): Promise<string> {
  const text = await readGuarded(path, 'anyone').catch((cause: unknown) => {
    if (cause instanceof LockkeeperError) throw cause;
    throw new LockkeeperError('denied', `the authority ${path} cannot be read`, {
      cause,
      hint: 'It has to be a file that the user that runs lockkeeper may read.',
    });
  });
  if (text !== undefined) return text;
  throw new LockkeeperError('not-found', `there is no authority at ${path}`, {
    hint: 'Check `tls.ca` in the configuration.',
  });
}

async function passwordIn(
  secrets: Readonly<Record<string, SecretStore>>,
  store: string,
  secret: string,
): Promise<Sealed> {
  const state = await secrets[store]?.read(secret);
  if (state?.current) return loginOf(state.current.value).value;
  throw new LockkeeperError('not-found', `secret ${store}/${secret} holds no password`, {
    hint: 'Put the login there first.',
  });
}
