import { afterEach, expect, test } from '@jest/globals';
import type { Notice } from '../../shared/approvals/contract.ts';
import { batchKey, sequencedKey, sequenceKey } from '../../shared/audit/layout.ts';
import type { RunLog } from '../../shared/audit/log.ts';
import { verifierKey } from '../../shared/audit/tlog/note.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { minute } from '../../shared/base/time.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { SealJob } from '../../functions/local/seal-job.ts';
import { serveLog } from '../../functions/local/serve-log.ts';
import { event, identity, place, runOn, stored, tamper, type LogPlace } from '../audit/place.ts';
import { startWitnessServer, type WitnessServer } from '../audit/witness-server.ts';

const running: WitnessServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

async function witness(): Promise<WitnessServer> {
  const server = await startWitnessServer({ logs: [verifierKey(identity.origin, await identity.signer.publicKey())] });
  running.push(server);
  return server;
}

/** What a serving process has; `said` is taken out of what it wrote, `told` out of what people got. */
function serving(at: LogPlace, isDeaf: () => boolean = () => false) {
  const [lines, notices]: [string[], Notice[]] = [[], []];
  let log: RunLog = runOn(at, 'serve', at.world);
  const notify = async (notice: Notice) =>
    isDeaf()
      ? await Promise.reject(new LockkeeperError('unreachable', 'the channel is away'))
      : void notices.push(notice);
  const job = new SealJob({
    audit: async () => log,
    world: at.world,
    log: serveLog(at.world, (line) => lines.push(line)),
    notify,
  });
  return {
    run: () => job.run(),
    record: () => log.record(event(1)),
    /** The same process with other deps. */
    with: (deps: LogPlace) => void (log = runOn(deps, 'serve', deps.world)),
    said: () => lines.splice(0).map((line): unknown => JSON.parse(line)),
    told: () => notices.splice(0).map(({ level, text }) => [level, text]),
  };
}

const unreachable = async () =>
  await Promise.reject(new LockkeeperError('unreachable', 'no route to the store', { hint: 'Mount it.' }));

test('a log in order is sealed, and nothing is said', async () => {
  const at = place();
  const serve = serving(at);
  await serve.run();
  await serve.record();
  await serve.run();
  expect([serve.said(), serve.told()]).toEqual([[], []]);
  expect(await runOn(at, 'x').unsigned()).toEqual({ entries: 0, since: undefined });
});

test('a witness that is away is told once, however often it is missed, and once when it is back', async () => {
  const one = await witness();
  const at = place();
  const deps = { ...at, witnesses: [{ key: one.key, url: one.url }] };
  const serve = serving(deps);
  await serve.record();
  await serve.run();
  expect(serve.said()).toEqual([]);
  await one.stop();
  for (let sealings = 0; sealings < 3; sealings += 1) {
    await serve.record();
    await serve.run();
  }
  expect(serve.said()).toMatchObject([
    {
      level: 'warning',
      job: 'seal',
      text: `witness witness.test/one did not cosign: ${one.url}add-checkpoint did not answer`,
    },
    { level: 'warning', job: 'seal', text: 'too few witnesses cosign the audit log: 0 by now; it goes on recording' },
  ]);
  expect(serve.told()).toEqual([
    ['warning', 'Audit log: too few witnesses cosign the audit log: 0 by now; it goes on recording.'],
  ]);
  const back = await witness();
  serve.with({ ...at, witnesses: [{ key: back.key, url: back.url }] });
  await serve.run();
  expect(serve.said()).toMatchObject([
    { level: 'info' },
    { level: 'info', text: expect.stringContaining('over: too few') },
  ]);
  expect(serve.told()).toEqual([
    ['info', 'Audit log, over: too few witnesses cosign the audit log: 0 by now; it goes on recording.'],
  ]);
});

test('with as many witnesses as must, people are not troubled', async () => {
  const [one, at] = [await witness(), place()];
  await one.stop();
  const serve = serving({ ...at, witnesses: [{ key: one.key, url: one.url }], needed: 0 });
  await serve.record();
  await serve.run();
  expect(serve.said()).toHaveLength(1);
  expect(serve.told()).toEqual([]);
});

test('a witness that has seen another log is an alarm, which nothing that comes later calls over', async () => {
  const one = await witness();
  const witnesses = [{ key: one.key, url: one.url }];
  const first = serving({ ...place(), witnesses });
  await first.record();
  await first.run();
  const other = place();
  other.world.pass(minute);
  const forked = serving({ ...other, witnesses });
  await forked.record();
  await forked.run();
  expect(forked.told()).toEqual([
    [
      'alarm',
      expect.stringContaining('witness.test/one has seen another log than this: its tree of 2 entries is another one'),
    ],
    ['warning', expect.stringContaining('too few witnesses')],
  ]);
  forked.with(other);
  await forked.run();
  expect(forked.told()).toEqual([['info', expect.stringContaining('too few witnesses')]]);
});

