import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import type { SecretStore } from '../../shared/secrets/contract.ts';
import { lazySecretStore } from '../../shared/secrets/lazy.ts';
import { secretStoreSuite } from '../conformance/secret-store.ts';
import { openVaultPlace } from './memory-place.ts';

const declared = { writes: 'conditional', settlesMs: 0 } as const;

secretStoreSuite('a store that opens at first use', async () => {
  const place = openVaultPlace();
  return { ...place, first: lazySecretStore(async () => place.first, declared), second: place.second };
});

const calls: readonly (readonly [string, (store: SecretStore) => Promise<unknown>])[] = [
  ['read', (store) => store.read('prod/app db')],
  ['stage', (store) => store.stage('prod/app db', 'r-1', new Sealed('one'))],
  ['promote', (store) => store.promote('prod/app db', { rotation: 'r-1', id: 'v1' }, undefined)],
  ['abandon', (store) => store.abandon('prod/app db', 'r-1')],
  ['retire', (store) => store.retire('prod/app db', 'v1')],
];

describe('a store that opens at first use', () => {
  test('is not opened before, and once for many that begin at the same time', async () => {
    const { store, opened } = counted();
    expect(opened()).toBe(0);
    expect(store).toMatchObject(declared);
    await Promise.all([
      store.read('prod/app db'),
      store.read('prod/app db', ['v1']),
      store.abandon('prod/app db', 'r'),
    ]);
    await store.read('prod/app db');
    expect(opened()).toBe(1);
  });

  test.each(calls)('that cannot be opened fails %s with its own error, and opens at the next call', async (_, call) => {
    const { store, opened } = counted(2);
    const failed = await Promise.all([1, 2].map(async () => call(store).catch((thrown: unknown) => thrown)));
    expect(failed).toEqual([denied, denied]);
    await expect(call(store)).rejects.toBe(denied);
    expect(opened()).toBe(2);
    expect(await call(store).catch((thrown: unknown) => thrown)).not.toBe(denied);
    expect(opened()).toBe(3);
  });

  test('keeps what it opened where a call on it fails', async () => {
    const { store, opened } = counted();
    await expect(store.read('absent')).rejects.toMatchObject({ code: 'not-found' });
    await store.read('prod/app db');
    expect(opened()).toBe(1);
  });

  test.each([{ writes: 'checked' }, { settlesMs: 5 }] as const)(
    'is a bug where it is not what was declared',
    async (other) => {
      const { first } = openVaultPlace(other);
      const store = lazySecretStore(async () => first, declared);
      await expect(store.read('prod/app db')).rejects.toMatchObject({ code: 'bug' });
    },
  );
});

const denied = new LockkeeperError('denied', 'opening the store: the key file is not readable');

function counted(failures = 0) {
  let opened = 0;
  const { first } = openVaultPlace();
  const store = lazySecretStore(async () => {
    opened += 1;
    if (opened <= failures) throw denied;
    return first;
  }, declared);
  return { store, opened: () => opened };
}
