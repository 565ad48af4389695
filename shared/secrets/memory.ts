import { LockkeeperError } from '../base/error.ts';
import { systemWorld, type World } from '../base/world.ts';
import type { SecretStore } from './contract.ts';
import {
  emptyShelf,
  promotable,
  retired,
  abandoned,
  sealed,
  stagedBefore,
  stateOf,
  withCurrent,
  withNothingStaged,
  withStaged,
  type Shelf,
} from './shelf.ts';

/** Which kind of store a vault plays. What is left out is the plainest: conditional, at once, all kept. */
export interface MemoryVaultOptions {
  /**
   * `checked`: stage, promote and abandon read, wait for `between`, and then write over whatever is there. Of two that
   * stage at once both are answered a version of their own, and `pending` is the later one; a promotion that waited long
   * enough publishes over a newer one.
   */
  readonly writes?: SecretStore['writes'];
  /** For this long after a write `read` and consumers see what was before it. Versions asked for by id do not wait. */
  readonly settlesMs?: number;
  /** The clock of `settlesMs`. */
  readonly world?: Pick<World, 'now'>;
  /** False: what was current before cannot be read any more. */
  readonly keepsPrevious?: boolean;
  /** `renewed`: the published version has another id than the staged one, and so has one that a person brings back. */
  readonly ids?: 'kept' | 'renewed';
  /** Awaited between the read and the write of a `checked` call: what it does happens between the two. */
  readonly between?: (call: { readonly method: string; readonly secret: string }) => Promise<void>;
}

/** One secret of a vault. */
export type VaultSecret = {
  readonly shelf: Shelf;
  /** What readers still see, oldest first: `shelf` is what was before a write, seen until `until`. */
  readonly unsettled: readonly { readonly until: number; readonly shelf: Shelf }[];
  /** True where nobody can read what lies there. */
  readonly corrupt: boolean;
};

/** All that a vault holds: plain data that is never changed, only replaced. */
export type VaultState = {
  /** How many version ids were given out: v1, v2 and so on. */
  readonly versions: number;
  readonly secrets: Readonly<Record<string, VaultSecret>>;
};

/** Secrets of several stores that share one place, as several processes share a vault. */
export class MemoryVault {
  readonly options: Required<MemoryVaultOptions>;
  /** The secrets as they are, settled or not, by name. What is set here is seen at once. */
  readonly shelves: VaultShelves = new VaultShelves(this);
  #state: VaultState = { versions: 0, secrets: {} };

  constructor(options: MemoryVaultOptions = {}) {
    this.options = {
      writes: 'conditional',
      settlesMs: 0,
      world: systemWorld(),
      keepsPrevious: true,
      ids: 'kept',
      between: async () => undefined,
      ...options,
    };
  }

  /** All it holds. Taking it and `restore` cost nothing. */
  get state(): VaultState {
    return this.#state;
  }

  /** Goes back to `state`. */
  restore(state: VaultState): void {
    this.#state = state;
  }

  /** Makes an empty secret, unless it is there. */
  add(secret: string): void {
    if (!this.find(secret)) this.shelves.set(secret, emptyShelf);
  }

