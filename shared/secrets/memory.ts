import { LockkeeperError } from '../base/error.ts';
import { Sealed } from '../base/sealed.ts';
import type { SecretStore, SecretVersion } from './contract.ts';
import { abandoned, emptyShelf, promoted, retired, staged, type Shelf, type ShelfVersion } from './shelf.ts';

/** Secrets of several stores that share one place, as several processes share a vault. */
export class MemoryVault {
  readonly shelves = new Map<string, Shelf>();
  #versions = 0;

  /** Makes an empty secret, unless it is there. */
  add(secret: string): void {
    if (!this.shelves.has(secret)) this.shelves.set(secret, emptyShelf);
  }

  /** A version id that no other write ever had. */
  nextVersion(): string {
    this.#versions += 1;
    return `v${this.#versions}`;
  }
}

/** A secret store in this process; gone with it. Two stores on one vault see each other's writes at once. */
export function memorySecrets(vault: MemoryVault): SecretStore {
  const shelfOf = (secret: string): Shelf => {
    const shelf = vault.shelves.get(secret);
    if (shelf) return shelf;
    throw new LockkeeperError('not-found', `there is no secret ${JSON.stringify(secret)} in memory`, {
      hint: 'Add it to the vault first.',
    });
  };
  return {
    async read(secret) {
      const { current, previous, pending } = shelfOf(secret);
      return {
        current: current ? sealed(current) : undefined,
        previous: previous ? sealed(previous) : undefined,
        pending: pending ? { ...sealed(pending), rotation: pending.rotation } : undefined,
      };
    },
    async stage(secret, rotation, value) {
      const fresh = { id: vault.nextVersion(), text: value.open() };
      const { shelf, version } = staged(shelfOf(secret), rotation, fresh);
      vault.shelves.set(secret, shelf);
      return sealed(version);
    },
    async promote(secret, rotation, from) {
      const { shelf, version } = promoted(shelfOf(secret), rotation, from);
      vault.shelves.set(secret, shelf);
      return sealed(version);
    },
    async abandon(secret, rotation) {
      vault.shelves.set(secret, abandoned(shelfOf(secret), rotation));
    },
    async retire(secret, id) {
      vault.shelves.set(secret, retired(shelfOf(secret), id));
    },
  };
}

function sealed(version: ShelfVersion): SecretVersion {
  return { id: version.id, value: new Sealed(version.text) };
}
