import { Sealed } from '../../shared/base/sealed.ts';
import type { SecretState, SecretStore, SecretVersion } from '../../shared/secrets/contract.ts';

/** A fresh store with one empty secret in it. */
export interface SecretPlace {
  /** Two drivers on the same store, as two processes have them. */
  readonly first: SecretStore;
  readonly second: SecretStore;
  /** The secret that is there; every other name is absent. */
  readonly secret: string;
  /** The independent observer: what a consumer reads, without any code of the driver. */
  consumer(): Promise<string | undefined>;
  /** A person writes `text` over what is current, past the driver. */
  byHand(text: string): Promise<void>;
  /** Returns once every write so far can be seen, `settlesMs` after it at the latest. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** What a kind of store is able to do. */
export interface SecretStoreAbilities extends Pick<SecretStore, 'writes' | 'settlesMs'> {
  /** Whether what was current before can still be read. */
  readonly keepsPrevious: boolean;
  /** Whether the published version has the id of the staged one, or another. */
  readonly ids: 'kept' | 'renewed';
}

/** The plainest store: it compares, shows every write at once, keeps versions and their ids. */
export const plainAbilities: SecretStoreAbilities = {
  writes: 'conditional',
  settlesMs: 0,
  keepsPrevious: true,
  ids: 'kept',
};

/** Stages and promotes `text` under `rotation`; answers both versions. */
export async function publish(
  { first, secret }: SecretPlace,
  rotation: string,
  change: { readonly text: string; readonly from: SecretVersion | undefined },
): Promise<SecretVersion> {
  const { id } = await first.stage(secret, rotation, new Sealed(change.text));
  return await first.promote(secret, { rotation, id }, change.from?.id);
}

/** What the other process reads once everything has settled. */
export async function look(place: SecretPlace, ids?: readonly string[]): Promise<SecretState> {
  await place.settle();
  return await place.second.read(place.secret, ids);
}

/** What a consumer reads once everything has settled. */
export async function consumed(place: SecretPlace): Promise<string | undefined> {
  await place.settle();
  return await place.consumer();
}

/** The versions among `ids` that can be read, as `id: value`, in this moment. */
export async function readable({ second, secret }: SecretPlace, ids: readonly string[]): Promise<readonly string[]> {
  return texts((await second.read(secret, ids)).asked);
}

/** Versions as `id: value`. */
export function texts(versions: readonly SecretVersion[]): readonly string[] {
  return versions.map(({ id, value }) => `${id}: ${value.open()}`);
}
