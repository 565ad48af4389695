import { expect, test } from '@jest/globals';
import type { AnswerDeps } from '../../functions/cli/answer.ts';
import { approveVerb } from '../../functions/cli/approve.ts';
import { denyVerb } from '../../functions/cli/deny.ts';
import type { Terminal } from '../../functions/cli/io.ts';
import { reopenVerb } from '../../functions/cli/reopen.ts';
import { closeApproved } from '../../shared/idle-ports/closing/close.ts';
import { scan } from '../../shared/idle-ports/closing/scan.ts';
import { ClosingPlace, rule } from './closing-world.ts';

interface Paper extends Terminal {
  readonly outLines: string[];
  readonly errLines: string[];
}

function paper(json = false): Paper {
  const [outLines, errLines]: [string[], string[]] = [[], []];
  return {
    json,
    signal: new AbortController().signal,
    outLines,
    errLines,
    out: (line) => void outLines.push(line),
    err: (line) => void errLines.push(line),
  };
}

async function asked(): Promise<{ place: ClosingPlace; deps: AnswerDeps; hash: string }> {
  const place = new ClosingPlace([rule('r-1')]);
  await scan(place.deps(), await place.judgement());
  return { place, deps: { closing: place.deps(), whoami: 'ann' }, hash: (await place.closure('r-1')).hash };
}

test('approve, close, reopen: by the first digits of the hash, and by the opening’s id', async () => {
  const { place, deps, hash } = await asked();
  const terminal = paper();
  expect(await approveVerb(hash.slice(0, 6), {}, deps, terminal)).toBe(0);
  expect(await approveVerb(hash, { as: 'ben' }, deps, terminal)).toBe(0);
  expect(terminal.outLines.at(-1)).toContain('2 of 2');
  await closeApproved(place.deps(), place.hooks());
  expect(place.network.rules.has('r-1')).toBe(false);
  expect(await reopenVerb('r-1', { reason: 'month end' }, deps, terminal)).toBe(0);
  expect(await reopenVerb(hash.slice(0, 8), { reason: 'again' }, deps, terminal)).toBe(0);
  expect(terminal.outLines.slice(-2)).toEqual([
    expect.stringContaining('exactly as it was'),
    expect.stringContaining('is open'),
  ]);
  expect(place.network.rules.get('r-1')).toEqual(rule('r-1'));
});

test('two names that one account gave are seen in the log to come from one account, and nothing that lockkeeper does by itself has it', async () => {
  const { place, deps, hash } = await asked();
  const atTerminal = { ...deps, closing: { ...deps.closing, account: 'mallory@laptop' } };
  for (const as of ['ann', 'ben', 'eve']) await approveVerb(hash, { as }, atTerminal, paper());
  await closeApproved(place.deps(), place.hooks());
  await expect(reopenVerb('r-1', { as: 'eve', reason: 'mine' }, atTerminal, paper())).rejects.toMatchObject({
    code: 'denied',
  });
  await reopenVerb('r-1', { as: 'ann', reason: 'needed' }, atTerminal, paper());
  const said = (action: string) =>
    place.entries
      .filter((one) => one.action === action)
      .map(({ actor, stage, details }) => [actor, stage, details['account']]);
  const account = 'mallory@laptop';
  expect(said('decision.approve')).toEqual([
    ['ann', 'intent', account],
    ['ann', 'outcome', account],
    ['ben', 'intent', account],
    ['ben', 'outcome', account],
    ['eve', 'outcome', account],
  ]);
  expect(said('closure.reopen')).toEqual([
    ['eve', 'outcome', account],
    ['ann', 'intent', account],
    ['ann', 'outcome', account],
  ]);
  expect(
    place.entries.filter(
      ({ actor, details }) => actor === 'lockkeeper' && 'account' in details && details['account'] !== undefined,
    ),
  ).toEqual([]);
});

test('exit codes tell why an answer did not count', async () => {
  const { place, deps, hash } = await asked();
  const terminal = paper();
  expect(await approveVerb(hash, { as: 'mallory' }, deps, terminal)).toBe(3);
  expect(await approveVerb(hash, { as: 'carl' }, deps, terminal)).toBe(3);
  expect(await denyVerb(hash, {}, deps, terminal)).toBe(1);
  place.world.pass(place.policy.approvalExpiresMs);
  expect(await approveVerb(hash, {}, deps, terminal)).toBe(4);
  place.network.rules.set('r-1', rule('r-1', { description: 'edited' }));
  await scan(place.deps(), await place.judgement());
  expect(await approveVerb(hash, {}, deps, terminal)).toBe(5);
  expect(terminal.outLines).toEqual([]);
  expect(terminal.errLines).toHaveLength(5);
});

test.each([
  [{ reason: 'x' }, 'denied'],
  [{ reason: 'x', snooze: '2026-10-20' }, 'snoozed'],
  [{ reason: 'x', exempt: '2026-10-20T00:00:00Z' }, 'exempted'],
])('deny %j makes it %s', async (options, phase) => {
  const { place, deps, hash } = await asked();
  expect(await denyVerb(hash, options, deps, paper())).toBe(0);
  expect((await place.closure('r-1')).phase).toBe(phase);
});

test('with --output json one object says it all', async () => {
  const { deps, hash } = await asked();
  const terminal = paper(true);
  await approveVerb(hash, {}, deps, terminal);
  expect(JSON.parse(terminal.outLines.join(''))).toMatchObject({
    hash,
    opening: 'r-1',
    answer: 'approve',
    who: 'ann',
    outcome: 'counted',
    why: null,
  });
});

test.each([
  ['a hash of five digits', 'abcde', {}, 'invalid'],
  ['a hash nobody was asked about', '0123456789', {}, 'not-found'],
  ['no person', undefined, { as: '' }, 'invalid'],
])('mistakes are errors that say what to do: %s', async (_, hash, options, code) => {
  const { deps, hash: real } = await asked();
  await expect(approveVerb(hash ?? real, options, deps, paper())).rejects.toMatchObject({
    code,
    hint: expect.any(String),
  });
});

test('reopening what nobody knows says what to give', async () => {
  const { deps } = await asked();
  await expect(reopenVerb('sgr-unknown', { reason: 'x' }, deps, paper())).rejects.toMatchObject({ code: 'not-found' });
});

test('a beginning that fits two questions is refused', async () => {
  const { place, deps, hash } = await asked();
  const bytes = place.bucket.objects.get(`proposals/${hash}.json`);
  if (!bytes) throw new Error('no proposal');
  place.bucket.objects.set(`proposals/${hash.slice(0, 10)}${'0'.repeat(54)}.json`, bytes);
  await expect(approveVerb(hash.slice(0, 8), {}, deps, paper())).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('2 questions'),
  });
});
