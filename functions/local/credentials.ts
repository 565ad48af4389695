import type { Notice } from '../../shared/approvals/contract.ts';
import type { AuditLog } from '../../shared/audit/entry.ts';
import type { CredentialOf, Engines } from '../../shared/config/engines.ts';
import { changesItself } from '../../shared/config/itself.ts';
import type { RefreshKinds, RefreshOf } from '../../shared/config/credential.ts';
import {
  rotatedCredential,
  type Config,
  type CredentialConfig,
  type ServiceConfig,
} from '../../shared/config/schema.ts';
import type { SecretStoreConfig, SecretStoreKinds } from '../../shared/config/secret-stores.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import type { Refresh } from '../../shared/refreshes/contract.ts';
import { consumerForm } from '../../shared/rotation/forms/consumer-form.ts';
import type { ConsumerAddress } from '../../shared/rotation/forms/form.ts';
import type { CredentialPlan, RotationDeps } from '../../shared/rotation/plan.ts';
import type { SecretStore } from '../../shared/secrets/contract.ts';
import { lazySecretStore } from '../../shared/secrets/lazy.ts';
import type { Login, Service } from '../../shared/services/contract.ts';
import { lazyService } from '../../shared/services/lazy.ts';
import {
  offered,
  type AllDrivers,
  type DriverHost,
  type Drivers,
  type EngineHost,
  type RefreshHost,
  type SecretStoreHost,
} from './drivers.ts';
import { adminLogin, authority, openedReference } from './own-logins.ts';
import { ownVersions } from './own-versions.ts';

/** What rotations need besides the configuration. */
export interface CredentialSurroundings extends DriverHost {
  readonly config: Config;
  readonly drivers: Drivers;
  readonly secrets: Readonly<Record<string, SecretStore>>;
  readonly state: ObjectStore;
  readonly audit: AuditLog;
  /** The key of the log's fingerprints; undefined where this machine has none. */
  readonly fingerprintKey: Uint8Array | undefined;
  readonly notify: (notice: Notice) => Promise<void>;
  readonly actor: string;
}

/**
 * Every secret store of the configuration, by name. Each is opened at its first use: one that cannot be opened fails
 * whatever needs it and nothing else. A secret that a store can make is there at its first use, empty.
 */
export function secretStores(
  config: Config,
  drivers: Drivers,
  host: DriverHost,
): Readonly<Record<string, SecretStore>> {
  const stores = Object.entries(config.secrets).map(([name, store]) => {
    const secrets = config.services.flatMap(({ credential }) =>
      (credential?.secrets ?? []).filter((one) => one.store === name).map((one) => one.name),
    );
    return [name, openedStore(store, drivers, { ...host, secrets })] as const;
  });
  return Object.fromEntries(stores);
}

function openedStore<Name extends keyof SecretStoreKinds>(
  store: SecretStoreConfig<Name>,
  drivers: Drivers,
  host: SecretStoreHost,
): SecretStore {
  const loader = (): AllDrivers['secretStores'][Name] =>
    offered<AllDrivers['secretStores'], Name>(drivers.secretStores, store.kind, 'secret stores of the kind');
  const { writes = 'checked', settlesMs = 0 } = drivers.secretStores[store.kind] ?? {};
  return lazySecretStore(async () => loader().open(store, host), { writes, settlesMs });
}

/**
 * The dependencies of every service whose credential is rotated, by the service's name. Nothing is opened yet: what cannot be
 * opened for one credential is the trouble of its own run.
 */
export function rotationDeps(around: CredentialSurroundings): ReadonlyMap<string, RotationDeps> {
  const { secrets: stores, state, audit, world, notify, actor, fingerprintKey } = around;
  const all = around.config.services.flatMap((service): (readonly [string, RotationDeps])[] => {
    const credential = rotatedCredential(service);
    if (!credential) return [];
    const deps: RotationDeps = {
      plan: planOf(service, credential),
      stores,
      service: openedService(service.name, credential, around),
      ...(changesItself(credential) && {
        serviceAs: ({ slot, value }: Login) =>
          openedService(service.name, credential, { ...around, admin: async () => ({ user: slot, password: value }) }),
      }),
      refreshes: refreshesOf(credential, around),
      state,
      audit,
      world,
      notify,
      actor,
      ...(fingerprintKey && { fingerprintKey }),
    };
    return [[service.name, deps]];
  });
  return new Map(all);
}

