import { LockkeeperError } from '../../shared/base/error.ts';
import type { World } from '../../shared/base/world.ts';
import type { Config } from '../../shared/config/schema.ts';
import { fileBesideKeys, openFingerprintKey } from './fingerprint-key.ts';

type WithPlaces = Pick<Config, 'stores' | 'audit' | 'secrets'>;

/**
 * Where a configuration keeps the key that proves who wrote the entries of its log: as `audit.writerKey` says, else
 * `writer.key` beside the file that signs the log, else beside the state store's directory, else beside the key of the
 * first secret store in files. Undefined where nothing of it is on this machine.
 */
export function writerKeyFile(config: WithPlaces): string | undefined {
  return config.audit.writerKey ?? fileBesideKeys(config, 'writer.key');
}

/**
 * The key of 32 bytes, made at its first use, readable by its owner only; two processes that make it at once agree on
 * one. All hosts that write to one log need the same file. Throws `invalid` at once where the configuration names no
 * place for it; what is answered throws as readKey does, and tries again when it is asked again.
 */
export function writerKeyIn(config: WithPlaces, world: World): () => Promise<Uint8Array> {
  const path = writerKeyFile(config);
  if (path === undefined)
    throw new LockkeeperError('invalid', 'the audit log has no key that proves who wrote its entries', {
      hint: 'Name a file in the configuration, under audit.writerKey; it is made where it is missing.',
    });
  let key: Uint8Array | undefined;
  return async () => (key ??= await openFingerprintKey(path, world));
}
