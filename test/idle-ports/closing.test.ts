import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { after, day } from '../../shared/base/time.ts';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import { closeApproved } from '../../shared/idle-ports/closing/close.ts';
import { scan } from '../../shared/idle-ports/closing/scan.ts';
import { approved, outcomes, withFirewall } from './closing-steps.ts';
import { ClosingPlace, rule } from './closing-world.ts';

const packet = { from: '10.1.2.3', at: 'if-a', protocol: 6, port: 5432 };

describe('closing', () => {
  test('what is approved is closed, nothing else is touched, and everything to undo it is kept', async () => {
    const place = await approved();
    expect(outcomes(await closeApproved(place.deps(), place.hooks()))).toEqual(['r-1 closed']);
    expect(place.network.admits(packet)).toBe(false);
    expect([...place.network.rules.keys()]).toEqual(['other']);
    const closure = await place.closure('r-1');
    expect([closure.phase, closure.prepared?.before]).toEqual(['quarantined', rule('r-1')]);
  });

  test('what is not approved by enough people is not closed', async () => {
    const place = new ClosingPlace();
    await scan(place.deps(), await place.judgement());
    await takeAnswer(place.deps(), await place.says('ann', 'approve', 'r-1'));
    expect(outcomes(await closeApproved(place.deps(), place.hooks()))).toEqual([]);
    expect(place.network.rules.size).toBe(2);
  });

  test('the log says intent before the rule changes, and outcome before the journal moves on', async () => {
    const place = await approved();
    const seen: string[] = [];
    const deps = withFirewall(place, (firewall) => ({
      apply: async (prepared) => {
        seen.push(
          ...place.log('r-1').slice(-1),
          (await place.closure('r-1')).phase,
          JSON.stringify((await place.closure('r-1')).prepared?.before),
        );
        await firewall.apply(prepared);
      },
    }));
    await closeApproved(deps, place.hooks());
    expect(seen).toEqual(['closure.apply intent', 'closing', expect.stringContaining('"why r-1"')]);
    expect(place.log('r-1').slice(-1)).toEqual(['closure.apply outcome']);
  });

  test('without the log nothing is closed', async () => {
    const place = await approved();
    const audit = { record: () => Promise.reject(new LockkeeperError('unreachable', 'the log is down')) };
    const report = await closeApproved({ ...place.deps(), audit }, place.hooks());
    expect(report.problems.map(({ code }) => code)).toEqual(['unreachable']);
    expect(place.network.admits(packet)).toBe(true);
  });

  test('closes at most as many as the limit in one run, the oldest approval first', async () => {
    const place = await approved(undefined, ['r-1', 'other']);
    place.policy = { ...place.policy, maxClosuresPerRun: 1 };
    expect(outcomes(await closeApproved(place.deps(), place.hooks()))).toEqual(['r-1 closed', 'other waiting']);
    expect(outcomes(await closeApproved(place.deps(), place.hooks()))).toEqual(['other closed']);
  });

  test('one opening of a service is closed at a time', async () => {
    const place = await approved(undefined, ['r-1', 'other']);
    place.policy = { ...place.policy, maxPerService: 1 };
    expect(outcomes(await closeApproved(place.deps(), place.hooks()))).toEqual(['r-1 closed', 'other waiting']);
    expect(outcomes(await closeApproved(place.deps(), place.hooks()))).toEqual(['other waiting']);
  });

  test.each([
    ['the kill switch', { stopped: 'incident 7' }, 'incident 7'],
    ['a limit of 0', { maxClosuresPerRun: 0 }, 'maxClosuresPerRun is 0'],
  ])('%s stops closing, and says so', async (_, change, text) => {
    const place = await approved();
    place.policy = { ...place.policy, ...change };
    const report = await closeApproved(place.deps(), place.hooks());
    expect(report.steps).toMatchObject([{ outcome: 'waiting', text: expect.stringContaining(text) }]);
    expect(place.network.admits(packet)).toBe(true);
  });

  test('nothing is closed in a freeze', async () => {
    const place = await approved();
    const now = place.world.now();
    place.policy = { ...place.policy, freezes: [{ from: now, to: after(now, day / 2), why: 'holidays' }] };
    expect(outcomes(await closeApproved(place.deps(), place.hooks()))).toEqual(['r-1 waiting']);
    place.world.pass(day / 2);
    expect(outcomes(await closeApproved(place.deps(), place.hooks()))).toEqual(['r-1 closed']);
  });
});

