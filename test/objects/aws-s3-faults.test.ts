import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { awsS3Objects, type AwsS3Options } from '../../shared/objects/aws-s3.ts';
import { takeApart } from '../../shared/objects/aws-s3-trailer.ts';
import type { ObjectHistory, ObjectStore } from '../../shared/objects/contract.ts';
import { s3Refusals, startS3, type S3Fault, type S3StandIn } from '../clouds/aws-s3.ts';
import { bytes, done, held, text } from '../conformance/object-store-harness.ts';
import { PlantedSecret } from '../planted-secret.ts';
import { testWorld } from '../world.ts';

let s3: S3StandIn;
let store: ObjectStore & ObjectHistory;
let other: ObjectStore & ObjectHistory;

const open = (options: Partial<AwsS3Options> = {}) =>
  awsS3Objects({ ...s3.place, contents: 'changing', world: testWorld(), pauseMs: 4, ...options });
const contentOf = (key: string) => {
  const there = s3.model.current(key);
  return there && text(takeApart(there.bytes).content);
};
const repeated = (fault: S3Fault) => Array.from({ length: 8 }, () => fault);

beforeEach(async () => {
  s3 = await startS3();
  store = open();
  other = open({ world: testWorld(undefined, 'other') });
});
afterEach(() => s3.close());

