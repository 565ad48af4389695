import { describe, expect, test } from '@jest/globals';
import { spawn, execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { Sealed } from '../../shared/base/sealed.ts';
import { localFileSecrets } from '../../shared/secrets/local-file.ts';
import { secretStoreSuite } from '../conformance/secret-store.ts';
import { openFilePlace, readShelf, writeShelf, type FilePlace } from './file-place.ts';

secretStoreSuite('local-file', openFilePlace);

describe('an encrypted file', () => {
  test('no flipped bit anywhere in it goes unseen', async () => {
    await using place = disposable(await openFilePlace());
    await place.first.stage(place.secret, 'r-1', new Sealed('value'));
    const good = await readFile(place.file);
    for (let at = 0; at < good.length; at += 1) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] ?? 0) ^ (1 << (at % 8));
      await writeFile(place.file, bad);
      await expect(place.first.read(place.secret)).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining(place.secret),
      });
    }
    await writeFile(place.file, good);
    expect((await place.first.read(place.secret)).pending?.value.open()).toBe('value');
  });

  test('does not pass for another secret, and another key does not open it', async () => {
    await using place = disposable(await openFilePlace());
    await localFileSecrets(place.options).add('other');
    await writeFile(join(place.options.directory, 'other.secret'), await readFile(place.file));
    await expect(place.first.read('other')).rejects.toMatchObject({
      message: expect.stringContaining('another secret'),
    });
    await writeFile(place.options.keyFile, `${'0'.repeat(64)}\n`);
    await expect(place.first.read(place.secret)).rejects.toMatchObject({ code: 'invalid' });
  });

  test('holds no value and no user name in clear, and only its owner may read it', async () => {
    await using place = disposable(await openFilePlace());
    await place.first.stage(place.secret, 'r-1', new Sealed('{"username":"app_a","password":"planted"}'));
    const text = await readFile(place.file, 'utf8');
    expect(text).not.toMatch(/planted|app_a/);
    for (const path of [place.file, place.options.keyFile]) expect((await stat(path)).mode & 0o077).toBe(0);
    expect(await readdir(place.options.directory)).toEqual(['prod%2Fapp%20db.secret']);
  });
});

describe('a file written before earlier versions were kept', () => {
  const old = {
    current: { id: 'g4', text: 'two' },
    pending: { id: 'g5', rotation: 'r-3', text: 'three' },
    previous: { id: 'g2', text: 'one' },
    promoted: ['r-1', 'r-2'],
  };

  test('is read as it was meant, and its last promotion is answered again', async () => {
    await using place = disposable(await openFilePlace());
    await writeShelf(place.file, place.options.keyFile, old);
    const seen = await place.first.read(place.secret, ['g2', 'g4', 'g5']);
    expect(seen).toMatchObject({
      current: { id: 'g4' },
      previous: { id: 'g2' },
      pending: { id: 'g5', rotation: 'r-3' },
    });
    expect(seen.asked.map(({ value }) => value.open())).toEqual(['one', 'two', 'three']);
    const again = await place.first.promote(place.secret, { rotation: 'r-2', id: 'g4' }, 'g2');
    expect(again.value.open()).toBe('two');
  });

  test('is written as files are today', async () => {
    await using place = disposable(await openFilePlace());
    await writeShelf(place.file, place.options.keyFile, old);
    await place.first.promote(place.secret, { rotation: 'r-3', id: 'g5' }, 'g4');
    const { current, earlier, pending } = await readShelf(place.file, place.options.keyFile);
    expect([current?.id, earlier.map(({ id }) => id), pending]).toEqual(['g5', ['g4', 'g2'], null]);
    await place.first.retire(place.secret, 'g2');
    expect((await place.second.read(place.secret, ['g2', 'g4'])).asked.map(({ id }) => id)).toEqual(['g4']);
  });

  test('holds nothing where nothing was published', async () => {
    await using place = disposable(await openFilePlace());
    await writeShelf(place.file, place.options.keyFile, { ...old, current: null, previous: null, promoted: [] });
    expect(await place.first.read(place.secret)).toMatchObject({ current: undefined, previous: undefined });
  });

  test.each([
    ['no member for what was before', { current: null, pending: null, promoted: [] }],
    ['a version that is none', { ...old, previous: { id: 'g2' } }],
    ['an earlier version that is none', { ...old, earlier: [{ id: 'g2' }] }],
    ['a staged version without its rotation', { ...old, pending: { id: 'g5', text: 'three' } }],
    ['a promoted rotation that is none', { ...old, promoted: [1] }],
  ])('is refused as a whole with %s', async (_, shelf) => {
    await using place = disposable(await openFilePlace());
    await writeShelf(place.file, place.options.keyFile, shelf);
    await expect(place.first.read(place.secret)).rejects.toMatchObject({ code: 'invalid' });
  });
});

