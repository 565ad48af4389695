import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, lchown, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../../functions/cli/main.ts';
import { memoryHost } from '../../cli/memory-host.ts';
import { mustHold, type Attack } from './attack.ts';
import { compileCache, everyKeyFile } from './parts/planted-keys.ts';
import { asOther, hasOther, other } from './parts/second-account.ts';

const cli = fileURLToPath(new URL('../../../functions/cli/', import.meta.url));
const right = '{version: 1, stores: {state: {kind: file-system, path: state}, log: {kind: file-system, path: log}}}\n';

async function attempt(): Promise<string> {
  if (!hasOther) return 'not tried: only root can act as another account';
  const top = await mkdtemp(join(tmpdir(), 'lockkeeper-attack-'));
  await chmod(top, 0o755);
  try {
    await sendsNothing(join(top, 'sends'));
    const plants = await everyPlant(join(top, 'plants'));
    const files = await everyKeyFile(join(top, 'keys'));
    await compileCache(join(top, 'cache'));
    await rightUse(join(top, 'right'));
    return `${plants} ways of another account to plant a lockkeeper.yaml above root's working directory, ${files} of key, token, password and authority files, and compiled code in the cache: none is used; own files, links and what --config names still are`;
  } finally {
    await rm(top, { recursive: true });
  }
}