describe('a lost answer', () => {
  test.each<S3Fault>(['lost-before', 'lost-after', 'internal-after'])(
    'of a create (%s) is found out: done, written once',
    async (fault) => {
      s3.fail('PutObject', fault);
      const version = done(await store.create('k', bytes('mine')));
      expect((await held(other, 'k')).version).toBe(version);
      expect(s3.model.all('')[0]?.versions).toHaveLength(1);
    },
  );
  test.each<S3Fault>(['lost-before', 'lost-after', 'internal-after'])(
    'of a replace (%s) is found out: done, written once',
    async (fault) => {
      const first = done(await store.create('k', bytes('1')));
      s3.fail('PutObject', fault);
      const second = done(await store.replace('k', bytes('2'), first));
      expect(await held(other, 'k')).toEqual({ bytes: bytes('2'), version: second });
      expect(s3.model.all('')[0]?.versions).toHaveLength(2);
    },
  );
  test('of a write that a time limit ended is found out too', async () => {
    const first = done(await store.create('k', bytes('1')));
    s3.fail('PutObject', 'mute');
    expect(await open({ answerMs: 300 }).replace('k', bytes('2'), first)).toMatchObject({ outcome: 'done' });
    expect(contentOf('k')).toBe('2');
  });
  test('of a create whose object was deleted before the second try makes another version, not the same again', async () => {
    s3.fail('PutObject', 'lost-after');
    const creating = open({ pauseMs: 100 }).create('k', bytes('1'));
    while (!s3.model.current('k')) await new Promise((resolve) => setTimeout(resolve, 1));
    const { version } = await held(other, 'k');
    expect(await other.delete('k', version)).toEqual({ outcome: 'done' });
    expect(done(await creating)).not.toBe(version);
    expect(await other.replace('k', bytes('2'), version)).toEqual({ outcome: 'stale' });
  });
  test('of a replace that another one overtook is uncertain, never stale', async () => {
    const first = done(await store.create('k', bytes('1')));
    s3.fail('PutObject', 'lost-after');
    const replacing = open({ pauseMs: 100 }).replace('k', bytes('2'), first);
    // In the pause between the lost answer and the second try.
    while (s3.asked.PutObject < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    s3.model.plant('k', bytes('theirs'));
    await expect(replacing).rejects.toMatchObject({ code: 'uncertain', hint: expect.stringContaining('read') });
  });
  test('of a create that met other bytes is uncertain where objects change, exists where they do not', async () => {
    s3.model.plant('k', bytes('theirs'));
    s3.fail('PutObject', 'lost-before');
    await expect(store.create('k', bytes('mine'))).rejects.toMatchObject({ code: 'uncertain' });
    s3.fail('PutObject', 'lost-before');
    expect(await open({ contents: 'create-only' }).create('k', bytes('mine'))).toEqual({ outcome: 'exists' });
  });
  test.each<S3Fault>(['lost-before', 'lost-after', 'internal-after'])(
    'of a delete (%s) is uncertain at once',
    async (fault) => {
      const first = done(await store.create('k', bytes('1')));
      s3.fail('DeleteObject', fault);
      await expect(store.delete('k', first)).rejects.toMatchObject({ code: 'uncertain' });
      expect(s3.asked.DeleteObject).toBe(1);
    },
  );
  test('of a create that was refused, and finds nothing there any more, is no reason to say exists', async () => {
    const { version } = await held(other, await other.create('k', bytes('mine')).then(() => 'k'));
    s3.fail('GetObject', { slowMs: 100, slow: 'before' });
    const creating = store.create('k', bytes('mine'));
    while (s3.asked.GetObject < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(await other.delete('k', version)).toEqual({ outcome: 'done' });
    expect(done(await creating)).not.toBe(version);
  });
  test('that breaks off in the middle of a refusal is asked for again: nobody can tell which 404 it was', async () => {
    s3.fail('GetObject', 'cut');
    expect(await store.get('k')).toBeUndefined();
    const first = done(await store.create('k', bytes('1')));
    s3.model.hide('k');
    s3.fail('PutObject', 'cut');
    await expect(store.replace('k', bytes('2'), first)).rejects.toMatchObject({ code: 'uncertain' });
  });
  test('every time: uncertain, whatever the last answer was', async () => {
    s3.fail('PutObject', ...repeated('lost-before'));
    await expect(store.create('a', bytes('1'))).rejects.toMatchObject({ code: 'uncertain' });
    await s3.close();
    s3 = await startS3();
    s3.fail('PutObject', 'lost-after', ...repeated(s3Refusals.slowDown));
    await expect(open().create('b', bytes('1'))).rejects.toMatchObject({ code: 'uncertain' });
  });
  test('and an answer that cannot be read back is uncertain', async () => {
    const first = done(await store.create('k', bytes('1')));
    s3.fail('PutObject', 'lost-after');
    s3.fail('GetObject', s3Refusals.denied);
    await expect(store.replace('k', bytes('2'), first)).rejects.toMatchObject({ code: 'uncertain' });
  });
  test.each<[string, S3Fault]>([
    ['no answer', 'lost-before'],
    ['half a body', 'cut'],
    ['a wrong bit', 'flipped'],
    ['HTTP 500', s3Refusals.internal],
  ])('of a read (%s) is asked for again, and is unreachable in the end', async (_, fault) => {
    await store.create('k', bytes('whole'));
    s3.fail('GetObject', fault);
    expect(text((await held(store, 'k')).bytes)).toBe('whole');
    s3.fail('GetObject', ...repeated(fault));
    await expect(store.get('k')).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('"try again"', () => {
  test.each([
    ['409 ConditionalRequestConflict', s3Refusals.conflict],
    ['503 SlowDown', s3Refusals.slowDown],
    ['429', s3Refusals.tooMany],
  ])('%s is tried again, and is throttled in the end, never exists or stale', async (_, refusal) => {
    s3.fail('PutObject', refusal, refusal);
    const first = done(await store.create('k', bytes('1')));
    s3.fail('PutObject', refusal);
    const second = done(await store.replace('k', bytes('2'), first));
    s3.fail('DeleteObject', refusal);
    expect(await store.delete('k', second)).toEqual({ outcome: 'done' });
    s3.fail('PutObject', ...repeated(refusal));
    await expect(store.create('k', bytes('3'))).rejects.toMatchObject({ code: 'throttled' });
    expect(contentOf('k')).toBeUndefined();
    expect(s3.asked.PutObject).toBe(3 + 2 + 5);
  });
  test('waits as long as it is asked to', async () => {
    s3.fail('GetObject', s3Refusals.tooMany);
    const began = performance.now();
    await store.get('k');
    expect(performance.now() - began).toBeGreaterThan(195);
  });
  test('ends with the run: no waiting past its deadline', async () => {
    const world = testWorld();
    world.setDeadline(world.now());
    s3.fail('GetObject', s3Refusals.slowDown);
    await expect(open({ world }).get('k')).rejects.toMatchObject({ code: 'throttled' });
    expect(s3.asked.GetObject).toBe(1);
  });
});

describe('a bucket that cannot be used', () => {
  test('that nobody made is not-found with what to do, never an absent object', async () => {
    const nowhere = open({ bucket: 'nobody-made-this' });
    const missing = {
      code: 'not-found',
      message: expect.stringContaining('nobody-made-this'),
      hint: expect.stringContaining('region'),
    };
    await expect(nowhere.get('k')).rejects.toMatchObject(missing);
    await expect(nowhere.create('k', bytes('1'))).rejects.toMatchObject(missing);
    await expect(nowhere.replace('k', bytes('1'), '1-abc')).rejects.toMatchObject(missing);
    await expect(nowhere.delete('k', '1-abc')).rejects.toMatchObject(missing);
    await expect(nowhere.list('')[Symbol.asyncIterator]().next()).rejects.toMatchObject(missing);
    await expect(nowhere.altered('')[Symbol.asyncIterator]().next()).rejects.toMatchObject(missing);
  });
  test('that we may not use is denied, and says which permission to grant', async () => {
    s3.fail('GetObject', s3Refusals.denied);
    await expect(store.get('k')).rejects.toMatchObject({
      code: 'denied',
      hint: expect.stringContaining('s3:GetObject'),
    });
    s3.fail('PutObject', s3Refusals.denied);
    await expect(store.create('k', bytes('1'))).rejects.toMatchObject({
      code: 'denied',
      hint: expect.stringContaining('s3:PutObject'),
    });
    s3.fail('DeleteObject', s3Refusals.denied);
    await expect(store.delete('k', '1-abc')).rejects.toMatchObject({
      code: 'denied',
      hint: expect.stringContaining('s3:DeleteObject'),
    });
    s3.fail('ListObjectVersions', s3Refusals.denied);
    await expect(store.altered('')[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      hint: expect.stringContaining('s3:ListBucketVersions'),
    });
    expect(s3.asked).toMatchObject({ GetObject: 1, PutObject: 1, DeleteObject: 1 });
  });
  test('that no server answers for is unreachable, also for writes: nothing was sent', async () => {
    const closed = await listening();
    const port = portOf(closed);
    closed.close();
    const nowhere = open({ endpoint: `http://127.0.0.1:${port}` });
    await expect(nowhere.get('k')).rejects.toMatchObject({ code: 'unreachable' });
    await expect(nowhere.create('k', bytes('1'))).rejects.toMatchObject({ code: 'unreachable' });
  });
  test('whose server never answers ends after the time limit', async () => {
    const mute = await listening();
    try {
      const far = open({ endpoint: `http://127.0.0.1:${portOf(mute)}`, answerMs: 50 });
      await expect(far.delete('k', '1-abc')).rejects.toMatchObject({ code: 'uncertain' });
      await expect(far.get('k')).rejects.toMatchObject({ code: 'unreachable' });
    } finally {
      mute.close();
    }
  });
  test.each(['no-slash', '/', '../', 'a b/', `${'x'.repeat(100)}/`])('below a prefix %j is invalid', (prefix) => {
    expect(() => open({ prefix })).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});

test('no error, at any depth, tells the secret key, the session token or the content', async () => {
  const planted = new PlantedSecret();
  const content = new PlantedSecret('pl4nted-c0ntent');
  const token = new PlantedSecret('pl4nted-t0ken');
  await s3.close();
  s3 = await startS3({ secret: planted.bare(), sessionToken: token.bare() });
  const careful = open();
  await careful.create('k', bytes('1'));
  for (const fault of [...Object.values(s3Refusals), 'lost-after' as const]) {
    s3.fail('PutObject', ...repeated(fault));
    const thrown: unknown = await careful.create('l', bytes(content.bare())).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: expect.any(String) });
    for (const secret of [planted, token, content]) secret.search('the error', thrown);
    s3.heal();
  }
  for (const secret of [planted, token, content]) secret.expectNowhere();
}, 30_000);

async function listening(): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
