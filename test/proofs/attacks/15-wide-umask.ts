import { spawnSync } from 'node:child_process';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { auditFiles } from '../../../functions/cli/audit-files.ts';
import { gateNetwork } from '../../../functions/local/gate/identity.ts';
import { startGate } from '../../../functions/local/gate/gate.ts';
import { hasCode } from '../../../shared/base/error.ts';
import { Sealed } from '../../../shared/base/sealed.ts';
import { parseInstant } from '../../../shared/base/time.ts';
import { systemWorld } from '../../../shared/base/world.ts';
import { fileSystemObjects } from '../../../shared/objects/file-system.ts';
import { localFileSecrets } from '../../../shared/secrets/local-file.ts';
import { keyFileSigner } from '../../../shared/signers/key-file.ts';
import { mustHold, type Attack } from './attack.ts';
import { asOther, hasOther } from './parts/second-account.ts';

const cli = fileURLToPath(new URL('../../../functions/cli/lockkeeper.js', import.meta.url));
const masks = ['000', '022', '277', '777'] as const;

async function attempt(): Promise<string> {
  const top = await mkdtemp(join(tmpdir(), 'lockkeeper-attack-'));
  await chmod(top, 0o755);
  try {
    let files = 0;
    for (const mask of masks) files += await driversUnder(mask, join(top, `drivers-${mask}`));
    files += await commandsUnder('000', join(top, 'commands'));
    if (!hasOther) return `${files} files and folders are 0600 and 0700; only root can act as another account`;
    files += await closedAgain(join(top, 'older'));
    await leftAlone(join(top, 'made-by-a-person'));
    return `${files} files and folders of a whole life under umask ${masks.join(', ')}: all are 0600 and 0700, and another account reads, lists and writes none; what an earlier version left open is closed, a person’s own directory stays as it is`;
  } finally {
    await rm(top, { recursive: true });
  }
}

/** Every driver and writer that keeps files, in this process. */
async function driversUnder(mask: string, at: string): Promise<number> {
  await mkdir(at);
  await chmod(at, 0o755);
  const before = process.umask(Number.parseInt(mask, 8));
  try {
    const world = systemWorld();
    const objects = fileSystemObjects({ directory: join(at, 'a', 'state'), world });
    await objects.create('closing/one.json', Buffer.from('what is withheld elsewhere'));
    const held = await objects.get('closing/one.json');
    const replaced = await objects.replace('closing/one.json', Buffer.from('two'), held?.version ?? '');
    if (replaced.outcome !== 'done') throw new Error(`replace: ${replaced.outcome}`);
    await objects.create('top', Buffer.from('at the top'));
    await objects.create('closing/gone/two.json', Buffer.from('x'));
    await objects.delete('closing/gone/two.json', (await objects.get('closing/gone/two.json'))?.version ?? '');
    const secrets = localFileSecrets({
      directory: join(at, 'b', 'secrets'),
      keyFile: join(at, 'c', 'secrets.key'),
      world,
    });
    await secrets.add('orders');
    const { id } = await secrets.stage('orders', 'r1', new Sealed('a-password-that-nobody-else-reads'));
    await secrets.promote('orders', { rotation: 'r1', id }, undefined);
    await keyFileSigner({ path: join(at, 'd', 'audit.key'), world }).publicKey();
    await auditFiles.create(join(at, 'entry.json'), Buffer.from('{}'));
    await gateUnder(at);
  } catch (thrown) {
    // The guard of key files sees it first.
    mustHold(!hasCode(thrown, 'denied'), `under umask ${mask} ${hasCode(thrown, 'denied') ? thrown.message : ''}`);
    throw thrown;
  } finally {
    process.umask(before);
  }
  return await mustBeClosed(at, `under umask ${mask}`);
}

async function gateUnder(at: string): Promise<void> {
  const gate = await startGate({
    world: systemWorld(),
    network: gateNetwork('office', 'aws'),
    interfaces: [],
    services: [],
    rulesFile: join(at, 'gate', 'rules.json'),
    tokenFile: join(at, 'gate', 'token'),
    flowLogs: { directory: join(at, 'flow-logs'), intervalMs: 60_000, publishMs: 60_000 },
    adminPort: 24_950,
    near: true,
    tickMs: 1_000,
    onFailure: (error) => {
      throw error;
    },
  });
  await gate.rules.put(
    {
      id: 'r',
      name: 'r',
      protocol: 'tcp',
      ports: { from: 1, to: 1 },
      sources: ['127.0.0.0/8'],
      targets: ['t'],
      description: '',
      createdAt: parseInstant('2026-01-01T00:00:00Z'),
      tags: {},
    },
    'absent',
  );
  await gate.close();
}

const config = `version: 1
stores: { state: { kind: file-system, path: state }, log: { kind: file-system, path: log } }
networks: { office: { cloud: aws, flowLogs: [{ name: flows, format: aws-vpc, directory: flow-logs }] } }
`;

/** A configuration, and a flow log of somebody else that only root reads. */
async function place(at: string): Promise<void> {
  const folder = join(at, 'flow-logs', 'AWSLogs', '123456789012', 'vpcflowlogs', 'eu-central-1', '2026', '11', '22');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(at, 0o755);
  await writeFile(join(at, 'lockkeeper.yaml'), config, { mode: 0o600 });
  const fields =
    'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status';
  const row = '2 123456789012 eni-1 10.0.0.9 10.0.0.5 40000 443 6 5 500 1795305600 1795305660 ACCEPT OK';
  const name = '123456789012_vpcflowlogs_eu-central-1_fl-1_20261122T0000Z_abc.log.gz';
  await writeFile(join(folder, name), gzipSync(`${fields}\n${row}\n`), { mode: 0o600 });
}

