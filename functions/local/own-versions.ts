import { LockkeeperError } from '../../shared/base/error.ts';
import type { World } from '../../shared/base/world.ts';
import type { SecretPlace } from '../../shared/config/references.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { journals } from '../../shared/rotation/journal/journals.ts';

/** Where the journals are, and what rotates which secret. */
export interface JournalPlace {
  readonly services: readonly {
    readonly name: string;
    readonly credential?: { readonly secrets: readonly Pick<SecretPlace, 'store' | 'name'>[] } | undefined;
  }[];
  readonly state: ObjectStore;
  readonly world: World;
}

/**
 * The versions of a secret that its own rotation staged and published last, as its journal names them: a store that
 * settles shows them only to who asks for them. None where nothing rotates the secret, and where the journal cannot be
 * read: then what the store shows has to do.
 */
export function ownVersions({
  services,
  state,
  world,
}: JournalPlace): (place: SecretPlace) => Promise<readonly string[]> {
  return async ({ store, name }) => {
    const owner = services.find(({ credential }) =>
      credential?.secrets.some((one) => one.store === store && one.name === name),
    );
    if (!owner) return [];
    try {
      const held = await journals(state, world).read(owner.name);
      const entry = held?.journal.copies.find((one) => one.store === store && one.secret === name);
      return [entry?.published, entry?.staged].flatMap((id) => id ?? []);
    } catch (thrown) {
      if (thrown instanceof LockkeeperError) return [];
      throw thrown;
    }
  };
}
