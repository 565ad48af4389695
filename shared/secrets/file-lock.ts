import { link, readFile, rm, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { LockkeeperError } from '../base/error.ts';
import { writePrivateFile } from '../base/private-files.ts';
import type { World } from '../base/world.ts';

/** Who holds a lock: enough to tell a dead owner from a living one with the same process id. */
type Owner = { readonly token: string; readonly host: string; readonly pid: number; readonly born: string };

const tries = 200;
const pauseMs = 25;

/**
 * Runs `work` while this process alone holds the lock file at `path`. The lock belongs to a process, not to a time
 * span: an owner that is merely slow keeps it. `throttled` when a living owner keeps it for five seconds.
 *
 * A lock of a dead process is taken over by whoever holds the lock on that very lock (`path.<its token>`), so that
 * two takers can never remove each other's. A crash leaves at worst a file that the next process removes:
 *
 * | killed                      | left behind       | next process                               |
 * |-----------------------------|-------------------|--------------------------------------------|
 * | before link                 | a `.mine` file    | ignores it: its name is its owner's alone   |
 * | holding the lock            | lock, dead owner  | locks `path.<token>`, removes both          |
 * | while taking over           | `path.<token>` too | the same one level deeper                   |
 */
export async function withFileLock<T>(path: string, world: World, work: () => Promise<T>): Promise<T> {
  const owner = await acquire(path, world);
  try {
    return await work();
  } finally {
    await release(path, owner);
  }
}

async function acquire(path: string, world: World): Promise<Owner> {
  const owner = await thisProcess(world);
  const mine = `${path}.${owner.token}.mine`;
  await writeOwner(mine, owner);
  try {
    for (let attempt = 0; attempt < tries; attempt += 1) {
      if (await linked(mine, path)) return owner;
      const holder = await readOwner(path);
      if (holder && (await isDead(holder))) await removeDead(path, holder, world);
      else await pause(pauseMs);
    }
  } finally {
    await unlink(mine);
  }
  const holder = await readOwner(path);
  throw new LockkeeperError('throttled', `${path} is held by process ${holder?.pid ?? '?'} on ${holder?.host ?? '?'}`, {
    hint: 'Another lockkeeper is writing; try again. If that process is not a lockkeeper, remove the file.',
  });
}

async function release(path: string, owner: Owner): Promise<void> {
  const holder = await readOwner(path);
  if (holder?.token === owner.token) await unlink(path);
}

/** Only the holder of the dead lock's own lock removes it, and only if it is still that one. */
async function removeDead(path: string, dead: Owner, world: World): Promise<void> {
  await withFileLock(`${path}.${dead.token}`, world, async () => {
    const holder = await readOwner(path);
    if (holder?.token !== dead.token) return;
    await rm(`${path}.${dead.token}.mine`, { force: true });
    await unlink(path);
  });
}

/** On the disk before anybody can see it as the lock: a power cut must not leave a lock without an owner. */
async function writeOwner(path: string, owner: Owner): Promise<void> {
  await writePrivateFile(path, JSON.stringify(owner), { over: 'create', sync: true });
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (thrown) {
    if (isErrno(thrown, 'EEXIST')) return false;
    throw thrown;
  }
}

/** Lock files appear complete, by link; undefined where there is none (any more). */
async function readOwner(path: string): Promise<Owner | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
  const owner = parsed(text);
  if (isOwner(owner)) return owner;
  throw new LockkeeperError('unreachable', `${path} is not a lock that lockkeeper made`, {
    hint: 'Remove it if no lockkeeper is running.',
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

function isOwner(value: unknown): value is Owner {
  if (typeof value !== 'object' || value === null) return false;
  const { token, host, pid, born } = { token: undefined, host: undefined, pid: undefined, born: undefined, ...value };
  return (
    typeof token === 'string' &&
    /^[0-9a-f]{24}$/.test(token) &&
    typeof host === 'string' &&
    typeof pid === 'number' &&
    typeof born === 'string'
  );
}

/** A process of another machine is never judged dead from here. */
async function isDead(owner: Owner): Promise<boolean> {
  if (owner.host !== hostname()) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (thrown) {
    // EPERM: it lives and belongs to somebody else.
    return isErrno(thrown, 'ESRCH');
  }
  return owner.born !== (await bornAt(owner.pid));
}

async function thisProcess(world: World): Promise<Owner> {
  const token = Buffer.from(world.random(12)).toString('hex');
  return { token, host: hostname(), pid: process.pid, born: await bornAt(process.pid) };
}

/**
 * Boot and start tick of a process, which no other process with the same id has. Where there is no /proc it is empty:
 * then a process id that was given again looks alive, and the lock waits for a person instead of being broken.
 */
async function bornAt(pid: number): Promise<string> {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets and may hold anything; the start tick is the 20th after it.
    return `${boot.trim()} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`;
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT') || isErrno(thrown, 'ESRCH')) return '';
    throw thrown;
  }
}

/** True for a file-system error with this code. */
export function isErrno(thrown: unknown, code: string): boolean {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && thrown.code === code;
}
