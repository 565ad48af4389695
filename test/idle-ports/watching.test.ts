import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { after, day, hour, minute } from '../../shared/base/time.ts';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import { closeApproved, type RunReport } from '../../shared/idle-ports/closing/close.ts';
import { ClosureJournal, type HeldClosure } from '../../shared/idle-ports/closing/closure-journal.ts';
import { reopen } from '../../shared/idle-ports/closing/reopen.ts';
import { scan } from '../../shared/idle-ports/closing/scan.ts';
import { watchClosed } from '../../shared/idle-ports/closing/watch.ts';
import { ClosingPlace, row, rule } from './closing-world.ts';

const rules = [rule('r-1'), rule('other', { ports: { from: 80, to: 80 } })];

async function closed(place = new ClosingPlace(rules)): Promise<ClosingPlace> {
  await scan(place.deps(), await place.judgement());
  for (const who of ['ann', 'ben']) await takeAnswer(place.deps(), await place.says(who, 'approve', 'r-1'));
  await closeApproved(place.deps(), place.hooks());
  place.world.pass(hour);
  return place;
}

async function watch(place: ClosingPlace): Promise<RunReport> {
  return watchClosed(place.deps(), place.hooks());
}

async function held(place: ClosingPlace, opening = 'r-1'): Promise<HeldClosure> {
  const found = await new ClosureJournal(place.deps().state).load('net', opening);
  if (!found) throw new Error('nothing is held');
  return found;
}

/** A client that used the database long before. */
function used(place: ClosingPlace, peer: string): void {
  place.rows.push(row(peer, after(place.world.now(), -90 * day), { kind: 'answered', largest: 900, port: 80 }));
}

/** An attempt that the closing refused. */
function knock(place: ClosingPlace, peer: string, rest: Parameters<typeof row>[2] = {}): void {
  place.rows.push(row(peer, after(place.world.now(), -10 * minute), rest));
}

const toldKnocks = (place: ClosingPlace) =>
  place.entries.filter(({ action }) => action === 'closure.knock').map(({ details }) => details);

