import { LockkeeperError } from '../../shared/base/error.ts';
import type { Sealed } from '../../shared/base/sealed.ts';
import type { World } from '../../shared/base/world.ts';
import type { CredentialOf, Engines } from '../../shared/config/engines.ts';
import type { SecretReference } from '../../shared/config/references.ts';
import type { RefreshKinds, RefreshOf } from '../../shared/config/credential.ts';
import type { SecretStoreConfig, SecretStoreKinds } from '../../shared/config/secret-stores.ts';
import type { Refresh } from '../../shared/refreshes/contract.ts';
import type { SecretStore } from '../../shared/secrets/contract.ts';
import type { AdminOffer } from '../../shared/services/admin-login.ts';
import type { Service } from '../../shared/services/contract.ts';

/** What every driver may use. */
export interface DriverHost {
  readonly world: World;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What the driver of an engine may use. Nothing of it is read before the driver asks. */
export interface EngineHost extends DriverHost {
  /** The service's name. */
  readonly name: string;
  /** lockkeeper's own login, read anew by every call: it may be rotated too. */
  readonly admin: () => Promise<AdminOffer>;
  /** The text of a file that decides whom to trust, read anew by every call. */
  readonly authority: (path: string) => Promise<string>;
}

/** What the driver of a secret store may use. */
export interface SecretStoreHost extends DriverHost {
  /** Every secret of this store that a credential names. */
  readonly secrets: readonly string[];
}

/** What the driver of a receiver may use. */
export interface RefreshHost extends DriverHost {
  /** Opens a reference to a secret, anew by every call. */
  readonly open: (reference: SecretReference) => Promise<Sealed>;
}

/** How to open a store, and what it will declare, which is known before it is opened. */
export interface SecretStoreLoader<Store> extends Pick<SecretStore, 'writes' | 'settlesMs'> {
  readonly open: (store: Store, host: SecretStoreHost) => Promise<SecretStore>;
}

/** How the drivers of a host are opened, by the names of the configuration. Each is imported when it is first needed. */
export interface AllDrivers {
  readonly engines: {
    readonly [Name in keyof Engines]: (credential: CredentialOf<Name>, host: EngineHost) => Promise<Service>;
  };
  readonly secretStores: {
    readonly [Name in keyof SecretStoreKinds]: SecretStoreLoader<SecretStoreConfig<Name>>;
  };
  readonly refreshes: {
    readonly [Name in keyof RefreshKinds]: (refresh: RefreshOf<Name>, host: RefreshHost) => Promise<Refresh>;
  };
}

/** The drivers that one host offers. A smaller host leaves out what it is not to be bundled with. */
export type Drivers = { readonly [Table in keyof AllDrivers]: Partial<AllDrivers[Table]> };

/** The entry of `table` for `name`; `unsupported` where this host offers none. `what` says of what it is the driver. */
export function offered<Table extends object, Name extends keyof Table>(
  table: Partial<Table>,
  name: Name,
  what: string,
): Table[Name] {
  const entry = table[name];
  if (entry !== undefined) return entry;
  throw new LockkeeperError('unsupported', `this host has no driver of ${what} ${String(name)}`, {
    hint: 'Run it on a host that offers it: `lockkeeper serve` on one machine offers all.',
  });
}
