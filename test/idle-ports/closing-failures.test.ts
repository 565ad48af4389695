import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { after, hour } from '../../shared/base/time.ts';
import { closeApproved } from '../../shared/idle-ports/closing/close.ts';
import { ClosureJournal } from '../../shared/idle-ports/closing/closure-journal.ts';
import { reopen } from '../../shared/idle-ports/closing/reopen.ts';
import { scan } from '../../shared/idle-ports/closing/scan.ts';
import { approved, outcomes, withFirewall, failing } from './closing-steps.ts';
import { type ClosingPlace, rule } from './closing-world.ts';

const packet = { from: '10.1.2.3', at: 'if-a', protocol: 6, port: 5432 };

describe('when the firewall fails', () => {
  test('for good, the closing has failed, people are told, and nobody is asked again at once', async () => {
    const place = await approved();
    const deps = withFirewall(place, () => failing('denied', 'you may not do this'));
    expect(outcomes(await closeApproved(deps, place.hooks()))).toEqual(['r-1 failed']);
    expect(
      place.board.notices
        .filter(({ level }) => level === 'alarm')
        .map(({ text }) => text)
        .join(),
    ).toContain('you may not do this');
    await scan(place.deps(), await place.judgement());
    expect((await place.closure('r-1')).phase).toBe('failed');
  });

  test.each(['throttled', 'unreachable', 'uncertain'] as const)(
    'for now (%s), the others go on and the next run finishes it',
    async (code) => {
      const place = await approved(undefined, ['r-1', 'other']);
      const deps = withFirewall(place, (firewall) => ({
        apply: async (prepared) => {
          if (prepared.change.opening === 'r-1') throw new LockkeeperError(code, 'not now');
          await firewall.apply(prepared);
        },
      }));
      const report = await closeApproved(deps, place.hooks());
      expect([outcomes(report), report.problems.map((problem) => problem.code)]).toEqual([['other closed'], [code]]);
      expect(outcomes(await closeApproved(place.deps(), place.hooks()))).toEqual(['r-1 closed']);
    },
  );

  test('a closing that a crash left half done is not finished over a rule that changed since', async () => {
    const place = await approved();
    await closeApproved(
      withFirewall(place, () => failing('unreachable', 'gone')),
      place.hooks(),
    );
    expect((await place.closure('r-1')).phase).toBe('closing');
    place.verdicts.set('r-1', { verdict: 'used' });
    expect(outcomes(await closeApproved(place.deps(), place.hooks()))).toEqual(['r-1 drifted']);
    expect(place.network.admits(packet)).toBe(true);
  });

  test('a packet that still comes through undoes the closing and stops the line', async () => {
    const place = await approved(undefined, ['r-1', 'other']);
    const hooks = { ...place.hooks(), probe: async () => 'reachable' as const };
    expect(outcomes(await closeApproved(place.deps(), hooks))).toEqual(['r-1 reopened', 'other waiting']);
    expect(place.network.rules.get('r-1')).toEqual(rule('r-1'));
  });

  test('a slow run that closes what was reopened meanwhile takes its closing back', async () => {
    const place = await approved();
    const deps = withFirewall(place, (firewall) => ({
      apply: async (prepared) => {
        await firewall.apply(prepared);
        const held = await new ClosureJournal(place.deps().state).load('net', 'r-1');
        if (held) await reopen(place.deps(), held, { who: 'ann', why: 'I need it' });
        await firewall.apply(prepared);
      },
    }));
    const report = await closeApproved(deps, place.hooks());
    expect(report.problems.map(({ code }) => code)).toEqual(['conflict']);
    expect(place.network.rules.get('r-1')).toEqual(rule('r-1'));
    expect((await place.closure('r-1')).phase).toBe('reopened');
  });

  test('a run that is paused before the deed closes nothing that another run gave up meanwhile', async () => {
    const place = await approved();
    const deps = place.deps();
    const record: typeof deps.audit.record = async (event) => {
      const answer = await deps.audit.record(event);
      if (event.action === 'closure.apply' && event.stage === 'intent') await giveUp(place);
      return answer;
    };
    const report = await closeApproved({ ...deps, audit: { record } }, place.hooks());
    expect(report.problems.map(({ code }) => code)).toEqual(['conflict']);
    expect(place.network.admits(packet)).toBe(true);
    expect((await place.closure('r-1')).phase).toBe('expired');
  });

  test('nor does one that is paused during the deed: it takes its closing back', async () => {
    const place = await approved();
    const deps = withFirewall(place, (firewall) => ({
      apply: async (prepared) => {
        await giveUp(place);
        await firewall.apply(prepared);
      },
    }));
    await closeApproved(deps, place.hooks());
    expect(place.network.rules.get('r-1')).toEqual(rule('r-1'));
  });

  test('who was refused between the deed and its recovery counts', async () => {
    const place = await approved();
    const started = place.world.now();
    const deps = withFirewall(place, (firewall) => ({
      apply: async (prepared) => {
        await firewall.apply(prepared);
        throw new LockkeeperError('uncertain', 'the answer was lost');
      },
    }));
    await closeApproved(deps, place.hooks());
    place.world.pass(hour);
    await closeApproved(place.deps(), place.hooks());
    expect(await place.closure('r-1')).toMatchObject({
      phase: 'quarantined',
      closedAt: started,
      since: after(started, hour),
    });
  });
});

/** Another run finds the approval too old. */
async function giveUp(place: ClosingPlace): Promise<void> {
  place.world.pass(place.policy.executionExpiresMs);
  await closeApproved(place.deps(), place.hooks());
}
