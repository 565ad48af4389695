import { MemoryVault, memorySecrets, type MemoryVaultOptions } from '../../shared/secrets/memory.ts';
import type { SecretPlace, SecretStoreAbilities } from '../conformance/secret-store-place.ts';
import { testWorld, type TestWorld } from '../world.ts';

export const secret = 'prod/app db';

export interface VaultPlace extends SecretPlace {
  readonly vault: MemoryVault;
  readonly world: TestWorld;
}

/** A vault with one empty secret, and a clock that stands until `settle`. */
export function openVaultPlace(options: MemoryVaultOptions = {}): VaultPlace {
  const world = testWorld();
  const vault = new MemoryVault({ world, ...options });
  vault.add(secret);
  return {
    vault,
    world,
    first: memorySecrets(vault),
    second: memorySecrets(vault),
    secret,
    consumer: async () => vault.consumer(secret),
    byHand: async (text) => void vault.setByHand(secret, text),
    settle: async () => world.pass(vault.options.settlesMs),
    close: async () => undefined,
  };
}

/** Every kind of store that a vault plays. */
export const kinds: readonly SecretStoreAbilities[] = (['conditional', 'checked'] as const).flatMap((writes) =>
  [0, 60_000].flatMap((settlesMs) =>
    [true, false].flatMap((keepsPrevious) =>
      (['kept', 'renewed'] as const).map((ids) => ({ writes, settlesMs, keepsPrevious, ids })),
    ),
  ),
);

/** A kind in words. */
export function kindName({ writes, settlesMs, keepsPrevious, ids }: SecretStoreAbilities): string {
  return `memory, ${writes}, settles in ${settlesMs} ms, previous ${keepsPrevious ? 'kept' : 'gone'}, ids ${ids}`;
}
