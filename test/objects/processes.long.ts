import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { z } from 'zod';
import { systemWorld } from '../../shared/base/world.ts';
import { fileError } from '../../shared/objects/file-errors.ts';
import { FilePlace } from '../../shared/objects/file-place.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import { FileTurns } from '../../shared/objects/file-turns.ts';

// Starting a process takes seconds on a busy machine.
jest.setTimeout(90_000);

let directory = '';
const running = new Set<ChildProcess>();
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-processes-'));
});
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
  await rm(directory, { recursive: true, force: true });
});

const bytes = (text: string) => new TextEncoder().encode(text);
const own = (...parts: string[]) => join(directory, '~lockkeeper', ...parts);

const lineSchema = z.object({
  key: z.string().optional(),
  by: z.string().optional(),
  raised: z.number().optional(),
  thrown: z.object({ code: z.string(), hint: z.string().optional() }).optional(),
  message: z.string().optional(),
});

interface Running {
  readonly child: ChildProcess;
  /** Comes when the process told its first line. */
  readonly working: Promise<void>;
  /** All that it told, once it has ended. */
  readonly ended: Promise<readonly z.infer<typeof lineSchema>[]>;
}

/** A process on the store (see child.ts). `limit` is a line of shell that goes before it. */
function begin(
  words: readonly (string | number)[],
  options: { readonly limit?: string; readonly uid?: number } = {},
): Running {
  const command = [
    process.execPath,
    '--no-warnings',
    join(import.meta.dirname, 'child.ts'),
    directory,
    ...words.map(String),
  ];
  const uid = options.uid === undefined ? {} : { uid: options.uid, gid: options.uid };
  const child = spawn('/bin/sh', ['-c', `${options.limit ?? ''} exec "$0" "$@"`, ...command], {
    ...uid,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  running.add(child);
  let told = '';
  const working = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      told += chunk.toString();
      resolve();
    });
  });
  const ended = new Promise<readonly z.infer<typeof lineSchema>[]>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => {
      running.delete(child);
      const lines = told.split('\n').filter((line) => line.endsWith('}'));
      resolve(lines.map((line) => lineSchema.parse(JSON.parse(line))));
    });
  });
  return { child, working, ended };
}

/** Lets all go at the same moment, and gives all that they told. */
async function race(racers: readonly Running[]): Promise<Awaited<Running['ended']>> {
  await Promise.all(racers.map(({ working }) => working));
  for (const { child } of racers) child.stdin?.write('go');
  return (await Promise.all(racers.map(({ ended }) => ended))).flat();
}

describe('processes that share one directory', () => {
  test('eight that create the same hundred keys: each key has one winner, and it is the one that stands', async () => {
    const told = await race(Array.from({ length: 8 }, (_, i) => begin(['creates', `p${i}`, 100])));
    const won = told.filter(({ key }) => key !== undefined);
    expect(new Set(won.map(({ key }) => key)).size).toBe(100);
    expect(won).toHaveLength(100);
    for (const { key = '', by } of won) expect(await readFile(join(directory, key), 'utf8')).toBe(by);
  });
  test('eight that raise one counter a hundred times in all lose no step', async () => {
    await fileSystemObjects({ directory }).create('count', bytes('0'));
    const told = await race(Array.from({ length: 8 }, (_, i) => begin(['counts', `p${i}`, 13])));
    const raised = told.flatMap(({ raised: to }) => to ?? []);
    expect(raised.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 104 }, (_, i) => i + 1));
    expect(await readFile(join(directory, 'count'), 'utf8')).toBe('104');
  });
  test('killed at any moment they leave whole objects, and the next one goes on', async () => {
    for (let round = 0; round < 8; round += 1) {
      const { child, working, ended } = begin(['churns', 'a', 0]);
      await working;
      await wait(round * 7);
      child.kill('SIGKILL');
      await ended;
      for (const name of await readdir(join(directory, 'churn'))) {
        const content = await readFile(join(directory, 'churn', name), 'utf8');
        expect(content).toHaveLength(50_000);
        expect(content).toMatch(/^\d+:(\d)\1+$/);
      }
    }
    const store = fileSystemObjects({ directory });
    for (const key of ['churn/a-0', 'churn/a-1', 'churn/a-2', 'churn/a-3']) {
      const held = await store.get(key);
      const answer = held
        ? await store.replace(key, bytes('mine'), held.version)
        : await store.create(key, bytes('mine'));
      expect(answer.outcome).toBe('done');
    }
  });
});

