import type { World } from '../../shared/base/world.ts';
import type { Config } from '../../shared/config/schema.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';

/** The two places of the configuration. */
export interface Stores {
  readonly state: ObjectStore;
  readonly log: ObjectStore;
}

/** Opens both stores, and proves that they honour conditions before anything relies on it; `unsupported` where one does not. */
export async function openStores({ stores }: Pick<Config, 'stores'>, world: World): Promise<Stores> {
  const { fileSystemObjects } = await import('../../shared/objects/file-system.ts');
  const { proveConditions } = await import('../../shared/objects/self-test.ts');
  const state = fileSystemObjects({ directory: stores.state.path, world });
  const log = fileSystemObjects({ directory: stores.log.path, world });
  await proveConditions(state, { world, writes: 'all' });
  await proveConditions(log, { world, writes: 'create-only' });
  return { state, log };
}
