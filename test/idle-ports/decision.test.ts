import { describe, expect, test } from '@jest/globals';
import { after, day, instant } from '../../shared/base/time.ts';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import type { Heard } from '../../shared/approvals/contract.ts';
import type { Vote } from '../../shared/idle-ports/closing/closure.ts';
import { approversOf, decide, type Ruling } from '../../shared/idle-ports/closing/decision.ts';
import { scan } from '../../shared/idle-ports/closing/scan.ts';
import { ClosingPlace, rule } from './closing-world.ts';

async function asked(): Promise<ClosingPlace> {
  const place = new ClosingPlace([rule('r-1')]);
  await scan(place.deps(), await place.judgement());
  return place;
}

async function hear(
  place: ClosingPlace,
  who: string,
  answer: Heard['answer'],
  rest: Partial<Heard> = {},
): Promise<Ruling> {
  return takeAnswer(place.deps(), await place.says(who, answer, 'r-1', rest));
}

describe('approving', () => {
  test('takes as many different people as are needed', async () => {
    const place = await asked();
    await hear(place, 'ann', 'approve');
    expect((await place.closure('r-1')).phase).toBe('proposed');
    await hear(place, 'ben', 'approve');
    expect((await place.closure('r-1')).phase).toBe('approved');
  });

  test('the same person twice is one person', async () => {
    const place = await asked();
    await hear(place, 'ann', 'approve');
    expect((await hear(place, 'ann', 'approve')).kind).toBe('already');
    const closure = await place.closure('r-1');
    expect([closure.phase, closure.votes.length]).toEqual(['proposed', 1]);
  });

  test('nobody approves his own', async () => {
    const place = await asked();
    await hear(place, 'ann', 'approve');
    expect(await hear(place, 'carl', 'approve')).toMatchObject({ kind: 'refused', why: 'own' });
    expect((await place.closure('r-1')).phase).toBe('proposed');
    expect(place.entries.filter(({ actor, result }) => actor === 'carl' && result === 'refused')).toHaveLength(1);
  });

  test('somebody who was not asked does not count', async () => {
    const place = await asked();
    expect(await hear(place, 'mallory', 'approve')).toMatchObject({ kind: 'refused', why: 'not-asked' });
    expect((await place.closure('r-1')).votes).toEqual([]);
  });

  test('an answer to another hash does not count', async () => {
    const place = await asked();
    const { hash } = await place.closure('r-1');
    place.network.rules.set('r-1', rule('r-1', { description: 'edited' }));
    await scan(place.deps(), await place.judgement());
    for (const who of ['ann', 'ben']) {
      const heard = { hash, answer: 'approve', who, why: '', until: undefined } as const;
      await expect(takeAnswer(place.deps(), heard)).rejects.toMatchObject({
        code: 'conflict',
        hint: expect.stringContaining('instead'),
      });
    }
    expect((await place.closure('r-1')).votes).toEqual([]);
  });

  test('counts under any spelling of the name, and is recorded under the configured one', async () => {
    const place = await asked();
    expect((await hear(place, ' ANN', 'approve')).kind).toBe('counted');
    expect((await hear(place, 'ann', 'approve')).kind).toBe('already');
    expect((await place.closure('r-1')).votes.map(({ who }) => who)).toEqual(['ann']);
    expect(place.entries.at(-1)?.actor).toBe('ann');
  });

  test('is refused in a name that only looks like an approver’s, and says so', async () => {
    const place = await asked();
    const ruling = await hear(place, '\u0430nn', 'approve');
    expect(ruling).toMatchObject({
      kind: 'refused',
      why: 'not-asked',
      text: expect.stringContaining('looks like ann'),
    });
  });

  test('of one service behind an opening to two is not enough', async () => {
    const place = await asked();
    const behind = [
      { service: 'db', owner: 'olga', approvers: ['ann', 'ben'] },
      { service: 'web', owner: 'ben', approvers: ['carl', 'dora'] },
    ];
    const people = {
      ...place.people,
      approvers: ['ann', 'ben', 'carl', 'dora'],
      excluded: ['olga'],
      needed: 1,
      behind,
    };
    const closure = { ...(await place.closure('r-1')), people };
    const says = (who: string, to = closure) =>
      decide(
        to,
        { hash: closure.hash, answer: 'approve', who, why: '', until: undefined },
        {
          policy: place.policy,
          now: place.world.now(),
        },
      );
    expect(says('ben')).toMatchObject({ kind: 'refused', why: 'own' });
    const first = says('ann');
    expect(first).toMatchObject({ kind: 'counted', text: expect.stringContaining('0 approvals for service web') });
    expect('closure' in first && first.closure.phase).toBe('proposed');
    const second = says('dora', 'closure' in first ? { ...first.closure, people } : closure);
    expect('closure' in second && second.closure.phase).toBe('approved');
  });

  test('is too late when the question has waited too long', async () => {
    const place = await asked();
    place.world.pass(place.policy.approvalExpiresMs);
    expect(await hear(place, 'ann', 'approve')).toMatchObject({ kind: 'refused', why: 'late' });
  });

  test('two people at the same moment both count', async () => {
    const place = await asked();
    const rulings = await Promise.all([hear(place, 'ann', 'approve'), hear(place, 'ben', 'approve')]);
    expect(rulings.map(({ kind }) => kind)).toEqual(['counted', 'counted']);
    expect((await place.closure('r-1')).phase).toBe('approved');
  });

  test('is in the log before it takes effect: without the log nothing is decided', async () => {
    const place = await asked();
    const broken = { ...place.deps(), audit: { record: () => Promise.reject(new Error('log is down')) } };
    await expect(takeAnswer(broken, await place.says('ann', 'approve', 'r-1'))).rejects.toThrow('log is down');
    expect((await place.closure('r-1')).votes).toEqual([]);
  });
});

