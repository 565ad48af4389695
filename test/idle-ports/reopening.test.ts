import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { day } from '../../shared/base/time.ts';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import { closeApproved } from '../../shared/idle-ports/closing/close.ts';
import { reopen } from '../../shared/idle-ports/closing/reopen.ts';
import { scan } from '../../shared/idle-ports/closing/scan.ts';
import { watchClosed } from '../../shared/idle-ports/closing/watch.ts';
import { closed, watch, held } from './closing-steps.ts';
import { rule } from './closing-world.ts';

describe('reopening', () => {
  test('puts back exactly what was, with intent and outcome in the log, and repeating it says so', async () => {
    const place = await closed();
    await reopen(place.deps(), await held(place), { who: 'ann', why: 'the month ends' });
    expect(place.network.rules.get('r-1')).toEqual(rule('r-1'));
    expect(place.log('r-1').slice(-4)).toEqual([
      'closure.reopen intent',
      'closure.reopen outcome',
      'closure.restore intent',
      'closure.restore outcome',
    ]);
    expect(await reopen(place.deps(), await held(place), { who: 'ben', why: 'me too' })).toMatchObject({
      outcome: 'open',
    });
    expect((await place.closure('r-1')).reopening).toMatchObject({ who: 'ann', why: 'the month ends' });
  });

  test('works by the page’s button, and after it settled, and by the owner', async () => {
    const place = await closed();
    place.world.pass(30 * day);
    await watch(place);
    expect((await place.closure('r-1')).phase).toBe('settled');
    await takeAnswer(place.deps(), await place.says('olga', 'reopen', 'r-1'));
    expect(place.network.rules.get('r-1')).toEqual(rule('r-1'));
  });

  test('works while nobody can be told; people hear of it in the next run', async () => {
    const place = await closed();
    const deps = place.deps();
    const notify = () => Promise.reject(new LockkeeperError('unreachable', 'the channel is down'));
    const approvals = { ...deps.approvals, notify };
    await reopen({ ...deps, approvals }, await held(place), { who: 'ann', why: 'month end' });
    expect(place.network.rules.get('r-1')).toEqual(rule('r-1'));
    const before = place.board.notices.length;
    expect((await watchClosed({ ...deps, approvals }, place.hooks())).problems).toHaveLength(1);
    await watch(place);
    expect(place.board.notices.slice(before).map(({ text }) => text)).toEqual([expect.stringContaining('month end')]);
  });

  test('works while closing is switched off', async () => {
    const place = await closed();
    place.policy = { ...place.policy, stopped: 'incident' };
    await reopen(place.deps(), await held(place), { who: 'ann', why: 'incident' });
    expect(place.network.rules.has('r-1')).toBe(true);
  });

  test.each([
    ['somebody whom it does not concern', { who: 'mallory', why: 'fun' }, 'denied'],
    ['nobody’s reason', { who: 'ann', why: ' ' }, 'invalid'],
  ])('is refused for %s', async (_, by, code) => {
    const place = await closed();
    await expect(reopen(place.deps(), await held(place), by)).rejects.toMatchObject({ code });
    expect(place.network.rules.has('r-1')).toBe(false);
  });

  test('is refused where nothing was closed', async () => {
    const place = await closed();
    await expect(reopen(place.deps(), await held(place, 'other'), { who: 'ann', why: 'x' })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('was not closed'),
    });
  });

  test('over a rule that somebody made meanwhile is a conflict in plain words; after they removed it, it works', async () => {
    const place = await closed();
    place.network.rules.set('r-1', rule('r-1', { cidrs: ['10.5.0.0/16'] }));
    await expect(reopen(place.deps(), await held(place), { who: 'ann', why: 'x' })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('left as it is'),
    });
    expect(place.network.rules.get('r-1')?.cidrs).toEqual(['10.5.0.0/16']);
    place.network.rules.delete('r-1');
    await reopen(place.deps(), await held(place), { who: 'ann', why: 'x' });
    expect(place.network.rules.get('r-1')).toEqual(rule('r-1'));
  });

  test('that did not bring back the very rule is not called done', async () => {
    const place = await closed();
    const deps = place.deps();
    const firewall = deps.firewalls.get('net');
    if (!firewall) throw new Error('no firewall');
    const forgetful = {
      ...firewall,
      restore: async () => void place.network.rules.set('r-1', rule('r-1', { tags: {} })),
    };
    await expect(
      reopen({ ...deps, firewalls: new Map([['net', forgetful]]) }, await held(place), { who: 'ann', why: 'x' }),
    ).rejects.toMatchObject({ code: 'uncertain' });
    expect((await place.closure('r-1')).phase).toBe('reopening');
  });

  test('leaves people in peace about it for a while; then the same silence is a new question that needs new answers', async () => {
    const place = await closed();
    const { hash } = await place.closure('r-1');
    await reopen(place.deps(), await held(place), { who: 'ann', why: 'needed' });
    await scan(place.deps(), await place.judgement());
    expect((await place.closure('r-1')).phase).toBe('reopened');
    place.world.pass(place.policy.deniedForMs);
    await scan(place.deps(), await place.judgement());
    const now = await place.closure('r-1');
    expect([now.phase, now.votes.length, now.hash === hash]).toEqual(['proposed', 0, false]);
    await closeApproved(place.deps(), place.hooks());
    expect(place.network.rules.has('r-1')).toBe(true);
  });
});
