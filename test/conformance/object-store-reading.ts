import { describe, expect } from '@jest/globals';
import type { LockkeeperError } from '../../shared/base/error.ts';
import {
  bytes,
  done,
  held,
  keysOf,
  text,
  type ObjectStoreAbilities,
  type ObjectStoreHarness,
  type Promised,
} from './object-store-harness.ts';

/** What the contract says about get, list and keys. */
export function readingTests(at: () => ObjectStoreHarness, abilities: ObjectStoreAbilities, promise: Promised): void {
  describe('get', () => {
    promise('an absent object is undefined', async () => {
      expect(await at().one.get('nothing/here')).toBeUndefined();
    });
    promise('a folder of objects is no object', async () => {
      await at().one.create('a/b/c', bytes('x'));
      expect(await at().one.get('a')).toBeUndefined();
      expect(await at().one.get('a/b')).toBeUndefined();
    });
    promise('an object of no bytes is there', async () => {
      await at().one.create('empty', new Uint8Array());
      expect((await at().two.get('empty'))?.bytes).toEqual(new Uint8Array());
    });
    promise('any byte comes back, a megabyte of them too', async () => {
      const large = Uint8Array.from({ length: 1_048_576 }, (_, i) => (i * 31 + (i >> 8)) & 255);
      await at().one.create('large', large);
      expect(Buffer.compare((await held(at().two, 'large')).bytes, large)).toBe(0);
    });
    promise('bytes are shared with nobody: not with the writer, not between readers', async () => {
      const mine = bytes('abc');
      const version = done(await at().one.create('k', mine));
      mine[0] = 0x7a;
      const read = await held(at().one, 'k');
      read.bytes[1] = 0x7a;
      expect(text((await at().one.get('k'))?.bytes)).toBe('abc');
      const next = bytes('def');
      await at().one.replace('k', next, version);
      next[0] = 0x7a;
      expect(text((await at().one.get('k'))?.bytes)).toBe('def');
    });
    promise('bytes and version always belong together while others write', async () => {
      let version = done(await at().one.create('k', bytes('0')));
      const known = new Map([[version, '0']]);
      const seen: [string, string][] = [];
      const writing = (async () => {
        for (let i = 1; i <= 40; i += 1) {
          version = done(await at().one.replace('k', bytes(`${i}`), version));
          known.set(version, `${i}`);
        }
      })();
      const reading = (async () => {
        for (let i = 0; i < 120; i += 1) {
          const object = await held(at().two, 'k');
          seen.push([object.version, text(object.bytes) ?? '']);
        }
      })();
      await Promise.all([writing, reading]);
      for (const [state, content] of seen) expect(known.get(state)).toBe(content);
    });
  });

  describe('list', () => {
    const all = ['A', 'a', 'a-b', 'a.b', 'a/1', 'a/10', 'a/2', 'a0', 'a=', 'a_', 'b/c/d', 'b/c/e', 'b/c.d', 'bb'];
    const made = (abilities.folders ? all.filter((key) => key !== 'a') : all).toSorted((x, y) =>
      Buffer.compare(Buffer.from(x), Buffer.from(y)),
    );
    const fill = async () => {
      for (const key of made.toReversed()) await at().one.create(key, bytes(key));
    };

    promise('tells all keys in the order of their bytes, with sizes, to both handles', async () => {
      await fill();
      expect(await keysOf(at().one, '')).toEqual(made);
      expect(await keysOf(at().two, '')).toEqual(made);
      for await (const { key, size } of at().one.list('')) expect(size).toBe(key.length);
    });
    promise('a prefix is a prefix of the text, not a folder', async () => {
      await fill();
      for (const prefix of [
        'a',
        'a/',
        'a/1',
        'b/c',
        'b/c/',
        'b/c/d',
        'bb',
        'c',
        'a/1/',
        '/',
        '..',
        '../',
        '.',
        'A',
        'b/c.',
      ]) {
        expect([prefix, await keysOf(at().one, prefix)]).toEqual([
          prefix,
          made.filter((key) => key.startsWith(prefix)),
        ]);
      }
    });
    promise('after leaves out everything up to and including a key that need not exist', async () => {
      await fill();
      for (const after of [
        '',
        'A',
        'a',
        'a-',
        'a/',
        'a/1',
        'a/15',
        'a/2',
        'a/9',
        'a00',
        'b',
        'b/',
        'b/c/d',
        'b/c/zz',
        'bb',
        'zz',
      ]) {
        const expected = made.filter((key) => Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0);
        expect([after, await keysOf(at().one, '', after)]).toEqual([after, expected]);
        expect([after, await keysOf(at().one, 'a', after)]).toEqual([
          after,
          expected.filter((key) => key.startsWith('a')),
        ]);
      }
    });
    promise('an empty store has no keys', async () => {
      expect(await keysOf(at().one, '')).toEqual([]);
      expect(await keysOf(at().one, 'any/')).toEqual([]);
    });
    promise('a write shows in the next listing at once', async () => {
      for (let i = 0; i < 5; i += 1) {
        await at().one.create(`n/${i}`, bytes('x'));
        expect(await keysOf(at().two, 'n/')).toHaveLength(i + 1);
      }
    });
    promise('may be left early', async () => {
      await fill();
      for await (const { key } of at().one.list('')) {
        expect(key).toBe(made[0]);
        break;
      }
      expect((await at().one.create('later', bytes('x'))).outcome).toBe('done');
    });
  });

  describe('keys', () => {
    const bad = [
      '',
      '/',
      '/a',
      'a/',
      'a//b',
      '.',
      '..',
      '../a',
      'a/../b',
      'a/./b',
      'a b',
      'ä',
      'a\\b',
      'a\0b',
      'a:b',
      'a~',
      '~lockkeeper/x',
      `a/${'x'.repeat(900)}`,
    ];
    promise('what is no path of plain segments is invalid everywhere', async () => {
      for (const key of bad) await expectInvalid(at(), key);
    });
    promise('plain segments are a key, whatever they look like', async () => {
      for (const key of ['a', '...', '.a', '-', '=', '_', 'a.b-c_d=e', '00000000000000000001.json', 'x'.repeat(200)])
        await expectKey(at(), key);
    });
    promise('that differ in case only are two objects', async () => {
      await at().one.create('Key', bytes('1'));
      expect(await at().one.get('kEY')).toBeUndefined();
      expect((await at().one.create('kEY', bytes('2'))).outcome).toBe('done');
    });
    if (abilities.folders) folderTests(at, promise);
    else {
      promise('an object may be the folder of another', async () => {
        await at().one.create('f', bytes('file'));
        expect((await at().one.create('f/g', bytes('below'))).outcome).toBe('done');
        expect(await keysOf(at().two, '')).toEqual(['f', 'f/g']);
      });
    }
  });
}

