import { describe, expect, test } from '@jest/globals';
import type { AuditEvent } from '../../shared/audit/entry.ts';
import { LockkeeperError, type ErrorCode } from '../../shared/base/error.ts';
import { formatInstant, instant } from '../../shared/base/time.ts';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import { closeApproved } from '../../shared/idle-ports/closing/close.ts';
import type { ClosingDeps } from '../../shared/idle-ports/closing/closing-deps.ts';
import { hashOf } from '../../shared/idle-ports/closing/proposal.ts';
import { keyOfFacts } from '../../shared/idle-ports/closing/receipt.ts';
import { scan } from '../../shared/idle-ports/closing/scan.ts';
import { factsOf } from '../../shared/idle-ports/judging/facts.ts';
import { ClosingPlace, rule } from './closing-world.ts';

const only = () => new ClosingPlace([rule('r-1'), rule('other', { ports: { from: 80, to: 80 } })]);

async function asked(): Promise<ClosingPlace> {
  const place = only();
  await scan(place.deps(), await place.judgement());
  return place;
}

/** The dependencies, with a log that refuses some events like this. */
function refusing(place: ClosingPlace, code: ErrorCode, wanted: (event: AuditEvent) => boolean): ClosingDeps {
  const deps = place.deps();
  const record: ClosingDeps['audit']['record'] = async (event) => {
    if (wanted(event))
      throw new LockkeeperError(code, 'the audit log is not as it was written', {
        hint: 'Run `lockkeeper audit verify`.',
      });
    return deps.audit.record(event);
  };
  return { ...deps, audit: { record } };
}

/** What an object store may say to a log that cannot be written until a person fixes it. */
const forGood = ['conflict', 'rejected', 'unsupported', 'not-found', 'denied'] as const;

describe.each(forGood)('a log that takes nothing (%s) is never mistaken for somebody who was quicker:', (code) => {
  const refusal = {
    code: 'denied',
    message: expect.stringContaining('the audit log is not as it was written'),
    hint: expect.stringContaining('audit verify'),
  };

  test('who answers hears of the log, and nothing counts', async () => {
    const place = await asked();
    await expect(
      takeAnswer(
        refusing(place, code, () => true),
        await place.says('ann', 'approve', 'r-1'),
      ),
    ).rejects.toMatchObject(refusal);
    expect((await place.closure('r-1')).votes).toEqual([]);
  });

  test('whose answer counts, but not in the log, hears that too', async () => {
    const place = await asked();
    const deps = refusing(place, code, ({ stage }) => stage === 'outcome');
    await expect(takeAnswer(deps, await place.says('ann', 'approve', 'r-1'))).rejects.toMatchObject(refusal);
  });

  test('a scan names it a problem, and no question waits for it silently', async () => {
    const place = only();
    const { problems, steps } = await scan(
      refusing(place, code, () => true),
      await place.judgement(),
    );
    expect([problems.length, steps]).toEqual([2, []]);
    for (const problem of problems) expect(problem).toMatchObject(refusal);
    expect(place.board.questions.size).toBe(0);
  });
});

test('facts or a question that somebody replaced under their hash are a problem of the scan, not a reason to wait', async () => {
  const forged = { bytes: Buffer.from('forged'), version: 'v0' };
  const place = only();
  const judgement = await place.judgement();
  place.facts.objects.set(keyOfFacts(factsOf(judgement.input).hash), forged);
  expect(await scan(place.deps(), judgement)).toMatchObject({
    steps: [],
    problems: [{ code: 'invalid', message: expect.stringContaining('evidence/') }, { code: 'invalid' }],
  });
  const whole = await asked();
  const question = `proposals/${hashOf((await whole.closure('r-1')).proposal)}.json`;
  const replaced = only();
  replaced.bucket.objects.set(question, forged);
  const { problems } = await scan(replaced.deps(), await replaced.judgement());
  expect(problems).toMatchObject([
    { code: 'invalid', message: expect.stringContaining(question), hint: expect.any(String) },
  ]);
});

test('the time of a vote is the same in the decision and in the closing that rests on it, also where time goes on', async () => {
  const place = await asked();
  let ticks = 0;
  const world = { ...place.world, now: () => instant(place.world.now() + 1000 * (ticks += 1)) };
  for (const who of ['ann', 'ben'])
    await takeAnswer({ ...place.deps(), world }, await place.says(who, 'approve', 'r-1'));
  await closeApproved(place.deps(), place.hooks());
  const { votes } = await place.closure('r-1');
  const said = place.entries
    .filter(({ action, result }) => action === 'decision.approve' && result === 'done')
    .map(({ actor, details }) => [actor, details['at']]);
  expect(said).toEqual(votes.map(({ who, at }) => [who, formatInstant(at)]));
});