describe('whose approval counts', () => {
  const vote = (who: string, rest: Partial<Vote> = {}): Vote => ({
    hash: 'h',
    answer: 'approve',
    who,
    why: '',
    at: instant(0),
    ...rest,
  });

  test.each<[string, readonly Vote[], readonly string[]]>([
    ['two people', [vote('ann'), vote('ben')], ['ann', 'ben']],
    ['one who said it twice', [vote('ann'), vote('ann')], ['ann']],
    ['one whose own it is', [vote('ann'), vote('carl')], ['ann']],
    ['one who may not decide', [vote('mallory'), vote('ann')], ['ann']],
    ['one who meant another proposal', [vote('ann', { hash: 'g' }), vote('ben')], ['ben']],
    ['one who said no', [vote('ann', { answer: 'deny' })], []],
  ])('%s', async (_, votes, counted) => {
    const closure = await (await asked()).closure('r-1');
    expect(approversOf({ ...closure, hash: 'h', votes })).toEqual(counted);
  });

  test('an answer to another hash is refused even where it meets this closure', async () => {
    const place = await asked();
    const heard = { ...(await place.says('ann', 'approve', 'r-1')), hash: '0'.repeat(64) };
    const ruling = decide(await place.closure('r-1'), heard, { policy: place.policy, now: place.world.now() });
    expect(ruling).toMatchObject({ kind: 'refused', why: 'superseded' });
  });
});

describe('turning down', () => {
  test.each(['deny', 'snooze', 'exempt'] as const)(
    'one person is enough to %s, and the reason and the end are kept',
    async (answer) => {
      const place = await asked();
      const until = after(place.world.now(), 10 * day);
      await hear(place, 'ben', answer, { until, why: 'the quarter ends' });
      const closure = await place.closure('r-1');
      expect(closure.until).toBe(answer === 'deny' ? after(place.world.now(), place.policy.deniedForMs) : until);
      expect(closure.votes).toMatchObject([{ who: 'ben', answer, why: 'the quarter ends' }]);
      expect(closure.phase).toBe({ deny: 'denied', snooze: 'snoozed', exempt: 'exempted' }[answer]);
    },
  );

  test('works after others approved, while nothing is closed', async () => {
    const place = await asked();
    await hear(place, 'ann', 'approve');
    await hear(place, 'ben', 'approve');
    await hear(place, 'carl', 'deny');
    expect((await place.closure('r-1')).phase).toBe('denied');
    expect(await hear(place, 'ann', 'approve')).toMatchObject({ kind: 'already' });
  });

  test.each([
    ['a reason', { why: ' ' }],
    ['an end', {}],
    ['an end in the future', { until: 0 }],
    ['an end within bounds', { until: 4_000_000_000_000 }],
  ] as const)('a snooze needs %s', async (_, rest) => {
    const place = await asked();
    const until = 'until' in rest ? instant(rest.until) : undefined;
    expect(await hear(place, 'ann', 'snooze', { ...rest, until })).toMatchObject({
      kind: 'refused',
      why: 'incomplete',
    });
    expect((await place.closure('r-1')).phase).toBe('proposed');
  });

  test('people are left in peace until the end, then asked anew under another hash', async () => {
    const place = await asked();
    const { hash } = await place.closure('r-1');
    await hear(place, 'ann', 'snooze', { until: after(place.world.now(), 5 * day) });
    place.world.pass(4 * day);
    await scan(place.deps(), await place.judgement());
    expect(place.board.questions.size).toBe(1);
    place.world.pass(day);
    await scan(place.deps(), await place.judgement());
    expect(place.board.questions.size).toBe(2);
    expect((await place.closure('r-1')).hash).not.toBe(hash);
  });
});
