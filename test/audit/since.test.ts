import { expect, test } from '@jest/globals';
import { checkpointKey } from '../../shared/audit/layout.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import { event, place, runOn, stored, tamper } from './place.ts';

/** A log of so many events and a start, sealed every few, then two more; with the checkpoint before those. */
async function grown(count: number, perSeal: number) {
  const at = place();
  const log = runOn(at, 'run');
  for (let number = 0; number < count; number += 1) {
    await log.record(event(number));
    if ((number + 1) % perSeal === 0) await log.seal();
  }
  const { size } = await log.seal();
  await log.record(event(1));
  await log.record(event(2));
  await log.seal();
  return { at, size, since: Buffer.from(stored(at.bucket, checkpointKey(size))).toString() };
}

test.each([
  [10, 7],
  [254, 7],
  [255, 7],
  [255, 255],
  [256, 7],
  [300, 7],
  [300, 300],
  [380, 50],
  [520, 7],
])(
  'a log of %d events, sealed every %d, is verified from a checkpoint in the middle of a bundle and of a record',
  async (count, perSeal) => {
    const { at, since, size } = await grown(count, perSeal);
    expect(await verifyLog({ log: at.log, state: at.state, since })).toMatchObject({ findings: [], size: size + 2 });
  },
);

test('what comes after the checkpoint is read, and a change in it is found', async () => {
  const { at, since } = await grown(300, 50);
  const newest = [...at.bucket.objects.keys()].findLast((key) => key.startsWith('inbox/')) ?? '';
  tamper(at.bucket, newest, stored(at.bucket, newest).with(100, 0));
  expect((await verifyLog({ log: at.log, state: at.state, since })).findings).toMatchObject([
    { key: newest, kind: 'changed' },
  ]);
});

test('a record that gives places a second time is found, also from a checkpoint on', async () => {
  const { at, since } = await grown(300, 50);
  const keys = [...at.bucket.objects.keys()].filter((key) => key.startsWith('seq/')).toSorted();
  const last = keys.at(-1) ?? '';
  const strange = last.replace(/(\d)$/, (digit) => String((Number(digit) + 1) % 10));
  tamper(at.bucket, strange, stored(at.bucket, last));
  expect((await verifyLog({ log: at.log, state: at.state, since })).findings).toEqual(
    expect.arrayContaining([expect.objectContaining({ key: strange })]),
  );
});
