import { describe, expect, test } from '@jest/globals';
import { awsS3Objects, type AwsS3Options } from '../../shared/objects/aws-s3.ts';
import { noTrailer, takeApart, trailerBytes, withTrailer } from '../../shared/objects/aws-s3-trailer.ts';
import { permissions } from '../../shared/objects/aws-s3-permissions.ts';
import { proveConditions } from '../../shared/objects/self-test.ts';
import { startS3, type S3StandIn, type S3StandInOptions } from '../clouds/aws-s3.ts';
import { objectStoreSuite } from '../conformance/object-store.ts';
import { bytes, done, held, keysOf, text } from '../conformance/object-store-harness.ts';
import { testWorld } from '../world.ts';
import { createOnlySuite } from './aws-s3-create-only.ts';

function open(s3: S3StandIn, options: Partial<AwsS3Options> = {}) {
  return awsS3Objects({
    ...s3.place,
    contents: 'changing',
    world: testWorld(undefined, options.contents),
    pauseMs: 4,
    ...options,
  });
}

async function withS3(options: S3StandInOptions, act: (s3: S3StandIn) => Promise<void>): Promise<void> {
  const s3 = await startS3(options);
  try {
    await act(s3);
  } finally {
    await s3.close();
  }
}

objectStoreSuite(
  'aws-s3',
  async () => {
    const s3 = await startS3({ pageSize: 7, policy: 'conditional-only' });
    const handle = (seed: string) => open(s3, { prefix: 'team/one/', world: testWorld(undefined, seed) });
    return {
      one: handle('one'),
      two: handle('two'),
      observe: async (key) => {
        const there = s3.model.current(`team/one/${key}`);
        return there && takeApart(there.bytes).content;
      },
      close: () => s3.close(),
    };
  },
  { folders: false },
);

createOnlySuite(
  'aws-s3',
  async () => {
    const s3 = await startS3({ pageSize: 2, locked: true, policy: 'create-only' });
    return {
      one: open(s3, { contents: 'create-only' }),
      two: open(s3, { contents: 'create-only' }),
      observe: async (key) => s3.model.current(key)?.bytes,
      hide: async (key) => s3.model.hide(key),
      close: () => s3.close(),
    };
  },
  { folders: false },
);

describe('a bucket under Object Lock with the policy of the log', () => {
  test('lets objects be created, and denies to replace or delete one whatever the handle', async () => {
    await withS3({ locked: true, policy: 'create-only' }, async (s3) => {
      const store = open(s3);
      const version = done(await store.create('k', bytes('1')));
      await expect(store.replace('k', bytes('2'), version)).rejects.toMatchObject({ code: 'denied' });
      await expect(store.delete('k', version)).rejects.toMatchObject({ code: 'denied' });
      expect(text((await store.get('k'))?.bytes)).toBe('1');
      expect(() => s3.model.erase('k')).toThrow('object lock');
    });
  });
});

describe('a store that ignores a condition is refused at start', () => {
  test.each(['If-None-Match', 'If-Match', 'If-Match on DELETE'] as const)('%s', async (ignored) => {
    await withS3({ ignores: [ignored] }, async (s3) => {
      await expect(proveConditions(open(s3), { world: testWorld(), writes: 'all' })).rejects.toMatchObject({
        code: 'unsupported',
      });
    });
  });
  test('and so is one where nothing can be removed', async () => {
    await withS3({ ignores: ['If-None-Match'] }, async (s3) => {
      const store = open(s3, { contents: 'create-only' });
      await expect(proveConditions(store, { world: testWorld(), writes: 'create-only' })).rejects.toMatchObject({
        code: 'unsupported',
      });
    });
  });
});

describe('the past', () => {
  const pastOf = async (s3: S3StandIn, prefix = '') => {
    const past = [];
    for await (const one of open(s3, { prefix: 'p/' }).altered(prefix)) past.push(one);
    return past;
  };

  test('tells what was replaced, deleted, or made again, in the order of keys, over pages that cut an object in two', async () => {
    await withS3({ pageSize: 2 }, async (s3) => {
      const store = open(s3, { prefix: 'p/' });
      for (const key of ['a', 'b/1', 'b/2', 'b/3', 'c']) await store.create(key, bytes(key));
      let version = (await held(store, 'b/1')).version;
      for (let i = 0; i < 3; i += 1) version = done(await store.replace('b/1', bytes(`${i}`), version));
      await store.delete('b/2', (await held(store, 'b/2')).version);
      await store.delete('b/3', (await held(store, 'b/3')).version);
      await store.create('b/3', bytes('again'));
      s3.model.hide('p/b/never-there');
      s3.model.plant('outside', bytes('1'));
      s3.model.plant('outside', bytes('2'));
      const all = [
        { key: 'b/1', contents: 4, deleted: false },
        { key: 'b/2', contents: 1, deleted: true },
        { key: 'b/3', contents: 2, deleted: true },
        { key: 'b/never-there', contents: 0, deleted: true },
      ];
      expect(await pastOf(s3)).toEqual(all);
      expect(await pastOf(s3, 'b/2')).toEqual(all.slice(1, 2));
      expect(await pastOf(s3, 'c')).toEqual([]);
    });
  });
  test('is empty where a bucket keeps no versions', async () => {
    await withS3({ versioned: false }, async (s3) => {
      const store = open(s3, { prefix: 'p/' });
      const version = done(await store.create('k', bytes('1')));
      await store.replace('k', bytes('2'), version);
      expect(await pastOf(s3)).toEqual([]);
    });
  });
});

