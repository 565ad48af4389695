import { spawnSync } from 'node:child_process';
import { chmod, chown, copyFile, lchown, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readToken } from '../../../../functions/local/gate/token.ts';
import { readGuarded } from '../../../../shared/base/owner-file.ts';
import { systemWorld } from '../../../../shared/base/world.ts';
import { openReference } from '../../../../shared/config/open-reference.ts';
import { readKey } from '../../../../shared/secrets/key-file.ts';
import { keyFileSigner } from '../../../../shared/signers/key-file.ts';
import { mustHold } from '../attack.ts';
import { asOther, other } from './second-account.ts';

const cli = fileURLToPath(new URL('../../../../functions/cli/', import.meta.url));

/** Files that hold keys, or decide to whom passwords go. */
export async function everyKeyFile(top: string): Promise<number> {
  const key = `${'ab'.repeat(32)}\n`;
  const world = systemWorld();
  const uses: readonly (readonly [string, string, (path: string) => Promise<unknown>])[] = [
    ['a key of secrets', key, (path) => readKey(path)],
    ['a gate’s token', key, (path) => readToken(path)],
    [
      'a password',
      key,
      (file) =>
        openReference({ file }, { environment: {}, fromStore: async () => await Promise.reject(new Error('unused')) }),
    ],
    ['an authority', key, (path) => readGuarded(path, 'anyone')],
    ['a key that signs', '', (path) => keyFileSigner({ path, world }).publicKey()],
  ];
  let count = 0;
  for (const [what, content, use] of uses) {
    const fresh = async (): Promise<string> => {
      const folder = join(top, String(count));
      await mkdir(folder, { recursive: true });
      count += 1;
      const path = join(folder, 'file');
      if (content === '') await use(path);
      else await writeFile(path, content, { mode: 0o600 });
      return path;
    };
    await use(await fresh());
    const theirs = await fresh();
    await chown(theirs, other.uid, other.gid);
    await mustRefuse(`${what} that belongs to others`, () => use(theirs));
    const exchanged = await fresh();
    await chmod(dirname(exchanged), 0o777);
    await mustRefuse(`${what} that others can exchange`, () => use(exchanged));
    const linked = await fresh();
    await symlink(linked, `${linked}.link`);
    await lchown(`${linked}.link`, other.uid, other.gid);
    await mustRefuse(`${what} behind a link of others`, () => use(`${linked}.link`));
    const open = await fresh();
    await chmod(open, 0o666);
    await mustRefuse(`${what} that others can write`, () => use(open));
  }
  return count;
}

async function mustRefuse(how: string, use: () => Promise<unknown>): Promise<void> {
  const used = await use().then(
    () => true,
    (thrown: unknown) => {
      if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && thrown.code === 'denied') return false;
      throw thrown;
    },
  );
  mustHold(!used, `${how} was used`);
}

/** The real entry with a program of its own behind it, in a checkout whose cache others may write. */
export async function compileCache(at: string): Promise<void> {
  await mkdir(join(at, 'functions', 'cli'), { recursive: true });
  for (const name of ['lockkeeper.js', 'own-folder.js'])
    await copyFile(join(cli, name), join(at, 'functions', 'cli', name));
  await writeFile(
    join(at, 'functions', 'cli', 'main.ts'),
    'export const main = async (): Promise<void> => undefined;\n',
  );
  await writeFile(join(at, 'package.json'), '{ "type": "module" }\n');
  const cache = join(at, 'node_modules', '.cache', 'lockkeeper');
  await mkdir(cache, { recursive: true });
  await chmod(cache, 0o777);
  asOther(`mkdir ${cache}/planted && touch ${cache}/planted/code && chmod -R a+w ${cache}/planted`);
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--no-warnings', join(at, 'functions', 'cli', 'lockkeeper.js')],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`lockkeeper.js ended with ${status ?? 'a signal'}: ${stderr}`);
  mustHold(!(await readdir(cache)).includes('planted'), 'compiled code is read from a folder into which others write');
  mustHold(asOther(`ls ${cache} 2> /dev/null || true`) === '', 'others look into the compiled code');
  if (!(await readdir(cache)).some((name) => name.startsWith('v'))) throw new Error('no compiled code is kept at all');
}