describe('a closed opening that is knocked at', () => {
  test('tells the log of each source once, however often it knocks', async () => {
    const place = await closed();
    for (let run = 0; run < 3; run += 1) {
      for (const peer of ['10.6.6.6', '10.6.6.7'].slice(0, run + 1)) knock(place, peer);
      await watch(place);
      place.world.pass(hour);
    }
    expect(toldKnocks(place)).toMatchObject([
      { sources: [{ source: '10.6.6.6', known: false, why: 'never seen to use anything here' }], known: false },
      { sources: [{ source: '10.6.6.7' }], known: false },
    ]);
    expect(place.board.notices.filter(({ text }) => text.startsWith('refused at')).length).toBe(3);
  });

  test('by very many tells the log of a hundred, and settles all the same', async () => {
    const place = await closed();
    for (let run = 0; run < 4; run += 1) {
      for (let peer = 0; peer < 60; peer += 1) knock(place, `10.6.${run}.${peer}`);
      await watch(place);
      place.world.pass(hour);
    }
    expect(toldKnocks(place).flatMap(({ sources }) => sources)).toHaveLength(100);
    place.world.pass(30 * day);
    expect((await watch(place)).steps).toMatchObject([{ outcome: 'settled' }]);
  });

  test('by one whom a log that comes later shows is told all the same', async () => {
    const place = await closed();
    const early = after(place.world.now(), -30 * minute);
    knock(place, '10.6.6.6');
    await watch(place);
    place.rows.push(row('10.6.6.7', early));
    expect((await watch(place)).steps).toMatchObject([
      { outcome: 'quarantined', text: expect.stringContaining('10.6.6.7') },
    ]);
    expect((await watch(place)).steps[0]?.text).not.toContain('10.6.6.7');
    expect(toldKnocks(place)).toMatchObject([
      { sources: [{ source: '10.6.6.6' }] },
      { sources: [{ source: '10.6.6.7' }] },
    ]);
  });

  test('by a client known from history is reopened at once, exactly as it was, and people hear who knocked', async () => {
    const place = await closed();
    used(place, '10.1.1.1');
    knock(place, '10.1.1.1');
    expect((await watch(place)).steps).toMatchObject([
      { outcome: 'reopened', text: expect.stringContaining('10.1.1.1') },
    ]);
    expect(place.network.rules.get('r-1')).toEqual(rule('r-1'));
    expect(place.board.notices.at(-1)?.text).toContain('10.1.1.1 was refused');
  });

  test('by a configured source is reopened too', async () => {
    const place = await closed();
    place.policy = { ...place.policy, knownSources: ['10.7.0.0/16'] };
    knock(place, '10.7.0.9');
    expect((await watch(place)).steps).toMatchObject([{ outcome: 'reopened' }]);
  });

  test.each<[string, (place: ClosingPlace) => void]>([
    ['a stranger', () => {}],
    [
      'one who only ever got handshakes',
      (place) => place.rows.push(row('10.6.6.6', place.world.now(), { kind: 'answered', largest: 52, port: 80 })),
    ],
    [
      'one whom we call, but who never calls us',
      (place) => place.rows.push(row('10.6.6.6', place.world.now(), { kind: 'opened-out', largest: 900 })),
    ],
    [
      'a configured scanner, however well known',
      (place) => {
        used(place, '10.6.6.6');
        place.policy = { ...place.policy, scanners: ['10.6.6.6/32'], knownSources: ['10.6.6.6/32'] };
      },
    ],
    [
      'one turned away at many ports, who also got through once',
      (place) => {
        used(place, '10.6.6.6');
        for (const port of [1, 2, 3, 4])
          place.rows.push(row('10.6.6.6', place.world.now(), { kind: 'opened-in', port }));
      },
    ],
  ])('by %s stays closed, and people hear of it once', async (_, history) => {
    const place = await closed();
    history(place);
    knock(place, '10.6.6.6');
    const before = place.board.notices.length;
    await watch(place);
    await watch(place);
    expect((await place.closure('r-1')).phase).toBe('quarantined');
    expect(place.network.rules.has('r-1')).toBe(false);
    expect(place.board.notices.slice(before).map(({ text }) => text)).toEqual([expect.stringContaining('10.6.6.6')]);
  });

  test('by more than the logs name stays closed, and people hear of them', async () => {
    const place = await closed();
    place.rows.push({ ...row('10.6.6.6', place.world.now()), peer: undefined });
    await watch(place);
    expect(place.board.notices.at(-1)?.text).toContain('too many to name them all');
  });

  test.each([
    ['before it was closed', { last: -2 }],
    ['at another port', { port: 5433 }],
    ['over another protocol', { protocol: 17 }],
    ['at another interface', { interface: 'if-b' }],
    ['and let in', { kind: 'opened-in' }],
  ] as const)('is not knocked at by an attempt %s', async (_, what) => {
    const place = await closed();
    used(place, '10.1.1.1');
    if ('last' in what) place.rows.push(row('10.1.1.1', after(place.world.now(), -2 * hour)));
    else knock(place, '10.1.1.1', what);
    expect((await watch(place)).steps).toMatchObject([{ outcome: 'quarantined' }]);
  });

  test('by refused ICMP of a known client is reopened: logs do not tell its type', async () => {
    const place = await closed(new ClosingPlace([rule('r-1', { protocol: 1, ports: { from: 2048, to: 2303 } })]));
    used(place, '10.1.1.1');
    knock(place, '10.1.1.1', { protocol: 1, port: 0 });
    expect((await watch(place)).steps).toMatchObject([{ outcome: 'reopened' }]);
  });

  test('by somebody whom it never let in stays closed', async () => {
    const place = await closed();
    used(place, '172.16.0.1');
    knock(place, '172.16.0.1');
    expect((await watch(place)).steps).toMatchObject([{ outcome: 'quarantined' }]);
  });

  test('by a known client stays closed where the policy leaves it to people, with an alarm; and it never settles', async () => {
    const place = await closed();
    place.policy = { ...place.policy, autoReopen: false };
    used(place, '10.1.1.1');
    knock(place, '10.1.1.1');
    await watch(place);
    expect(place.board.notices.at(-1)).toMatchObject({ level: 'alarm' });
    place.world.pass(30 * day);
    await watch(place);
    expect((await place.closure('r-1')).phase).toBe('quarantined');
  });

  test('and reopened by itself stops every other closing for a while', async () => {
    const place = await closed();
    used(place, '10.1.1.1');
    knock(place, '10.1.1.1');
    for (const who of ['ann', 'ben']) await takeAnswer(place.deps(), await place.says(who, 'approve', 'other'));
    await watch(place);
    expect((await closeApproved(place.deps(), place.hooks())).steps).toMatchObject([
      { outcome: 'waiting', text: expect.stringContaining('had to be reopened') },
    ]);
  });
});

describe('a silent quarantine', () => {
  test('settles when it is over and the logs reach that far', async () => {
    const place = await closed();
    place.world.pass(place.policy.quarantineMs - hour - 1);
    expect((await watch(place)).steps).toMatchObject([{ outcome: 'quarantined' }]);
    place.world.pass(1);
    expect((await watch(place)).steps[0]?.text).toContain('the logs must reach');
    place.world.pass(place.logDelayMs);
    expect((await watch(place)).steps).toMatchObject([{ outcome: 'settled' }]);
  });

  test('lasts at least as long as connections live that were open', async () => {
    const place = new ClosingPlace(rules);
    place.network.openConnectionsLastMs = 20 * day;
    await closed(place);
    place.world.pass(19 * day);
    await watch(place);
    expect((await place.closure('r-1')).phase).toBe('quarantined');
    place.world.pass(day);
    await watch(place);
    expect((await place.closure('r-1')).phase).toBe('settled');
  });

  test('whose logs have stopped never settles', async () => {
    const place = await closed();
    place.world.pass(60 * day);
    place.logDelayMs = 59 * day;
    expect((await watch(place)).steps).toMatchObject([
      { outcome: 'quarantined', text: expect.stringContaining('they end at') },
    ]);
  });

  test('that somebody ended by hand is recorded as such', async () => {
    const place = await closed();
    place.network.rules.set('r-1', rule('r-1', { description: 'back' }));
    expect((await watch(place)).steps).toMatchObject([
      { outcome: 'reopened', text: expect.stringContaining('by hand') },
    ]);
    expect(place.network.rules.get('r-1')?.description).toBe('back');
  });
});

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