describe('a listing', () => {
  test('asks for a page when it is needed, and tells a key once', async () => {
    await withS3({ pageSize: 3 }, async (s3) => {
      const store = open(s3);
      for (let i = 0; i < 8; i += 1) await store.create(`k${i}`, bytes('x'));
      const listing = store.list('')[Symbol.asyncIterator]();
      for (let i = 0; i < 3; i += 1) await listing.next();
      expect(s3.asked.ListObjectsV2).toBe(1);
      expect(await keysOf(store, '', 'k1')).toEqual(['k2', 'k3', 'k4', 'k5', 'k6', 'k7']);
      expect(s3.asked.ListObjectsV2).toBe(3);
    });
  });
  test('bears a key that is deleted between two pages', async () => {
    await withS3({ pageSize: 2 }, async (s3) => {
      const store = open(s3);
      for (const key of ['a', 'b', 'c', 'd', 'e']) await store.create(key, bytes(key));
      const found: string[] = [];
      for await (const { key } of store.list('')) {
        found.push(key);
        if (key === 'b') for (const gone of ['b', 'c']) s3.model.hide(gone);
      }
      expect(found).toEqual(['a', 'b', 'd', 'e']);
    });
  });
  test('tells keys that no key of ours could be, so that an auditor sees them', async () => {
    const strange = ['a b', 'a+b', 'a%20b', 'a&<b>', 'a\u0001b', 'ä', '😀'];
    await withS3({ pageSize: 2 }, async (s3) => {
      for (const key of strange) s3.model.plant(key, bytes('1'));
      expect((await keysOf(open(s3), '')).toSorted()).toEqual(strange.toSorted());
    });
  });
});

describe('the line at the end of an object that changes', () => {
  test('has one length, and is taken away even from content that ends in one', () => {
    const inner = withTrailer(bytes('x'), { epoch: 3, nonce: 'a'.repeat(32) });
    const outer = withTrailer(inner, { epoch: 999_999_999_999, nonce: '0123456789abcdef'.repeat(2) });
    expect(outer.length).toBe(1 + 2 * trailerBytes);
    expect(takeApart(outer)).toEqual({
      content: inner,
      trailer: { epoch: 999_999_999_999, nonce: '0123456789abcdef'.repeat(2) },
    });
  });
  test.each(['', 'x', 'longer than a trailer '.repeat(5), '\n~lockkeeper write 1 2\n'])(
    'is not seen in %j',
    (content) => {
      expect(takeApart(bytes(content))).toEqual({ content: bytes(content), trailer: noTrailer });
    },
  );
  test('counts the writes of a life; an object of another tool is read as it is and can be replaced', async () => {
    await withS3({}, async (s3) => {
      s3.model.plant('theirs', bytes('plain'));
      const store = open(s3);
      const found = await held(store, 'theirs');
      expect(text(found.bytes)).toBe('plain');
      const versions = [found.version];
      for (const content of ['1', '1', '2'])
        versions.push(done(await store.replace('theirs', bytes(content), versions.at(-1) ?? '')));
      expect(versions.map((version) => version.split('-')[0])).toEqual(['0', '1', '2', '3']);
      expect(text(s3.model.current('theirs')?.bytes)).toMatch(/^2\n~lockkeeper write 000000000003 [0-9a-f]{32}\n$/);
    });
  });
});

test('one answered request a write, none before the first use', async () => {
  await withS3({}, async (s3) => {
    const store = open(s3);
    const first = done(await store.create('k', bytes('1')));
    const second = done(await store.replace('k', bytes('2'), first));
    await store.delete('k', second);
    expect(s3.asked).toEqual({ GetObject: 0, PutObject: 2, DeleteObject: 1, ListObjectsV2: 0, ListObjectVersions: 0 });
  });
});

test('nobody who only creates may delete, and nobody may erase a version', () => {
  const { log, state } = permissions;
  expect([...log.objects, ...log.bucket].filter((action) => action.includes('Delete'))).toEqual([]);
  expect(state.objects).not.toContain('s3:DeleteObjectVersion');
});
