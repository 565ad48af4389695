import { expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { after, day } from '../../shared/base/time.ts';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import { scan, type ScanReport } from '../../shared/idle-ports/closing/scan.ts';
import { ClosingPlace, rule } from './closing-world.ts';

async function look(place: ClosingPlace): Promise<ScanReport> {
  return scan(place.deps(), await place.judgement());
}

function outcomes({ steps }: ScanReport): readonly string[] {
  return steps.map(({ opening, outcome }) => `${opening} ${outcome}`);
}

test('asks once about each unused opening, and the same look again pings nobody and keeps the answers', async () => {
  const place = new ClosingPlace();
  expect(outcomes(await look(place))).toEqual(['r-1 asked', 'r-2 asked']);
  await takeAnswer(place.deps(), await place.says('ann', 'approve', 'r-1'));
  place.world.pass(day);
  expect(outcomes(await look(place))).toEqual(['r-1 kept', 'r-2 kept']);
  expect(place.board.pings).toBe(2);
  expect((await place.closure('r-1')).votes).toHaveLength(1);
});

test('asks about nothing that is used, narrow, without effect or beyond telling', async () => {
  const place = new ClosingPlace([rule('a'), rule('b'), rule('c'), rule('d')]);
  for (const [id, verdict] of [
    ['a', 'used'],
    ['b', 'narrow'],
    ['c', 'no-effect'],
    ['d', 'cannot-tell'],
  ] as const)
    place.verdicts.set(id, { verdict });
  expect(outcomes(await look(place))).toEqual([]);
  expect(place.board.questions.size).toBe(0);
});

test('an edit voids the answers, says what changed, and asks anew', async () => {
  const place = new ClosingPlace([rule('r-1')]);
  await look(place);
  const before = await place.closure('r-1');
  await takeAnswer(place.deps(), await place.says('ann', 'approve', 'r-1'));
  place.network.rules.set('r-1', rule('r-1', { description: 'please keep' }));
  expect(outcomes(await look(place))).toEqual(['r-1 asked']);
  const now = await place.closure('r-1');
  expect([now.hash === before.hash, now.votes.length]).toEqual([false, 0]);
  expect(place.board.notices.map(({ text }) => text).join('\n')).toContain('"why r-1" → "please keep"');
});

test('an edit that is taken back does not bring the old answers back', async () => {
  const place = new ClosingPlace([rule('r-1')]);
  await look(place);
  await takeAnswer(place.deps(), await place.says('ann', 'approve', 'r-1'));
  const first = await place.closure('r-1');
  place.network.rules.set('r-1', rule('r-1', { description: 'edited' }));
  await look(place);
  place.network.rules.set('r-1', rule('r-1'));
  await look(place);
  const now = await place.closure('r-1');
  expect([now.votes.length, now.hash === first.hash]).toEqual([0, false]);
});

test('use after the question makes it void, and nobody is asked instead', async () => {
  const place = new ClosingPlace([rule('r-1')]);
  await look(place);
  place.verdicts.set('r-1', { verdict: 'used' });
  expect(outcomes(await look(place))).toEqual(['r-1 void']);
  expect((await place.closure('r-1')).phase).toBe('drifted');
  expect(place.log('r-1')).toContain('proposal.void fact');
});

test('a question that nobody answered in time is asked again, and so is an approval that nobody used', async () => {
  const place = new ClosingPlace([rule('r-1')]);
  await look(place);
  place.world.pass(place.policy.approvalExpiresMs);
  expect(outcomes(await look(place))).toEqual(['r-1 asked']);
  for (const who of ['ann', 'ben']) await takeAnswer(place.deps(), await place.says(who, 'approve', 'r-1'));
  place.world.pass(place.policy.executionExpiresMs);
  expect(outcomes(await look(place))).toEqual(['r-1 asked']);
  expect((await place.closure('r-1')).votes).toEqual([]);
});

test.each([
  ['nobody at all', []],
  ['only the one whose own it is', ['carl']],
  ['too few', ['ann', 'carl']],
])(
  'a question that could never be approved is a loud error, and others are asked all the same: %s',
  async (_, approvers) => {
    const place = new ClosingPlace();
    const deps = place.deps();
    const people = (firewall: string, opening: Parameters<typeof deps.people>[1]) => ({
      ...deps.people(firewall, opening),
      ...(opening.id === 'r-1' ? { approvers } : {}),
    });
    const report = await scan({ ...deps, people }, await place.judgement());
    expect(report.problems.map(({ code }) => code)).toEqual(['invalid']);
    expect(report.problems[0]?.message).toContain('it needs 2 approvals');
    expect(place.board.notices.map(({ level }) => level)).toEqual(['alarm']);
    expect(outcomes(report)).toEqual(['r-2 asked']);
  },
);

test('two openings that may let in the same traffic are asked about one at a time', async () => {
  const place = new ClosingPlace([
    rule('r-1'),
    rule('r-2', { ports: { from: 5000, to: 6000 } }),
    rule('r-3', { protocol: 17 }),
  ]);
  expect(outcomes(await look(place))).toEqual(['r-1 asked', 'r-2 waiting', 'r-3 asked']);
});

test('so are two of different rule sets that the judge names to each other', async () => {
  const place = new ClosingPlace([rule('r-1'), rule('r-2', { ruleSet: 'net' })]);
  place.verdicts.set('r-2', { verdict: 'unused', alsoAllowedBy: ['r-1'] });
  expect(outcomes(await look(place))).toEqual(['r-1 asked', 'r-2 waiting']);
});

test('one service is asked about once at a time, others at the same time', async () => {
  const place = new ClosingPlace([
    rule('a', { ports: { from: 1, to: 1 } }),
    rule('b', { ports: { from: 2, to: 2 } }),
    rule('c', { ports: { from: 3, to: 3 } }),
  ]);
  place.policy = { ...place.policy, maxPerService: 1 };
  place.services.set('c', 'web');
  expect(outcomes(await look(place))).toEqual(['a asked', 'b waiting', 'c asked']);
});

test('no more questions in one run than the limit', async () => {
  const place = new ClosingPlace();
  place.policy = { ...place.policy, maxQuestionsPerRun: 1 };
  expect(outcomes(await look(place))).toEqual(['r-1 asked', 'r-2 waiting']);
});

test('an exemption of the configuration keeps people from being asked until it ends, and voids a question', async () => {
  const place = new ClosingPlace([rule('r-1')]);
  await look(place);
  const until = after(place.world.now(), day);
  place.policy = { ...place.policy, exemptions: [{ firewall: undefined, opening: 'r-1', until, why: 'year-end' }] };
  expect(outcomes(await look(place))).toEqual(['r-1 void']);
  expect((await look(place)).steps[0]?.text).toContain('year-end');
  place.world.pass(day);
  expect(outcomes(await look(place))).toEqual(['r-1 asked']);
});

test('nobody is asked in a freeze', async () => {
  const place = new ClosingPlace([rule('r-1')]);
  const now = place.world.now();
  place.policy = { ...place.policy, freezes: [{ from: now, to: after(now, day), why: 'holidays' }] };
  expect((await look(place)).steps).toMatchObject([{ outcome: 'waiting', text: expect.stringContaining('holidays') }]);
  place.world.pass(day);
  expect(outcomes(await look(place))).toEqual(['r-1 asked']);
});

test('a rule that a tool owns is handed out for its owner, and nobody is asked to close it', async () => {
  const place = new ClosingPlace([rule('r-1', { tags: { 'managed-by': 'terraform' } })]);
  const report = await look(place);
  expect(report.patches).toMatchObject([{ managedBy: 'terraform', opening: { id: 'r-1' } }]);
  expect(place.board.questions.size).toBe(0);
});

test('stops at the deadline and says so; the next run goes on', async () => {
  const place = new ClosingPlace();
  place.world.setDeadline(place.world.now());
  expect(await look(place)).toMatchObject({ unfinished: true, steps: [] });
});

test('a damaged journal is an error that names the field, not an opening nobody was asked about', async () => {
  const place = new ClosingPlace([rule('r-1')]);
  await look(place);
  const key = [...place.bucket.objects.keys()].find((one) => one.startsWith('closures/')) ?? '';
  const held = place.bucket.objects.get(key);
  const text = Buffer.from(held?.bytes ?? [])
    .toString()
    .replace('"phase":"proposed"', '"phase":"nonsense"');
  place.bucket.objects.set(key, { bytes: Buffer.from(text), version: 'v' });
  await expect(look(place)).rejects.toThrow(LockkeeperError);
  await expect(look(place)).rejects.toThrow(/phase missing or not as/);
});