describe('what a dead process left', () => {
  test('unfinished work is in no listing, harms no write, and is swept after an hour', async () => {
    const store = fileSystemObjects({ directory });
    await store.create('a', bytes('1'));
    await mkdir(own('unfinished', 'old'));
    await writeFile(own('unfinished', 'old', 'new'), 'half');
    await mkdir(own('unfinished', 'young'));
    const old = new Date(Date.now() - 2 * 3_600_000);
    await utimes(own('unfinished', 'old'), old, old);
    const next = fileSystemObjects({ directory });
    const found: string[] = [];
    for await (const { key } of next.list('')) found.push(key);
    expect(found).toEqual(['a']);
    await next.create('b', bytes('2'));
    expect(await readdir(own('unfinished'))).toEqual(['young']);
  });
  test('a turn that nobody gives back is taken away', async () => {
    const store = fileSystemObjects({ directory });
    const made = await store.create('k', bytes('1'));
    const first = await store.replace('k', bytes('2'), made.outcome === 'done' ? made.version : '');
    const [turn = ''] = await readdir(own('turns'));
    await mkdir(own('unfinished', 'dead'));
    await writeFile(own('unfinished', 'dead', 'new'), 'theirs');
    await rename(own('turns', turn, 'free'), own('turns', turn, 'held.dead'));
    const second = await store.replace('k', bytes('3'), first.outcome === 'done' ? first.version : '');
    expect(second.outcome).toBe('done');
    expect(await readFile(join(directory, 'k'), 'utf8')).toBe('3');
    expect(await readdir(own('turns', turn))).toEqual(['free']);
    expect(await readdir(own('unfinished'))).toEqual([]);
  });
  test('an owner that was only slow finds its work gone and overwrites nothing', async () => {
    const place = new FilePlace(directory, systemWorld());
    const turns = new FileTurns(place);
    const [slow, fast] = [await place.workFolder(), await place.workFolder()];
    await writeFile(join(slow, 'new'), 'slow');
    await writeFile(join(fast, 'new'), 'fast');
    let wake = () => {};
    const asleep = new Promise<void>((resolve) => (wake = resolve));
    const late = turns.take('k', slow, async () => {
      await asleep;
      await rename(join(slow, 'new'), join(directory, 'k'));
    });
    await wait(50);
    await turns.take('k', fast, () => rename(join(fast, 'new'), join(directory, 'k')));
    wake();
    await expect(late).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readFile(join(directory, 'k'), 'utf8')).toBe('fast');
    await turns.take('k', fast, async () => {});
  });
});

describe('a disk that fails', () => {
  test('full: rejected, with what to do, and nothing half-written', async () => {
    await fileSystemObjects({ directory }).create('small', bytes('1'));
    const [answer] = await begin(['writes', 'large', 4_000_000], { limit: 'ulimit -f 1000;' }).ended;
    expect(answer).toMatchObject({ thrown: { code: 'rejected' }, message: expect.stringContaining('store full') });
    expect((await readdir(directory)).toSorted()).toEqual(['small', '~lockkeeper']);
    expect(await readdir(own('unfinished'))).toEqual([]);
  });
  test('not ours to write: denied', async () => {
    await fileSystemObjects({ directory }).create('small', bytes('1'));
    await chmod(directory, 0o555);
    await chmod(own('unfinished'), 0o555);
    const nobody = process.getuid?.() === 0 ? { uid: 65_534 } : {};
    const [answer] = await begin(['writes', 'mine', 5], nobody).ended;
    expect(answer).toMatchObject({ thrown: { code: 'denied', hint: expect.stringContaining('right') } });
    await chmod(own('unfinished'), 0o755);
    await chmod(directory, 0o755);
  });
  test.each([
    ['ENOSPC', 'rejected'],
    ['EDQUOT', 'rejected'],
    ['EIO', 'unreachable'],
    ['EROFS', 'denied'],
    ['EMFILE', 'throttled'],
  ])('%s before the write is %s, after it uncertain', (name, code) => {
    const thrown = Object.assign(new Error(name), { code: name, syscall: 'fsync' });
    expect(fileError(thrown, 'create a', false)).toMatchObject({
      code,
      message: expect.stringContaining('create a'),
      cause: thrown,
    });
    expect(fileError(thrown, 'create a', true)).toMatchObject({
      code: 'uncertain',
      hint: expect.stringContaining('read it back'),
    });
  });
});

describe('a directory that people look into', () => {
  test('a file that no key could name is listed, so that an auditor sees it', async () => {
    const store = fileSystemObjects({ directory });
    await store.create('a/b', bytes('1'));
    await writeFile(join(directory, 'a', 'b~'), 'editor');
    const found: string[] = [];
    for await (const { key } of store.list('a/')) found.push(key);
    expect(found).toEqual(['a/b', 'a/b~']);
  });
  test('a hand that edits a file makes every held version stale', async () => {
    const store = fileSystemObjects({ directory });
    const made = await store.create('k', bytes('1'));
    await writeFile(join(directory, 'k'), '2');
    expect(await store.replace('k', bytes('3'), made.outcome === 'done' ? made.version : '')).toEqual({
      outcome: 'stale',
    });
  });
  test('a clock that goes back makes no old version current', async () => {
    const store = fileSystemObjects({ directory });
    const seen = new Set<string>();
    const made = await store.create('k', bytes('1'));
    let version = made.outcome === 'done' ? made.version : '';
    const future = new Date('2100-01-01T00:00:00Z');
    await utimes(join(directory, 'k'), future, future);
    version = (await store.get('k'))?.version ?? '';
    for (let i = 0; i < 20; i += 1) {
      expect(seen.has(version)).toBe(false);
      seen.add(version);
      if (i % 5 === 4) {
        await store.delete('k', version);
        const again = await store.create('k', bytes('1'));
        version = again.outcome === 'done' ? again.version : '';
      } else {
        const answer = await store.replace('k', bytes('1'), version);
        version = answer.outcome === 'done' ? answer.version : '';
      }
    }
    expect(seen.size).toBe(20);
  });
  test('a directory that is not there is an empty store, until the first write', async () => {
    const store = fileSystemObjects({ directory: join(directory, 'deep', 'er') });
    expect(await store.get('a')).toBeUndefined();
    expect((await store.create('a', bytes('1'))).outcome).toBe('done');
    expect(await readFile(join(directory, 'deep', 'er', 'a'), 'utf8')).toBe('1');
  });
});