test('a store that is away is said once; people are told after a quarter of an hour, and when it is over', async () => {
  const at = place();
  const serve = serving(at);
  await serve.record();
  await serve.run();
  await serve.record();
  const away: ObjectStore = { ...at.log, get: unreachable, create: unreachable };
  serve.with({ ...at, log: away });
  for (let sealings = 0; sealings < 16; sealings += 1) {
    await serve.run();
    at.world.pass(minute);
  }
  expect(serve.said()).toMatchObject([
    { level: 'warning', text: 'the audit log could not be sealed: no route to the store. Mount it.' },
  ]);
  expect(serve.told()).toEqual([]);
  await serve.run();
  expect(serve.told()).toEqual([
    ['warning', 'Audit log: what was recorded since 2026-10-01T00:00:00Z is not in the signed audit log yet.'],
  ]);
  serve.with(at);
  await serve.run();
  expect(serve.told()).toEqual([['info', expect.stringContaining('over: what was recorded since')]]);
  expect(serve.said().at(-1)).toMatchObject({ level: 'info' });
});

test('an entry that has its place and stays unsigned is told by the time it was recorded', async () => {
  const at = place();
  const serve = serving({ ...at, signer: { ...at.signer, sign: unreachable } });
  await serve.record();
  at.world.pass(16 * minute);
  await serve.run();
  expect(serve.said()).toMatchObject([
    { text: expect.stringContaining('could not be sealed') },
    { text: 'what was recorded since 2026-10-01T00:00:00Z is not in the signed audit log yet' },
  ]);
  expect(await runOn(at, 'x').unsigned()).toMatchObject({ entries: 2 });
});

test('an object that no run can have written is an alarm, once', async () => {
  const at = place();
  const serve = serving(at);
  const strange = batchKey({ day: '2026-10-01', run: 'aaa', batch: 0 });
  tamper(at.bucket, strange, Buffer.from('not a bundle'));
  await serve.record();
  for (let sealings = 0; sealings < 2; sealings += 1) await serve.run();
  expect(serve.told()).toEqual([['alarm', expect.stringContaining(`${strange} in the log store holds no entries`)]]);
});

test('a log that was changed is an alarm with what to do', async () => {
  const at = place();
  const serve = serving(at);
  await serve.record();
  await serve.run();
  at.bucket.objects.clear();
  for (let sealings = 0; sealings < 2; sealings += 1) await serve.run();
  expect(serve.told()).toEqual([['alarm', expect.stringMatching(/could not be sealed: .*audit verify/)]]);
});

test('a sequence record that was changed is an alarm', async () => {
  const at = place();
  const serve = serving(at);
  await serve.record();
  await serve.run();
  tamper(at.bucket, sequenceKey(0), stored(at.bucket, sequenceKey(0)).with(9, 0));
  for (let sealings = 0; sealings < 2; sealings += 1) await serve.run();
  expect(serve.told()).toEqual([
    ['alarm', expect.stringMatching(/could not be sealed: .*seq\/0+ was changed.*audit verify/)],
  ]);
});

test('what is wrong is not said to be over, and not told again, because a sealing in between failed', async () => {
  const [one, at] = [await witness(), place()];
  await one.stop();
  const deps = { ...at, witnesses: [{ key: one.key, url: one.url }] };
  const serve = serving(deps);
  const strange = batchKey({ day: '2026-10-01', run: 'aaa', batch: 0 });
  tamper(at.bucket, strange, Buffer.from('not a bundle'));
  await serve.record();
  await serve.run();
  expect(serve.told()).toHaveLength(2);
  serve.with({ ...deps, log: { ...at.log, get: unreachable, create: unreachable } });
  await serve.run();
  serve.with(deps);
  await serve.run();
  expect(serve.told()).toEqual([]);
});

test('a log that was sealed is not said to be unsealed, where only what waits could not be counted', async () => {
  const at = place();
  const serve = serving(at);
  await serve.record();
  let sealed = false;
  const replace: ObjectStore['create'] = async (...args) =>
    await at.state.create(...args).finally(() => (sealed ||= args[0] === sequencedKey));
  serve.with({
    ...at,
    state: {
      ...at.state,
      create: replace,
      get: async (key) => (sealed ? await unreachable() : await at.state.get(key)),
    },
  });
  await serve.run();
  expect(sealed).toBe(true);
  expect(serve.said()).toEqual([]);
});

test('a notice that did not reach people comes with a later sealing', async () => {
  let isDeaf = true;
  const [one, at] = [await witness(), place()];
  await one.stop();
  const serve = serving({ ...at, witnesses: [{ key: one.key, url: one.url }] }, () => isDeaf);
  await serve.record();
  await serve.run();
  expect(serve.said()).toEqual(
    expect.arrayContaining([expect.objectContaining({ level: 'error', text: 'the channel is away' })]),
  );
  isDeaf = false;
  for (let sealings = 0; sealings < 2; sealings += 1) await serve.run();
  expect(serve.told()).toEqual([['warning', expect.stringContaining('too few witnesses')]]);
});