  /** A version id that no other write ever had. */
  nextVersion(): string {
    const versions = this.#state.versions + 1;
    this.restore({ ...this.#state, versions });
    return `v${versions}`;
  }

  /** The secret with everything about it; undefined where there is none. */
  find(secret: string): VaultSecret | undefined {
    return Object.hasOwn(this.#state.secrets, secret) ? this.#state.secrets[secret] : undefined;
  }

  /** The secret as it is, settled or not; `not-found` where there is none, `invalid` where it is corrupt. */
  live(secret: string): Shelf {
    return this.#readable(secret).shelf;
  }

  /** The secret as readers see it now. */
  shown(secret: string): Shelf {
    const { shelf, unsettled } = this.#readable(secret);
    return unsettled.length === 0 ? shelf : (this.#waiting(unsettled)[0]?.shelf ?? shelf);
  }

  /** What a consumer reads now; undefined where nothing was published. */
  consumer(secret: string): string | undefined {
    return this.shown(secret).current?.text;
  }

  /** Writes the secret; readers see it once it has settled. The same shelf: no write. */
  write(secret: string, shelf: Shelf): void {
    const before = this.#readable(secret);
    if (shelf === before.shelf) return;
    const { settlesMs, keepsPrevious, world } = this.options;
    const kept = keepsPrevious || shelf.earlier.length === 0 ? shelf : { ...shelf, earlier: [] };
    const unsettled =
      settlesMs > 0
        ? [...this.#waiting(before.unsettled), { until: world.now() + settlesMs, shelf: before.shelf }]
        : before.unsettled;
    this.put(secret, { ...before, shelf: kept, unsettled });
  }

  /** Replaces everything about a secret; undefined: there is none afterwards. */
  put(secret: string, held: VaultSecret | undefined): void {
    const { [secret]: _, ...others } = this.#state.secrets;
    this.restore({ ...this.#state, secrets: held ? { ...this.#state.secrets, [secret]: held } : others });
  }

  /** Lets every write be seen at once, whatever the clock says. */
  settle(secret: string): void {
    const held = this.find(secret);
    if (held && held.unsettled.length > 0) this.put(secret, { ...held, unsettled: [] });
  }

  /** A person writes `text` over what is current, past lockkeeper; answers the id of the new version. */
  setByHand(secret: string, text: string): string {
    const shelf = this.live(secret);
    const id = this.nextVersion();
    this.write(secret, withCurrent(shelf, { id, text }));
    return id;
  }

  /** A person makes the version before current again; answers its id. `conflict` where the store keeps none. */
  rollBack(secret: string): string {
    const shelf = this.live(secret);
    const [previous] = shelf.earlier;
    if (!previous) {
      throw new LockkeeperError('conflict', `secret ${JSON.stringify(secret)} has no earlier version`, {
        hint: 'Write the value again.',
      });
    }
    const back = this.options.ids === 'renewed' ? { id: this.nextVersion(), text: previous.text } : { ...previous };
    this.write(secret, withCurrent(shelf, back));
    return back.id;
  }

  /** Puts `text` where the value of version `id` was, under the same id and seen at once; no such version: no change. */
  spoil(secret: string, id: string, text: string): void {
    const held = this.#readable(secret);
    const spoilt = <V extends { readonly id: string }>(version: V): V =>
      version.id === id ? { ...version, text } : version;
    const { current, pending, earlier } = held.shelf;
    this.put(secret, {
      ...held,
      unsettled: [],
      shelf: {
        ...held.shelf,
        current: current && spoilt(current),
        pending: pending && spoilt(pending),
        earlier: earlier.map(spoilt),
      },
    });
  }

  /** Makes the staged value vanish as if it had never been there, seen at once. */
  dropPending(secret: string): void {
    const held = this.#readable(secret);
    const { hidden: _, ...shelf } = held.shelf;
    this.put(secret, { ...held, unsettled: [], shelf: { ...shelf, pending: null } });
  }

  /** Makes the whole secret unreadable, or readable again. */
  setCorrupt(secret: string, corrupt: boolean): void {
    const held = this.find(secret);
    if (held) this.put(secret, { ...held, corrupt });
  }

  #waiting(unsettled: VaultSecret['unsettled']): VaultSecret['unsettled'] {
    const now = this.options.world.now();
    return unsettled.filter(({ until }) => until > now);
  }

  #readable(secret: string): VaultSecret {
    const held = this.find(secret);
    if (!held) {
      throw new LockkeeperError('not-found', `there is no secret ${JSON.stringify(secret)} in memory`, {
        hint: 'Add it to the vault first.',
      });
    }
    if (!held.corrupt) return held;
    throw new LockkeeperError('invalid', `what lies in memory as secret ${JSON.stringify(secret)} cannot be read`, {
      hint: 'Write it anew.',
    });
  }
}

/** A secret store in this process; gone with it. Two stores on one vault share its secrets. */
export function memorySecrets(vault: MemoryVault): SecretStore {
  const { writes, settlesMs, between, ids } = vault.options;
  return {
    writes,
    settlesMs,
    async read(secret, wanted = []) {
      return stateOf(vault.shown(secret), wanted, vault.live(secret));
    },
    async stage(secret, rotation, value) {
      const before = stagedBefore(vault.live(secret), rotation);
      if (before) return sealed(before);
      if (writes === 'checked') await between({ method: 'stage', secret });
      const fresh = { id: vault.nextVersion(), text: value.open(), rotation };
      vault.write(secret, withStaged(vault.live(secret), fresh));
      return sealed(fresh);
    },
    async promote(secret, name, from) {
      const { published, toPublish } = promotable(vault.live(secret), name, from);
      if (published) return sealed(published);
      if (writes === 'checked') await between({ method: 'promote', secret });
      const id = ids === 'renewed' ? vault.nextVersion() : name.id;
      const version = { id, text: toPublish.text, staged: { rotation: name.rotation, id: name.id } };
      vault.write(secret, withCurrent(vault.live(secret), version));
      return sealed(version);
    },
    async abandon(secret, rotation) {
      const shelf = vault.live(secret);
      if (abandoned(shelf, rotation) === shelf) return;
      if (writes === 'checked') await between({ method: 'abandon', secret });
      const shown = shelf.pending?.rotation === rotation;
      vault.write(secret, (shown ? withNothingStaged : abandoned)(vault.live(secret), rotation));
    },
    async retire(secret, id) {
      vault.write(secret, retired(vault.live(secret), id));
    },
  };
}

/** The shelves of a vault, with the names of a Map. */
export class VaultShelves implements Iterable<readonly [string, Shelf]> {
  readonly #vault: MemoryVault;

  constructor(vault: MemoryVault) {
    this.#vault = vault;
  }

  get(secret: string): Shelf | undefined {
    return this.#vault.find(secret)?.shelf;
  }

  set(secret: string, shelf: Shelf): void {
    this.#vault.put(secret, { shelf, unsettled: [], corrupt: false });
  }

  delete(secret: string): void {
    this.#vault.put(secret, undefined);
  }

  clear(): void {
    for (const secret of Object.keys(this.#vault.state.secrets)) this.delete(secret);
  }

  values(): Shelf[] {
    return Object.values(this.#vault.state.secrets).map(({ shelf }) => shelf);
  }

  [Symbol.iterator](): Iterator<readonly [string, Shelf]> {
    return Object.entries(this.#vault.state.secrets)
      .map(([secret, { shelf }]) => [secret, shelf] as const)
      .values();
  }
}
