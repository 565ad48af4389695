import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { checkpointKey } from '../../shared/audit/layout.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import { memoryObjects, type MemoryBucket } from '../../shared/objects/memory.ts';
import { testWorld } from '../world.ts';
import { grow, place, runOn, stored, type LogPlace } from './place.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-anchor-'));
});
afterEach(() => rm(directory, { recursive: true }));

const files = (name: string) => fileSystemObjects({ directory: join(directory, name), world: testWorld() });
const away = (store: ObjectStore): ObjectStore => ({
  ...store,
  create: async () => await Promise.reject(new LockkeeperError('unreachable', 'no route')),
});

/** A place whose checkpoints go to these stores, named a, b, … */
function anchored(
  stores: readonly ObjectStore[],
  at: LogPlace = place(),
): LogPlace & { readonly anchors: NonNullable<LogPlace['anchors']> } {
  return { ...at, anchors: stores.map((store, ordinal) => ({ name: String.fromCodePoint(97 + ordinal), store })) };
}

describe.each<[string, (name: string) => ObjectStore]>([
  ['memory', () => memoryObjects()],
  ['files', files],
])('anchors in %s', (_, store) => {
  test('get each checkpoint, byte for byte, and nothing else', async () => {
    const [one, two] = [store('one'), store('two')];
    const at = anchored([one, two]);
    for (const count of [1, 3]) expect((await grow(at, count)).problems).toEqual([]);
    for (const copy of [one, two]) {
      const keys: string[] = [];
      for await (const { key } of copy.list('')) keys.push(key);
      expect(keys).toEqual([checkpointKey(2), checkpointKey(6)]);
      expect((await copy.get(checkpointKey(6)))?.bytes).toEqual(stored(at.bucket, checkpointKey(6)));
    }
    expect(await verifyLog(at)).toMatchObject({ ok: true });
  });
  test('that are away are a problem and no error; the newest checkpoint comes later, also where nothing new was recorded', async () => {
    const [one, two] = [store('one'), store('two')];
    const at = place();
    expect(await grow(anchored([away(one), two], at))).toMatchObject({
      size: 2,
      problems: [expect.stringMatching(/^anchor a did not take the checkpoint of 2 entries: no route/)],
    });
    expect(await two.get(checkpointKey(2))).toBeDefined();
    expect(await grow(anchored([away(one), two], at))).toMatchObject({ size: 4, problems: [expect.anything()] });
    expect((await runOn(anchored([one, two], at), 'x').seal()).problems).toEqual([]);
    expect(await one.get(checkpointKey(4))).toBeDefined();
    expect(await verifyLog(anchored([one, two], at))).toMatchObject({ ok: true, findings: [] });
  });
  test('with another tree of this size stop the sealing with a conflict, and verify names it', async () => {
    const one = store('one');
    await grow(anchored([one]));
    const other = anchored([one]);
    await expect(grow(other, 1)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('the log was forked: anchor a has another tree of 2 entries'),
      hint: expect.any(String),
    });
    expect((await verifyLog(other)).findings).toEqual([
      { key: checkpointKey(2), kind: 'forked', what: 'signs another tree than the one that anchor a has' },
    ]);
  });
  test('show that the log was cut off, where both of its stores were set back', async () => {
    const one = store('one');
    const at = anchored([one]);
    await grow(at);
    const [log, state] = [new Map(at.bucket.objects), new Map(at.heads.objects)];
    await grow(at);
    const set = (bucket: MemoryBucket, to: typeof log) => {
      bucket.objects.clear();
      for (const [key, object] of to) bucket.objects.set(key, object);
    };
    set(at.bucket, log);
    set(at.heads, state);
    expect(await verifyLog({ log: at.log, state: at.state })).toMatchObject({ ok: true, size: 2 });
    expect((await verifyLog(at)).findings).toEqual([
      { key: checkpointKey(4), kind: 'cut-off', what: 'is missing: anchor a has it' },
    ]);
  });
});

test('an anchor with something else under the name of a checkpoint is a problem, and verify names it', async () => {
  const one = files('one');
  const at = anchored([one]);
  await one.create(checkpointKey(2), Buffer.from('my holiday'));
  expect(await grow(at)).toMatchObject({
    size: 2,
    problems: [expect.stringContaining('anchor a has something else where the checkpoint of 2 entries belongs')],
  });
  expect((await verifyLog(at)).findings).toMatchObject([{ key: `anchor a: ${checkpointKey(2)}`, kind: 'changed' }]);
});

test('an anchor that lost older checkpoints is no finding; one in which a byte was changed is', async () => {
  const at = anchored([files('one')]);
  for (const count of [1, 1, 1]) await grow(at, count);
  const folder = join(directory, 'one', 'cp');
  await rm(join(folder, checkpointKey(2).slice('cp/'.length)));
  expect(await verifyLog(at)).toMatchObject({ ok: true, findings: [] });
  const path = join(folder, checkpointKey(4).slice('cp/'.length));
  expect(await readdir(folder)).toHaveLength(2);
  await writeFile(path, (await readFile(path)).with(30, 0x41));
  expect((await verifyLog(at)).findings).toMatchObject([{ key: `anchor a: ${checkpointKey(4)}`, kind: 'changed' }]);
});

test('a checkpoint in the middle that only an anchor still has is missing', async () => {
  const at = anchored([memoryObjects()]);
  for (const count of [1, 1]) await grow(at, count);
  at.bucket.objects.delete(checkpointKey(2));
  expect((await verifyLog(at)).findings).toEqual(
    expect.arrayContaining([{ key: checkpointKey(2), kind: 'missing', what: 'is missing: anchor a has it' }]),
  );
});

test('a defect of a store is not told as an anchor that is away', async () => {
  const broken: ObjectStore = {
    ...memoryObjects(),
    create: async () => await Promise.reject(new TypeError('undefined is not a function')),
  };
  await expect(grow(anchored([broken]))).rejects.toThrow('undefined is not a function');
});
