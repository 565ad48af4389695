import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { LockkeeperError } from '../../shared/base/error.ts';
import { loadConfig } from '../../shared/config/load.ts';
import { readKey } from '../../shared/secrets/key-file.ts';
import { fingerprintKeyFile } from '../local/fingerprint-key.ts';
import type { FingerprintDeps } from './audit-fingerprint.ts';
import type { ConfigFile } from '../../shared/config/read-text.ts';

/** The key in `file`, else the one that the configuration's log uses, and this process's stdin. */
export function fingerprintDeps(
  file: string | undefined,
  configFile: () => Promise<ConfigFile | string>,
): FingerprintDeps {
  return {
    async key() {
      const path =
        file === undefined ? fingerprintKeyFile((await loadConfig(await configFile())).config) : resolve(file);
      const key = path === undefined ? undefined : await readKey(path);
      if (key) return key;
      throw new LockkeeperError(
        'not-found',
        `there is no key of fingerprints${path === undefined ? '' : ` at ${path}`}`,
        {
          hint: 'The first rotation makes it. Name another one with --key.',
        },
      );
    },
    async input() {
      if (!process.stdin.isTTY) return await text(process.stdin);
      throw new LockkeeperError('invalid', 'stdin is a terminal, which would show the value', {
        hint: 'Pipe it: lockkeeper audit fingerprint < FILE',
      });
    },
  };
}
