import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { partialPrefix, sequencedKey } from '../../shared/audit/layout.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { day, hour } from '../../shared/base/time.ts';
import { testWorld } from '../world.ts';
import { Interruption } from './interleaved.ts';
import { allEntries, event, filled, runOn, type LogPlace } from './place.ts';

/** Those of the acknowledged entries that have no place, and what verify finds. */
async function wrong(at: LogPlace, acknowledged: readonly string[]): Promise<readonly string[]> {
  const { findings, waiting } = await verifyLog(at);
  const placed = new Set((await allEntries(at)).filter(({ index }) => index !== undefined).map(({ hash }) => hash));
  return [
    ...acknowledged.filter((hash) => !placed.has(hash)),
    ...findings.map(({ key, what }) => `${key} ${what}`),
    ...(waiting.batches > 0 ? [`${waiting.batches} batches wait`] : []),
  ];
}

test.each([2, 3, 10])(
  'one host whose clock is %i days ahead seals: the runs that are under way elsewhere lose nothing, ended or killed',
  async (ahead) => {
    const at = await filled(2);
    const future = testWorld(undefined, 'future');
    future.pass(ahead * day);
    const [ended, killed] = [runOn(at, 'ended', at.world), runOn(at, 'killed', at.world)];
    const acknowledged: string[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      for (const log of [ended, killed, runOn(at, 'ahead', future)])
        acknowledged.push((await log.record(event(turn))).hash);
      await runOn(at, 'ahead', future).seal();
      for (const log of [ended, killed]) acknowledged.push((await log.record(event(turn))).hash);
      at.world.pass(hour);
      future.pass(hour);
      expect((await ended.unsigned()).entries).toBeGreaterThan(1);
    }
    await ended.end();
    expect(await wrong(at, acknowledged)).toEqual([]);
  },
);

/**
 * A laptop sends an entry, sleeps until everybody is done with its day, and then cannot reach the state store for a
 * while.
 */
async function sleepsInTheMiddle(how: 'answered' | 'lost') {
  const at = await filled(2);
  let isAway = false;
  const interruption = new Interruption(
    (call) => call.startsWith('create inbox/'),
    async () => {
      at.world.pass(4 * day);
      await runOn(at, 'sealer', at.world).seal();
      isAway = true;
    },
  );
  const away = async () => await Promise.reject(new LockkeeperError('unreachable', 'no network yet'));
  const slow = interruption.wrap(at.log);
  const create: typeof slow.create = async (key, bytes) => {
    const answer = await slow.create(key, bytes);
    return how === 'lost' && isAway
      ? await Promise.reject(new LockkeeperError('uncertain', 'the answer was lost'))
      : answer;
  };
  const state: typeof at.state = {
    ...at.state,
    get: async (key) => (isAway && key === sequencedKey ? await away() : await at.state.get(key)),
  };
  const log = runOn({ ...at, log: { ...slow, create }, state }, 'laptop', at.world);
  await expect(log.record(event(1))).rejects.toMatchObject({ code: how === 'lost' ? 'uncertain' : 'unreachable' });
  isAway = false;
  return { at, log };
}

test.each([3, 400])(
  'a host whose clock is %i days behind loses nothing where others seal, killed or ended',
  async (behind) => {
    const at = await filled(2);
    const past = testWorld(undefined, 'past');
    past.pass(-behind * day);
    const [ended, killed] = [runOn(at, 'ended', past), runOn(at, 'killed', past)];
    const acknowledged: string[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      for (const log of [ended, killed]) acknowledged.push((await log.record(event(turn))).hash);
      await runOn(at, 'right', at.world).seal();
      expect(await wrong(at, acknowledged)).toEqual([]);
      if (turn === 1) await ended.end();
    }
  },
);

test('a tile that the state store lost is put there again by the next sealing, also where nothing new was recorded', async () => {
  const at = await filled(300);
  for (const key of [...at.heads.objects.keys()].filter((name) => name.startsWith(partialPrefix))) {
    at.heads.objects.delete(key);
    expect((await verifyLog(at)).findings).toMatchObject([{ key, kind: 'missing' }]);
    await runOn(at, 'last', at.world).seal();
    expect(await wrong(at, [])).toEqual([]);
  }
});

test.each(['answered', 'lost'] as const)(
  'what reached the store days after it was sent has its place too where its host was cut off right then (%s)',
  async (how) => {
    const { at, log } = await sleepsInTheMiddle(how);
    const { hash } = await log.record(event(2));
    await log.end();
    expect(await wrong(at, [hash])).toEqual([]);
  },
);
test('what reached the store days after it was sent has its place too where its host only ends after that', async () => {
  const { at, log } = await sleepsInTheMiddle('answered');
  await log.end();
  expect(await wrong(at, [])).toEqual([]);
});

/** A run of which an entry reaches the store four days after it was sent, when everybody is done with its day. */
async function comesLate(
  at: LogPlace,
  name: string,
  meanwhile: () => Promise<unknown> = async () => undefined,
): Promise<void> {
  const interruption = new Interruption(
    (call) => call.startsWith('create inbox/'),
    async () => {
      at.world.pass(4 * day);
      await runOn(at, 'sealer', at.world).seal();
      await meanwhile();
    },
  );
  await expect(runOn({ ...at, log: interruption.wrap(at.log) }, name, at.world).record(event(1))).rejects.toMatchObject(
    { code: 'uncertain' },
  );
}

test('what comes too late while somebody seals who lists the whole inbox already has its place too', async () => {
  const at = await filled(2);
  let goOn = () => {};
  let slow: Promise<unknown> | undefined;
  await comesLate(at, 'one', async () => {
    await comesLate(at, 'two');
    const interruption = new Interruption(
      (call) => /(create|replace) audit\/sequenced/.test(call),
      async () => await new Promise<void>((resolve) => (goOn = resolve)),
    );
    slow = runOn({ ...at, state: interruption.wrap(at.state) }, 'slow', at.world).seal();
    while (interruption.call === undefined) await nextTurn();
  });
  goOn();
  await slow;
  await runOn(at, 'last', at.world).seal();
  expect(await wrong(at, [])).toEqual([]);
});

test('a host whose clock is days behind loses nothing, killed or not, where something came too late before it began', async () => {
  const at = await filled(2);
  await comesLate(at, 'late');
  const past = testWorld();
  const log = runOn(at, 'past', past);
  const acknowledged = [(await log.record(event(1))).hash];
  await runOn(at, 'sealer', at.world).seal();
  acknowledged.push((await log.record(event(2))).hash);
  await runOn(at, 'sealer', at.world).seal();
  expect(await wrong(at, acknowledged)).toEqual([]);
});