describe('nothing is closed that is not exactly what was approved', () => {
  const drifts: readonly [string, (place: ClosingPlace) => void, string][] = [
    [
      'somebody edited the rule',
      ({ network }) => network.rules.set('r-1', rule('r-1', { description: 'please keep' })),
      '"please keep"',
    ],
    ['somebody removed the rule', ({ network }) => network.rules.delete('r-1'), 'not there any more'],
    ['it is used by now', ({ verdicts }) => verdicts.set('r-1', { verdict: 'used' }), 'it is used now'],
    [
      'nobody can tell any more',
      ({ verdicts }) => verdicts.set('r-1', { verdict: 'cannot-tell' }),
      'it is cannot-tell now',
    ],
    [
      'the evidence is of another class',
      ({ verdicts }) => verdicts.set('r-1', { verdict: 'unused', reasons: [{ code: 'x', text: '' }] }),
      'reasons',
    ],
    ['it is judged by other rules', (place) => Object.assign(place, { judgePolicy: 'judge/2' }), 'judge/2'],
    [
      'a tool owns the rule now',
      ({ network }) => network.rules.set('r-1', rule('r-1', { tags: { 'managed-by': 'argo' } })),
      'argo',
    ],
    [
      'an approver lost the right',
      (place) => Object.assign(place, { people: { ...place.people, approvers: ['ann', 'carl', 'dora'] } }),
      '1 approvals that count',
    ],
    [
      'more people are needed now',
      (place) => Object.assign(place, { people: { ...place.people, approvers: ['ann', 'ben', 'dora'], needed: 3 } }),
      'needs 3',
    ],
  ];

  test.each(drifts)('%s', async (_, drift, text) => {
    const place = await approved();
    drift(place);
    const rules = new Map(place.network.rules);
    expect(outcomes(await closeApproved(place.deps(), place.hooks()))).toEqual(['r-1 drifted']);
    expect(place.network.rules).toEqual(rules);
    expect(place.board.notices.map((notice) => notice.text).join('\n')).toContain(text);
    expect(place.log('r-1')).toContain('approval.void fact');
    expect(outcomes(await closeApproved(place.deps(), place.hooks()))).toEqual([]);
    expect(place.network.rules).toEqual(rules);
  });

  test('people are asked anew at once where it is still unused', async () => {
    const place = await approved();
    const { hash } = await place.closure('r-1');
    place.network.rules.set('r-1', rule('r-1', { description: 'please keep' }));
    await closeApproved(place.deps(), place.hooks());
    const now = await place.closure('r-1');
    expect([now.phase, now.votes.length, now.hash === hash]).toEqual(['proposed', 0, false]);
    expect([...place.board.questions.keys()]).toContain(now.hash);
  });

  test('an exemption voids the approval, and nobody is asked anew', async () => {
    const place = await approved();
    place.policy = {
      ...place.policy,
      exemptions: [{ firewall: 'net', opening: 'r-1', until: after(place.world.now(), day), why: 'audit' }],
    };
    expect(outcomes(await closeApproved(place.deps(), place.hooks()))).toEqual(['r-1 drifted']);
    expect((await place.closure('r-1')).phase).toBe('drifted');
    expect(place.network.admits(packet)).toBe(true);
  });

  test('an approval that waited too long is not used', async () => {
    const place = await approved();
    place.world.pass(place.policy.executionExpiresMs);
    expect(outcomes(await closeApproved(place.deps(), place.hooks()))).toEqual(['r-1 expired']);
    expect(place.network.admits(packet)).toBe(true);
  });

  test('an edit between the last look and the deed is the firewall’s conflict: nothing is closed', async () => {
    const place = await approved();
    const deps = withFirewall(place, (firewall) => ({
      apply: (prepared) => {
        place.network.rules.set('r-1', rule('r-1', { description: 'just now' }));
        return firewall.apply(prepared);
      },
    }));
    expect(outcomes(await closeApproved(deps, place.hooks()))).toEqual(['r-1 drifted']);
    expect(place.network.rules.get('r-1')?.description).toBe('just now');
  });
});
