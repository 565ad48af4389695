import { LockkeeperError } from '../base/error.ts';
import type { SecretStore } from './contract.ts';

/**
 * The store that `open` makes, opened once, at the first call of a method. An opening that fails is the error of that
 * call alone, and the next call opens again: one store that cannot be opened does not stop what needs other stores.
 * `declared` is what the opened store will declare; `bug` where it does not.
 */
export function lazySecretStore(
  open: () => Promise<SecretStore>,
  declared: Pick<SecretStore, 'writes' | 'settlesMs'>,
): SecretStore {
  const { writes, settlesMs } = declared;
  let opening: Promise<SecretStore> | undefined;
  const openNow = async () => checked(await open(), { writes, settlesMs });
  const opened = async (): Promise<SecretStore> => {
    const mine = (opening ??= openNow());
    try {
      return await mine;
    } catch (thrown) {
      if (opening === mine) opening = undefined;
      throw thrown;
    }
  };
  return {
    writes,
    settlesMs,
    read: async (...of) => await (await opened()).read(...of),
    stage: async (...of) => await (await opened()).stage(...of),
    promote: async (...of) => await (await opened()).promote(...of),
    abandon: async (...of) => await (await opened()).abandon(...of),
    retire: async (...of) => await (await opened()).retire(...of),
  };
}

function checked(store: SecretStore, declared: Pick<SecretStore, 'writes' | 'settlesMs'>): SecretStore {
  if (store.writes === declared.writes && store.settlesMs === declared.settlesMs) return store;
  const words = (one: typeof declared) => `${one.writes} writes that settle in ${one.settlesMs} ms`;
  throw new LockkeeperError('bug', `a store with ${words(store)} was declared as one with ${words(declared)}`, {
    hint: 'This is a defect in lockkeeper: please report it.',
  });
}
