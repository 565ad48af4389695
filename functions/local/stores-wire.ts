import { longestInLog, longestInState } from '../../shared/audit/limits.ts';
import type { World } from '../../shared/base/world.ts';
import type { Config } from '../../shared/config/schema.ts';
import type { StoreConfig } from '../../shared/config/stores.ts';
import type { ObjectHistory, ObjectStore, SizeLimit } from '../../shared/objects/contract.ts';

/** The two places of the configuration. */
export interface Stores {
  readonly state: ObjectStore;
  readonly log: ObjectStore;
}

/**
 * Opens both stores, and proves that they honour conditions before anything relies on it; `unsupported` where one does
 * not.
 */
export async function openStores(
  { stores }: Pick<Config, 'stores'>,
  world: World,
  warn?: (text: string) => void,
): Promise<Stores> {
  for (const place of [stores.state, stores.log])
    if (place.kind === 'file-system') for (const text of await closedToOthers(place.path)) warn?.(text);
  const { proveConditions } = await import('../../shared/objects/self-test.ts');
  const { store: state } = await openStore(stores.state, { world, contents: 'changing', mostBytes: longestInState });
  const { store: log } = await openStore(stores.log, { world, contents: 'create-only', mostBytes: longestInLog });
  await proveConditions(state, { world, writes: 'all' });
  await proveConditions(log, { world, writes: 'create-only' });
  return { state, log };
}

/** The directory is closed before anything more is written to it. */
async function closedToOthers(directory: string): Promise<readonly string[]> {
  const { closeToOthers } = await import('./private-store.ts');
  return await closeToOthers(directory);
}

/** How a store is used. */
export interface StoreUse {
  readonly world: World;
  /** `create-only`: its objects are never replaced or deleted. */
  readonly contents: 'create-only' | 'changing';
  /** How many bytes its objects may have. */
  readonly mostBytes?: SizeLimit;
}

/** A store, and what it remembers of its past where it keeps one. */
export interface OpenedStore {
  readonly store: ObjectStore;
  readonly history: ObjectHistory | undefined;
}

/** Opens one store of any kind, and loads the driver of that kind alone. Nothing is read, written or proven yet. */
export async function openStore(place: StoreConfig, { world, contents, mostBytes }: StoreUse): Promise<OpenedStore> {
  switch (place.kind) {
    case 'file-system': {
      const { fileSystemObjects } = await import('../../shared/objects/file-system.ts');
      return { store: fileSystemObjects({ directory: place.path, world, mostBytes }), history: undefined };
    }
    case 'aws-s3': {
      const { awsS3Objects } = await import('../../shared/objects/aws-s3.ts');
      return remembering(awsS3Objects({ ...place, contents, world, mostBytes }));
    }
    case 'gcp-storage': {
      const { gcpStorageObjects } = await import('../../shared/objects/gcp-storage.ts');
      return remembering(gcpStorageObjects({ ...place, mostBytes }));
    }
    case 'azure-blob': {
      const { azureBlobObjects } = await import('../../shared/objects/azure-blob.ts');
      return remembering(azureBlobObjects({ ...place, world, mostBytes }));
    }
  }
}

function remembering(store: ObjectStore & ObjectHistory): OpenedStore {
  return { store, history: store };
}