async function expectInvalid({ one }: ObjectStoreHarness, key: string): Promise<void> {
  const invalid = { code: 'invalid' } satisfies Partial<LockkeeperError>;
  await expect(one.get(key)).rejects.toMatchObject(invalid);
  await expect(one.create(key, bytes('x'))).rejects.toMatchObject(invalid);
  await expect(one.replace(key, bytes('x'), 'v')).rejects.toMatchObject(invalid);
  await expect(one.delete(key, 'v')).rejects.toMatchObject(invalid);
  expect(await keysOf(one, '')).toEqual([]);
}

async function expectKey({ one, two }: ObjectStoreHarness, key: string): Promise<void> {
  const version = done(await one.create(key, bytes(key)));
  expect(await keysOf(one, '')).toEqual([key]);
  expect(text((await two.get(key))?.bytes)).toBe(key);
  expect((await one.delete(key, version)).outcome).toBe('done');
}

function folderTests(at: () => ObjectStoreHarness, promise: Promised): void {
  promise('an object cannot be the folder of another', async () => {
    await at().one.create('f', bytes('file'));
    await expect(at().one.create('f/g', bytes('below'))).rejects.toMatchObject({ code: 'invalid' });
    expect(await at().one.get('f/g')).toBeUndefined();
    await at().one.create('h/i', bytes('below'));
    await expect(at().one.create('h', bytes('file'))).rejects.toMatchObject({ code: 'invalid' });
    expect(await at().one.replace('h', bytes('file'), 'v')).toEqual({ outcome: 'missing' });
    expect(await at().one.delete('h', 'v')).toEqual({ outcome: 'missing' });
    expect(await keysOf(at().one, '')).toEqual(['f', 'h/i']);
  });
}