describe('version ids', () => {
  test('do not come back after the file was restored from a backup', async () => {
    await using place = disposable(await openFilePlace());
    const backup = await readFile(place.file);
    const before = await place.first.stage(place.secret, 'r-1', new Sealed('before'));
    await writeFile(place.file, backup);
    const after = await place.first.stage(place.secret, 'r-1', new Sealed('after'));
    expect(after.id).not.toBe(before.id);
    const stale = place.first.promote(place.secret, { rotation: 'r-1', id: before.id }, undefined);
    await expect(stale).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('the key file', () => {
  test('is refused where others may read it, with the command that fixes it', async () => {
    await using place = disposable(await openFilePlace());
    await chmod(place.options.keyFile, 0o640);
    await expect(place.first.read(place.secret)).rejects.toMatchObject({
      code: 'denied',
      hint: expect.stringContaining('chmod 600'),
    });
  });

  test('is never made anew while there are secrets that only the old one opens', async () => {
    await using place = disposable(await openFilePlace());
    await rm(place.options.keyFile);
    await expect(place.first.read(place.secret)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('is gone'),
    });
    await expect(localFileSecrets(place.options).add('other')).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('that holds no key is said to hold none', async () => {
    await using place = disposable(await openFilePlace());
    await writeFile(place.options.keyFile, 'hello');
    await expect(place.first.read(place.secret)).rejects.toMatchObject({ code: 'invalid' });
  });
});

describe('several processes', () => {
  test('lose no write to each other', async () => {
    await using place = disposable(await openFilePlace());
    const { directory, keyFile } = place.options;
    const names = ['a', 'b', 'c', 'd'];
    const run = (name: string) =>
      promisify(execFile)(
        process.execPath,
        ['--no-warnings', join(import.meta.dirname, 'writer.ts'), directory, keyFile, place.secret, name, '8'],
        { timeout: 60_000 },
      );
    await Promise.all(names.map(run));
    const written = ((await place.consumer()) ?? '').split(';').slice(0, -1);
    expect(written.toSorted()).toEqual(names.flatMap((name) => Array.from({ length: 8 }, () => name)));
  }, 90_000);

  test('a lock whose process was killed does not stop the next one', async () => {
    await using place = disposable(await openFilePlace());
    await killedHolder(`${place.file}.lock`);
    await place.first.stage(place.secret, 'r-1', new Sealed('value'));
    expect(await readdir(place.options.directory)).toEqual(['prod%2Fapp%20db.secret']);
  });

  test('not even when the process that was taking the dead lock over was killed too', async () => {
    await using place = disposable(await openFilePlace());
    await killedHolder(`${place.file}.lock`);
    const { token } = z.object({ token: z.string() }).parse(JSON.parse(await readFile(`${place.file}.lock`, 'utf8')));
    await killedHolder(`${place.file}.lock.${token}`);
    const writes = [place.first, place.second, place.first, place.second].map(async (store) =>
      store.stage(place.secret, 'r-1', new Sealed('value')),
    );
    await Promise.all(writes);
    expect(await readdir(place.options.directory)).toEqual(['prod%2Fapp%20db.secret']);
  });

  test('a lock of a living process is respected, and the error names it', async () => {
    await using place = disposable(await openFilePlace());
    const holder = await heldBy(`${place.file}.lock`);
    try {
      await expect(place.first.stage(place.secret, 'r-1', new Sealed('value'))).rejects.toMatchObject({
        code: 'throttled',
        message: expect.stringContaining(`process ${holder.pid}`),
      });
    } finally {
      holder.kill('SIGKILL');
    }
  });
});

async function heldBy(lock: string) {
  const child = spawn(process.execPath, ['--no-warnings', join(import.meta.dirname, 'lock-holder.ts'), lock], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

async function killedHolder(lock: string): Promise<void> {
  const holder = await heldBy(lock);
  const gone = once(holder, 'exit');
  holder.kill('SIGKILL');
  await gone;
}

function disposable(place: FilePlace): FilePlace & AsyncDisposable {
  return { ...place, [Symbol.asyncDispose]: () => place.close() };
}
