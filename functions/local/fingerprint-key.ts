import { dirname, join } from 'node:path';
import { makePrivateFolder } from '../../shared/base/private-files.ts';
import type { World } from '../../shared/base/world.ts';
import type { Config } from '../../shared/config/schema.ts';
import { createKey, readKey } from '../../shared/secrets/key-file.ts';

/**
 * Where a configuration keeps the key of its log's fingerprints: `fingerprint.key` beside the file that signs the log,
 * else beside the state store's directory, else beside the key of the first secret store in files. Undefined where
 * nothing of it is on this machine: then entries have no fingerprints.
 *
 * A file of its own, not derived from another key: an auditor who is to test values gets this one and can neither sign
 * the log nor open a secret with it. It belongs to one log, so that the fingerprints of two logs cannot be matched.
 */
export function fingerprintKeyFile(config: WithPlaces): string | undefined {
  return fileBesideKeys(config, 'fingerprint.key');
}

type WithPlaces = Pick<Config, 'stores' | 'audit' | 'secrets'>;

/** A file of this name beside the file that signs the log, else beside what comes next; see fingerprintKeyFile. */
export function fileBesideKeys({ stores, audit, secrets }: WithPlaces, name: string): string | undefined {
  const besides = [
    audit.key?.kind === 'file' ? audit.key.path : undefined,
    stores.state.kind === 'file-system' ? stores.state.path : undefined,
    ...Object.values(secrets).map((store) => (store.kind === 'local-file' ? store.keyFile : undefined)),
  ];
  const beside = besides.find((path) => path !== undefined);
  return beside === undefined ? undefined : join(dirname(beside), name);
}

/**
 * The key of 32 bytes, made at its first use and the same ever after; two processes that make it at once agree on one.
 * It is never logged. Losing it harms nothing that is kept; old fingerprints can then not be tested any more. Errors:
 * as readKey.
 */
export async function openFingerprintKey(path: string, world: World): Promise<Uint8Array> {
  const key = await readKey(path);
  if (key) return key;
  await makePrivateFolder(dirname(path));
  return await createKey(path, world);
}