function planOf({ name, owner, tags }: ServiceConfig, credential: CredentialConfig): CredentialPlan {
  return {
    name,
    service: name,
    stores: credential.secrets.map((secret) => ({
      store: secret.store,
      secret: secret.name,
      form: consumerForm(secret),
    })),
    address: addressOf(credential),
    propagationMs: credential.propagation.ms,
    everyMs: credential.every.ms,
    overdueMs: credential.overdue.ms,
    ...calendarOf(credential),
    refreshes: credential.refreshes.map((one) => one.name),
    acceptDowntime: credential.acceptDowntime,
    ...(changesItself(credential) && { changesItself: true }),
    ...(credential.triesEndedValues && { triesEndedValues: true }),
    owner,
    tags,
  };
}

/** None where nothing but an interval was written: it is told in UTC then. */
function calendarOf({ cron, timeZone, windows, jitter }: CredentialConfig): Pick<CredentialPlan, 'calendar'> {
  if (cron === undefined && timeZone === undefined && windows.length === 0 && jitter.ms === 0) return {};
  return {
    calendar: {
      ...(cron !== undefined && { pattern: cron }),
      timeZone: timeZone ?? 'UTC',
      windows: windows.map(({ opens, lasts }) => ({ opens, lastsMs: lasts.ms })),
      jitterMs: jitter.ms,
    },
  };
}

/** The first endpoint, at which every new value is proven. Brackets of IPv6 are part of the text host:port alone. */
function addressOf(credential: CredentialConfig): ConsumerAddress {
  const { engine, endpoints } = credential;
  const [, host = '', port = ''] = /^\[?([^\]]*?)\]?:(\d+)$/.exec(endpoints[0] ?? '') ?? [];
  const database = 'database' in credential ? { dbname: credential.database } : {};
  return { engine, host, port: Number(port), ...database };
}

/** `admin`: lockkeeper's own login, where it is not the one of the configuration. */
function openedService<Name extends keyof Engines>(
  name: string,
  credential: CredentialOf<Name>,
  {
    drivers,
    secrets,
    world,
    environment,
    config,
    state,
    admin,
  }: CredentialSurroundings & Partial<Pick<EngineHost, 'admin'>>,
): Service {
  const open = (): AllDrivers['engines'][Name] =>
    offered<AllDrivers['engines'], Name>(drivers.engines, credential.engine, 'the engine');
  const versionsOf = ownVersions({ services: config.services, state, world });
  const own = admin ?? adminLogin(credential.admin, { environment, secrets, versionsOf });
  const host: EngineHost = { name, world, environment, admin: own, authority };
  return lazyService(async () => open()(credential, host));
}

function refreshesOf(
  { refreshes }: CredentialConfig,
  { drivers, secrets, world, environment }: CredentialSurroundings,
): Readonly<Record<string, Refresh>> {
  const host: RefreshHost = { world, environment, open: openedReference({ environment, secrets }) };
  return Object.fromEntries(refreshes.map((one) => [one.name, openedRefresh(one, drivers, host)]));
}

function openedRefresh<Name extends keyof RefreshKinds>(
  refresh: RefreshOf<Name>,
  drivers: Drivers,
  host: RefreshHost,
): Refresh {
  const open = (): AllDrivers['refreshes'][Name] =>
    offered<AllDrivers['refreshes'], Name>(drivers.refreshes, refresh.kind, 'receivers of the kind');
  let opened: Refresh | undefined;
  return {
    poke: async (news) => {
      opened ??= await open()(refresh, host);
      await opened.poke(news);
    },
  };
}