/** The command line as a person calls it, with what it hands on. */
async function commandsUnder(mask: string, at: string): Promise<number> {
  await place(at);
  lockkeeper(mask, at, 'collect');
  lockkeeper(mask, at, 'audit seal');
  lockkeeper(mask, at, 'audit export out');
  lockkeeper(mask, at, 'audit prove 0 --out 0.tlog-proof --entry 0.json');
  return await mustBeClosed(at, 'after the command line');
}

function lockkeeper(mask: string, at: string, words: string): string {
  const line = `umask ${mask} && exec "$0" --no-warnings "$1" ${words}`;
  const { status, stdout, stderr } = spawnSync('sh', ['-c', line, process.execPath, cli], {
    cwd: at,
    encoding: 'utf8',
  });
  if (status === 0) return stdout + stderr;
  throw new Error(`lockkeeper ${words} ended with ${status ?? 'a signal'}: ${stderr}`);
}

/** Stores as an earlier version made them under umask 000. */
async function closedAgain(at: string): Promise<number> {
  await place(at);
  lockkeeper('000', at, 'collect');
  for (const store of ['state', 'log'])
    for (const name of ['', ...(await readdir(join(at, store), { recursive: true }))]) {
      const path = join(at, store, name);
      await chmod(path, (await lstat(path)).isDirectory() ? 0o777 : 0o666);
    }
  if (asOther(`find ${at}/state -type f -readable`) === '') throw new Error('nothing is open to begin with');
  const said = lockkeeper('022', at, 'audit seal');
  const readable = asOther(`find ${at} -mindepth 2 2> /dev/null || true`);
  mustHold(readable === '', `what an earlier version left open stays open: ${readable.slice(0, 400)}`);
  if (!said.includes('mode is 0700 now')) throw new Error(`nobody is told: ${said}`);
  if (lockkeeper('022', at, 'audit seal').includes('0700')) throw new Error('it is told twice');
  return 1;
}

/** A directory that lockkeeper did not make keeps its mode, and a person is told; what is put into it is closed. */
async function leftAlone(at: string): Promise<void> {
  await place(at);
  await mkdir(join(at, 'state'));
  await chmod(join(at, 'state'), 0o755);
  const said = lockkeeper('000', at, 'collect');
  if (((await lstat(join(at, 'state'))).mode & 0o777) !== 0o755)
    throw new Error('the mode of a person’s directory was changed');
  if (!said.includes('chmod 700')) throw new Error(`nobody is told about the open directory: ${said}`);
  const readable = asOther(`find ${at}/state -mindepth 1 -readable 2> /dev/null || true`);
  mustHold(readable === '', `others read ${readable}`);
}

/** Everything below has the exact mode, and the other account reaches none of it. */
async function mustBeClosed(at: string, when: string): Promise<number> {
  const names = await readdir(at, { recursive: true });
  for (const name of names) {
    const info = await lstat(join(at, name));
    const mode = info.mode & 0o7777;
    const wanted = info.isDirectory() ? 0o700 : 0o600;
    mustHold(mode === wanted, `${when} ${name} has mode ${mode.toString(8)}`);
  }
  if (!hasOther) return names.length;
  const reached = asOther(`find ${at} -mindepth 1 \\( -readable -o -writable -o -executable \\) 2> /dev/null || true`);
  mustHold(reached === '', `${when} another account reaches ${reached}`);
  for (const name of names.slice(0, 20)) {
    const content = asOther(`cat '${join(at, name)}' 2> /dev/null || true`);
    mustHold(content === '', `${when} another account reads ${name}: ${content.slice(0, 100)}`);
  }
  if (names.length < 5 || (await readFile(join(at, names.find((name) => name.endsWith('.key')) ?? ''))).length === 0)
    throw new Error(`there is nothing to protect: ${names.join()}`);
  return names.length;
}

/** Another account of the machine reads what a wide umask leaves open. */
export const attack: Attack = {
  number: 15,
  about: 'files of lockkeeper under a wide umask, read by another account',
  run: attempt,
  switchedBack: [
    {
      name: 'folders',
      file: 'shared/base/private-files.ts',
      find: 'const folderMode = 0o700;',
      replace: 'const folderMode = 0o777;',
    },
    {
      name: 'files',
      file: 'shared/base/private-files.ts',
      find: 'const fileMode = 0o600;',
      replace: 'const fileMode = 0o666;',
    },
    {
      name: 'narrow-umask-files',
      file: 'shared/base/private-files.ts',
      find: 'await file.chmod(fileMode);',
      replace: '',
    },
    {
      name: 'narrow-umask-folders',
      file: 'shared/base/private-files.ts',
      find: 'if (((await lstat(folder)).mode & 0o777) !== folderMode) await chmod(folder, folderMode);',
      replace: '',
    },
    {
      name: 'exports',
      file: 'functions/cli/export-folder.ts',
      find: 'await written.chmod(0o600);',
      replace: '',
    },
    {
      name: 'older',
      file: 'functions/local/private-store.ts',
      find: 'await closeAll(directory);',
      replace: '',
    },
  ],
};
