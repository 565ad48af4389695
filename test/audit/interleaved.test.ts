import { expect, test } from '@jest/globals';
import type { RunLog } from '../../shared/audit/log.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import { asLockkeeperError } from '../../shared/base/error.ts';
import { day, hour } from '../../shared/base/time.ts';
import { Interruption } from './interleaved.ts';
import { allEntries, event, filled, runOn, type LogPlace } from './place.ts';

/**
 * Those of the acknowledged entries that have not just one place once somebody sealed, and everything else that is
 * wrong then.
 */
async function wrong(at: LogPlace, acknowledged: readonly string[]): Promise<readonly string[]> {
  await runOn(at, 'last', at.world).seal();
  const { findings, waiting } = await verifyLog(at);
  const times = Map.groupBy(
    (await allEntries(at)).filter(({ index }) => index !== undefined),
    ({ hash }) => hash,
  );
  const lost = acknowledged.filter((hash) => times.get(hash)?.length !== 1);
  return [
    ...lost,
    ...findings.map(({ key, what }) => `${key} ${what}`),
    ...(waiting.batches > 0 ? [`${waiting.batches} batches wait`] : []),
  ];
}

/** Somebody does one thing, and before the call of this ordinal another host records so many events and seals. */
async function overtaken(doIt: (log: RunLog) => Promise<unknown>, ordinal: number, others: number) {
  const at = await filled(3);
  const acknowledged: string[] = [(await runOn(at, 'before', at.world).record(event(0))).hash];
  const interruption = new Interruption(
    (_, now) => now === ordinal,
    async () => {
      const other = runOn(at, 'other', at.world);
      const all = await Promise.all(Array.from({ length: others }, (__, number) => other.record(event(number))));
      acknowledged.push(...all.map(({ hash }) => hash));
      await other.seal();
    },
  );
  const errors: string[] = [];
  try {
    await doIt(runOn({ ...at, log: interruption.wrap(at.log), state: interruption.wrap(at.state) }, 'slow', at.world));
  } catch (thrown) {
    errors.push(`before ${interruption.call}: ${asLockkeeperError(thrown).message}`);
  }
  return { isOver: interruption.call === undefined, problems: [...errors, ...(await wrong(at, acknowledged))] };
}

test.each<[string, number, (log: RunLog) => Promise<unknown>]>([
  ['seals', 1, (log) => log.seal()],
  ['seals', 300, (log) => log.seal()],
  ['records and ends', 1, async (log) => await log.record(event(7)).then(() => log.end())],
  ['reads the head', 300, (log) => log.head()],
  ['counts what is not signed', 300, (log) => log.unsigned()],
])(
  'whoever %s meets no error where others record and seal %i events in between, at whichever call that is',
  async (_, others, doIt) => {
    // Many events take long, so they come at every third call.
    for (let [ordinal, isOver] = [0, false]; !isOver; ordinal += others > 1 ? 3 : 1) {
      const { problems, ...reached } = await overtaken(doIt, ordinal, others);
      expect(problems).toEqual([]);
      isOver = reached.isOver;
    }
  },
);

test('whoever sleeps for days in the middle of a seal is not done with the days on which others recorded meanwhile', async () => {
  for (const call of ['create seq/', 'create cp/', 'replace audit/checkpoint', 'replace audit/sequenced.json']) {
    const at = await filled(2);
    const acknowledged = [(await runOn(at, 'early', at.world).record(event(1))).hash];
    const interruption = new Interruption(
      (now) => now.startsWith(call),
      async () => {
        at.world.pass(hour);
        acknowledged.push((await runOn(at, 'other', at.world).record(event(2))).hash);
        at.world.pass(4 * day);
      },
    );
    await runOn(
      { ...at, log: interruption.wrap(at.log), state: interruption.wrap(at.state) },
      'laptop',
      at.world,
    ).seal();
    expect(interruption.call).toContain(call);
    expect(await wrong(at, acknowledged)).toEqual([]);
  }
});

test('what reaches the store days after it was sent is not acknowledged; it has its place all the same, and so has its caller’s next entry', async () => {
  const at = await filled(2);
  const interruption = new Interruption(
    (call) => call.startsWith('create inbox/'),
    async () => {
      at.world.pass(4 * day);
      await runOn(at, 'sealer', at.world).seal();
    },
  );
  const log = runOn({ ...at, log: interruption.wrap(at.log) }, 'laptop', at.world);
  await expect(log.record(event(1))).rejects.toMatchObject({ code: 'uncertain' });
  const { hash } = await log.record(event(1));
  await log.end();
  expect(await wrong(at, [hash])).toEqual([]);
});