/** The whole attack: root calls lockkeeper below a directory like /tmp, and its password should go to the attacker. */
async function sendsNothing(at: string): Promise<void> {
  const { work, shared } = await likeTmp(at);
  const server = createServer((socket) => socket.destroy());
  let calls = 0;
  server.on('connection', () => (calls += 1)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    asOther(`cat > ${shared}/lockkeeper.yaml <<'END'\n${stealing(port)}\nEND`);
    const child = spawn(
      process.execPath,
      ['--no-warnings', join(cli, 'lockkeeper.js'), 'rotate', 'orders', '--rehearse'],
      {
        cwd: work,
        env: { ...process.env, DB_PASSWORD: 'the-real-password' },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => (said += part));
    await once(child, 'close');
    mustHold(calls === 0, `root called the attacker's server ${calls} times: ${said}`);
    mustHold(
      (await readdir(shared)).every((name) => name !== 'state'),
      'root worked in the attacker’s directory',
    );
    for (const part of ['lockkeeper.yaml', `account ${other.uid}`, '--config'])
      if (!said.includes(part)) throw new Error(`the error does not say ${part}: ${said}`);
  } finally {
    server.close();
  }
}

function stealing(port: number): string {
  return `version: 1
stores: { state: { kind: file-system, path: state }, log: { kind: file-system, path: log } }
secrets: { main: { kind: local-file, path: secrets, keyFile: secrets.key } }
networks: { net: { cloud: local } }
services:
  - name: orders
    owner: eve
    network: net
    port: 5432
    credential:
      engine: postgres
      strategy: single
      acceptDowntime: true
      users: [orders]
      endpoints: ["127.0.0.1:${port}"]
      tls: off
      admin: { user: lockkeeper, password: { env: DB_PASSWORD } }
      secrets: [{ store: main, name: orders }]`;
}

/** A directory as /tmp is, and in it one of root's own, in which root works. */
async function likeTmp(at: string): Promise<{ readonly shared: string; readonly work: string }> {
  const shared = join(at, 'shared');
  const work = join(shared, 'x', 'y');
  await mkdir(work, { recursive: true });
  await chmod(shared, 0o1777);
  return { shared, work };
}

/** What the other account may do, and where root's own files lie in its reach. Each must be refused. */
async function everyPlant(top: string): Promise<number> {
  let count = 0;
  const plant = async (
    how: string,
    make: (at: Awaited<ReturnType<typeof likeTmp>> & { readonly own: string }) => Promise<void>,
  ) => {
    const at = join(top, String(count));
    const place = await likeTmp(at);
    const own = join(at, 'own.yaml');
    await writeFile(own, right, { mode: 0o644 });
    await make({ ...place, own });
    count += 1;
    for (const words of [
      ['config', 'check'],
      ['audit', 'seal', '--output', 'json'],
    ]) {
      const host = memoryHost(words, {}, place.work);
      await run(host);
      const said = host.out() + host.err();
      mustHold(said.includes('is not used'), `${how}: ${words.join(' ')} took it: ${said}`);
      if (!said.includes('--config')) throw new Error(`${how}: the error does not say what to do: ${said}`);
    }
  };
  const file = 'lockkeeper.yaml';
  await plant(
    'a file in a sticky directory',
    async ({ shared }) => void asOther(`echo '${right}' > ${shared}/${file}`),
  );
  await plant('a link to a file of root', async ({ shared, own }) => void asOther(`ln -s ${own} ${shared}/${file}`));
  await plant('a link of root to a file of others', async ({ shared, work }) => {
    asOther(`echo '${right}' > ${shared}/theirs`);
    await symlink(join(shared, 'theirs'), join(dirname(work), file));
  });
  await plant('a file of root in a directory that all may write', async ({ work }) => {
    await chmod(dirname(work), 0o777);
    await writeFile(join(dirname(work), file), right, { mode: 0o644 });
  });
  await plant('a file of root in a directory of others', async ({ shared, work }) => {
    await writeFile(join(dirname(work), file), right, { mode: 0o644 });
    await chown(dirname(work), other.uid, other.gid);
    asOther(`ls ${shared} > /dev/null`);
  });
  await plant('a file of root that all may write', async ({ work }) => {
    await writeFile(join(work, file), right);
    await chmod(join(work, file), 0o666);
  });
  await plant('a file of root that another group may write', async ({ work }) => {
    await writeFile(join(work, file), right);
    await chown(join(work, file), 0, other.gid);
    await chmod(join(work, file), 0o664);
  });
  await plant('a file of root in a directory that another group may write', async ({ work }) => {
    await writeFile(join(work, file), right, { mode: 0o644 });
    await chown(work, 0, other.gid);
    await chmod(work, 0o775);
  });
  await plant('a link of others in the path of root’s link', async ({ shared, work, own }) => {
    asOther(`ln -s ${dirname(own)} ${shared}/step`);
    await symlink(join(shared, 'step', 'own.yaml'), join(work, file));
  });
  await plant('a link whose owner changed', async ({ work, own }) => {
    await symlink(own, join(work, file));
    await lchown(join(work, file), other.uid, other.gid);
  });
  return count;
}

/** What people do every day goes on. */
async function rightUse(at: string): Promise<void> {
  const { shared, work } = await likeTmp(at);
  const check = async (
    how: string,
    words: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<void> => {
    const host = memoryHost([...words, 'config', 'check'], env, work);
    await run(host);
    if (!host.err().includes('is right')) throw new Error(`${how} is refused: ${host.out()}${host.err()}`);
  };
  await writeFile(join(dirname(work), 'lockkeeper.yaml'), right, { mode: 0o644 });
  await check('an own file above', []);
  await chmod(join(dirname(work), 'lockkeeper.yaml'), 0o600);
  await check('an own secret file above', []);
  await writeFile(join(at, 'real.yaml'), right, { mode: 0o644 });
  await symlink(join(at, 'real.yaml'), join(work, 'lockkeeper.yaml'));
  await check('an own link', []);
  asOther(`echo '${right}' > ${shared}/theirs.yaml && chmod 644 ${shared}/theirs.yaml`);
  await check('a file of others that is named', ['--config', join(shared, 'theirs.yaml')]);
  await check('a file of others in LOCKKEEPER_CONFIG', [], { LOCKKEEPER_CONFIG: join(shared, 'theirs.yaml') });
  asOther(`chmod 666 ${shared}/theirs.yaml`);
  const open = memoryHost(['--config', join(shared, 'theirs.yaml'), 'config', 'check'], {}, work);
  await run(open);
  mustHold(open.err().includes('everybody can write it'), 'a named file that everybody can write is taken');
}

/** Who may write above a working directory says what root does with its secrets. */
export const attack: Attack = {
  number: 12,
  about: 'a configuration, key or compiled code planted by another account',
  run: attempt,
  switchedBack: [
    {
      name: 'found-upward',
      file: 'shared/config/read-text.ts',
      find: 'file.foundFrom === undefined ? await openNamed',
      replace: 'true ? await openNamed',
    },
    {
      name: 'way',
      file: 'shared/config/read-text.ts',
      find: 'if (onTheWay) throw',
      replace: 'if (onTheWay && !real) throw',
    },
    {
      name: 'file',
      file: 'shared/config/read-text.ts',
      find: 'const doubt = ownerDoubt(path, info) ?? writersDoubt(path, info);',
      replace: 'const doubt = ownerDoubt(path, info) && writersDoubt(path, info);',
    },
    {
      name: 'named',
      file: 'shared/config/read-text.ts',
      find: '(mode & 0o002) === 0) return handle',
      replace: '(mode & 0o002) !== 1) return handle',
    },
    {
      name: 'links',
      file: 'shared/base/ownership.ts',
      find: 'doubt ??= ownerDoubt(next, info);',
      replace: '',
    },
    {
      name: 'sticky',
      file: 'shared/base/ownership.ts',
      find: '(isSticky ? undefined : writersDoubt(path, info))',
      replace: 'undefined',
    },
    {
      name: 'group',
      file: 'shared/base/ownership.ts',
      find: '&& !isPrivateGroup(gid)',
      replace: '&& !isPrivateGroup(gid) && gid === 0',
    },
    {
      name: 'key-owner',
      file: 'shared/base/owner-file.ts',
      find: 'refuse(path, ownerDoubt(path, info), readers);',
      replace: '',
    },
    {
      name: 'key-way',
      file: 'shared/base/owner-file.ts',
      find: "if (doubt) refuse(path, doubt, 'owner');",
      replace: '',
    },
    {
      name: 'authority',
      file: 'shared/base/owner-file.ts',
      find: "if (readers === 'anyone') refuse(path, writersDoubt(path, info), readers);",
      replace: "if (readers === 'anyone') return;",
    },
    {
      name: 'compile-cache',
      file: 'functions/cli/lockkeeper.js',
      find: 'if (isOwnFolder(cache)) module',
      replace: 'module',
    },
  ],
};
