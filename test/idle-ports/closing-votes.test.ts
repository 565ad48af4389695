import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { after, day, hour } from '../../shared/base/time.ts';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import { closeApproved } from '../../shared/idle-ports/closing/close.ts';
import type { Closure, Vote } from '../../shared/idle-ports/closing/closure.ts';
import { ClosureJournal } from '../../shared/idle-ports/closing/closure-journal.ts';
import { reopen } from '../../shared/idle-ports/closing/reopen.ts';
import { watchClosed } from '../../shared/idle-ports/closing/watch.ts';
import { scan } from '../../shared/idle-ports/closing/scan.ts';
import { approved, held, outcomes } from './closing-steps.ts';
import { ClosingPlace, rule } from './closing-world.ts';

async function asked(...approvers: readonly string[]): Promise<ClosingPlace> {
  const place = new ClosingPlace([rule('r-1')]);
  await scan(place.deps(), await place.judgement());
  for (const who of approvers) await takeAnswer(place.deps(), await place.says(who, 'approve', 'r-1'));
  return place;
}

/** Somebody who may write to the state store, and nowhere else. */
async function forge(place: ClosingPlace, change: (closure: Closure) => Partial<Closure>): Promise<void> {
  const one = await held(place);
  await new ClosureJournal(place.deps().state).save(one, { ...one.closure, ...change(one.closure) });
}

function vote(place: ClosingPlace, who: string, answer: Vote['answer'] = 'approve') {
  return ({ hash }: Closure): Vote => ({ hash, answer, who, why: 'so', at: place.world.now() });
}

async function close(place: ClosingPlace): Promise<readonly string[]> {
  return outcomes(await closeApproved(place.deps(), place.hooks()));
}

const alarms = (place: ClosingPlace) => place.board.notices.filter(({ level }) => level === 'alarm');

describe('a vote that only the state store has', () => {
  test('closes nothing, is told once, and leaves the votes that the log has', async () => {
    const place = await asked('ann');
    await forge(place, (closure) => ({
      votes: [...closure.votes, vote(place, 'ben')(closure)],
      phase: 'approved',
      approvedAt: place.world.now(),
    }));
    expect(await close(place)).toEqual([]);
    expect(await close(place)).toEqual([]);
    expect(alarms(place).map(({ text }) => text)).toEqual([expect.stringContaining('approve by ben')]);
    expect(place.log('r-1').filter((line) => line.startsWith('decision.unproven'))).toHaveLength(1);
    expect(await place.closure('r-1')).toMatchObject({ phase: 'proposed', votes: [{ who: 'ann' }] });
    await takeAnswer(place.deps(), await place.says('ben', 'approve', 'r-1'));
    expect(await close(place)).toEqual(['r-1 closed']);
  });

  test('closes nothing where it stands beside one true vote that makes it approved', async () => {
    const place = await asked();
    await forge(place, (closure) => ({ votes: [vote(place, 'ann')(closure)] }));
    await takeAnswer(place.deps(), await place.says('ben', 'approve', 'r-1'));
    expect((await place.closure('r-1')).phase).toBe('approved');
    expect(await close(place)).toEqual([]);
    expect(place.network.rules.has('r-1')).toBe(true);
  });

  test.each(['deny', 'snooze', 'exempt'] as const)('%s: is told, and people are asked anew', async (answer) => {
    const place = await asked();
    const phase = { deny: 'denied', snooze: 'snoozed', exempt: 'exempted' } as const;
    await forge(place, (closure) => ({
      votes: [vote(place, 'ann', answer)(closure)],
      phase: phase[answer],
      until: after(place.world.now(), 300 * day),
    }));
    await close(place);
    expect(alarms(place)).toHaveLength(1);
    await scan(place.deps(), await place.judgement());
    expect(await place.closure('r-1')).toMatchObject({ phase: 'proposed', proposal: { round: 2 } });
  });

  test('of a time that no clock shows is one too', async () => {
    const place = await asked('ann');
    for (const at of [after(place.world.now(), 99 * day), after(place.world.now(), -9999 * day)])
      await forge(place, (closure) => ({ votes: [...closure.votes, { ...vote(place, 'ben')(closure), at }] }));
    await close(place);
    expect(alarms(place)).toHaveLength(1);
    expect((await place.closure('r-1')).votes).toHaveLength(1);
  });
});

