import { expect, test } from '@jest/globals';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import { closeApproved } from '../../shared/idle-ports/closing/close.ts';
import { queue } from '../../shared/idle-ports/closing/queue.ts';
import { scan } from '../../shared/idle-ports/closing/scan.ts';
import { ClosingPlace, rule } from './closing-world.ts';

async function seen(place: ClosingPlace): Promise<{ questions: readonly unknown[]; closures: readonly unknown[] }> {
  const { questions, closures } = await queue(place.deps());
  const short = closures.map(({ title, phase, canReopen, detail }) => ({ title, phase, canReopen, detail }));
  return { questions: questions.map(({ question, approvedBy }) => [question.title, approvedBy]), closures: short };
}

test('a question is in the queue with who approved it, then among the closures with its undo', async () => {
  const place = new ClosingPlace([rule('r-1')]);
  await scan(place.deps(), await place.judgement());
  await takeAnswer(place.deps(), await place.says('ann', 'approve', 'r-1'));
  expect(await seen(place)).toEqual({ questions: [['Close r-1 (tcp 5432) in net?', ['ann']]], closures: [] });
  await takeAnswer(place.deps(), await place.says('ben', 'approve', 'r-1'));
  await closeApproved(place.deps(), place.hooks());
  const title = 'r-1 (tcp 5432) in net';
  expect(await seen(place)).toEqual({
    questions: [],
    closures: [{ title, phase: 'quarantined', canReopen: true, detail: 'It is watched until 2026-10-08T00:00:00Z.' }],
  });
  await takeAnswer(place.deps(), await place.says('ann', 'reopen', 'r-1', { why: 'month end' }));
  expect((await seen(place)).closures).toEqual([
    { title, phase: 'reopened', canReopen: false, detail: 'ann: month end' },
  ]);
});

test('a question that is too old is not offered for an answer', async () => {
  const place = new ClosingPlace([rule('r-1')]);
  await scan(place.deps(), await place.judgement());
  place.world.pass(place.policy.approvalExpiresMs);
  expect(await seen(place)).toMatchObject({
    questions: [],
    closures: [{ phase: 'expired', canReopen: false, detail: 'Nobody decided in time.' }],
  });
});

test.each([
  [{ protocol: 1, ports: { from: 2048, to: 2303 } }, 'icmp type 8'],
  [{ protocol: 58, ports: 'all' }, 'icmpv6 every type'],
  [{ protocol: 17, ports: { from: 53, to: 54 } }, 'udp 53–54'],
  [{ protocol: 'all', ports: 'all' }, 'every protocol, all ports'],
  [{ protocol: 47, ports: 'all' }, 'protocol 47 all ports'],
] as const)('an opening is named as people say it: %j', async (what, name) => {
  const place = new ClosingPlace([rule('r-1', what)]);
  await scan(place.deps(), await place.judgement());
  expect((await queue(place.deps())).questions[0]?.question.title).toBe(`Close r-1 (${name}) in net?`);
});
