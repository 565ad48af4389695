import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { certificate, certificateKey } from './certificate.ts';

/** Files with the certificate of the tests, for a server that offers TLS. */
export interface ServerKeys {
  /** What the server is started with. */
  readonly settings: readonly string[];
  remove(): Promise<void>;
}

export async function serverKeys(): Promise<ServerKeys> {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-keys-'));
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  await writeFile(cert, certificate);
  await writeFile(key, certificateKey, { mode: 0o600 });
  await chmod(directory, 0o755);
  // A server that root starts runs as the user postgres, who must own its key.
  if (userInfo().uid === 0) await chown(key, await postgresUser(), 0);
  return {
    settings: ['ssl=on', `ssl_cert_file=${cert}`, `ssl_key_file=${key}`],
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

async function postgresUser(): Promise<number> {
  const { stdout } = await promisify(execFile)('id', ['-u', 'postgres'], { timeout: 10_000 });
  return Number(stdout);
}