describe('what the state store has lost', () => {
  test('a no counts: nothing is closed, and it holds again', async () => {
    const place = await asked('ann', 'ben');
    await takeAnswer(place.deps(), await place.says('carl', 'deny', 'r-1', { why: 'the year ends' }));
    await forge(place, ({ votes }) => ({
      votes: votes.filter(({ answer }) => answer === 'approve'),
      phase: 'approved',
      until: undefined,
    }));
    expect(await close(place)).toEqual(['r-1 denied']);
    expect(place.network.rules.has('r-1')).toBe(true);
    const closure = await place.closure('r-1');
    expect([closure.phase, closure.until, closure.votes.at(-1)?.who]).toEqual([
      'denied',
      after(place.world.now(), place.policy.deniedForMs),
      'carl',
    ]);
    expect(alarms(place)).toHaveLength(1);
    expect(await close(place)).toEqual([]);
  });

  test('an approval counts at the closing, and the question stays open until somebody repeats one', async () => {
    const place = await asked('ann', 'ben');
    await forge(place, () => ({ votes: [], phase: 'proposed', approvedAt: undefined }));
    expect(await close(place)).toEqual([]);
    await takeAnswer(place.deps(), await place.says('ann', 'approve', 'r-1'));
    await forge(place, () => ({ phase: 'approved', approvedAt: place.world.now() }));
    expect(await close(place)).toEqual(['r-1 closed']);
    expect((await place.closure('r-1')).votes.map(({ who }) => who)).toEqual(['ann', 'ben']);
  });
});

describe('an undo that only the state store has', () => {
  test.each<[string, (closure: Closure) => Partial<Closure>]>([
    ['of another rule', ({ prepared }) => ({ prepared: prepared && { ...prepared, before: rule('r-1', wide) } })],
    [
      'of another rule and its fingerprint',
      ({ prepared }) => ({
        prepared: prepared && { ...prepared, before: rule('r-1', wide), fingerprint: 'f'.repeat(64) },
      }),
    ],
    ['of a closing at another time', ({ closedAt }) => ({ closedAt: closedAt && after(closedAt, 9 * day) })],
  ])('%s opens nothing', async (_, change) => {
    const place = await approved();
    await close(place);
    await forge(place, (closure) => ({
      ...change(closure),
      phase: 'reopening',
      reopening: { who: 'lockkeeper', why: 'needed', at: place.world.now(), automatic: true },
    }));
    const { problems } = await watchClosed(place.deps(), place.hooks());
    expect([problems.map(({ code }) => code), place.network.rules.has('r-1')]).toEqual([['denied'], false]);
    await watchClosed(place.deps(), place.hooks());
    expect(alarms(place)).toHaveLength(1);
  });
});

const wide = { cidrs: ['0.0.0.0/0'] };

describe('an approval that the log has', () => {
  test('counts where a crash kept its outcome from the log, as the journal has it too', async () => {
    const place = await asked('ann');
    const deps = place.deps();
    const record: typeof deps.audit.record = async (event) => {
      if (event.stage === 'outcome') throw new LockkeeperError('unreachable', 'the log is down');
      return deps.audit.record(event);
    };
    const says = await place.says('ben', 'approve', 'r-1');
    await expect(takeAnswer({ ...deps, audit: { record } }, says)).rejects.toMatchObject({ code: 'unreachable' });
    expect(await close(place)).toEqual(['r-1 closed']);
    expect(alarms(place)).toEqual([]);
  });

  test('is used once: what was reopened is not closed on it again', async () => {
    const place = await approved();
    expect(await close(place)).toEqual(['r-1 closed']);
    await reopen(place.deps(), await held(place), { who: 'ann', why: 'needed' });
    await forge(place, () => ({ phase: 'approved', reopening: undefined, prepared: undefined, until: undefined }));
    expect(await close(place)).toEqual(['r-1 drifted']);
    expect(place.network.rules.has('r-1')).toBe(true);
  });

  test('is as old as the log says, whatever the journal says', async () => {
    const place = await approved();
    place.world.pass(place.policy.executionExpiresMs + hour);
    await forge(place, () => ({ approvedAt: place.world.now(), expires: after(place.world.now(), day) }));
    expect(await close(place)).toEqual(['r-1 expired']);
    expect(place.network.rules.has('r-1')).toBe(true);
  });

  test('counts nothing while the log cannot be read; the next run goes on', async () => {
    const place = await approved();
    const said = { between: () => Promise.reject(new LockkeeperError('unreachable', 'the log is down')) };
    const report = await closeApproved({ ...place.deps(), said }, place.hooks());
    expect([report.problems.map(({ code }) => code), place.network.rules.has('r-1')]).toEqual([['unreachable'], true]);
    expect(await close(place)).toEqual(['r-1 closed']);
  });
});
