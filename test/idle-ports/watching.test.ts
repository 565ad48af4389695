import { describe, expect, test } from '@jest/globals';
import { after, day, hour, minute } from '../../shared/base/time.ts';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import { closeApproved } from '../../shared/idle-ports/closing/close.ts';
import { rules, closed, watch, used, knock } from './closing-steps.ts';
import { ClosingPlace, row, rule } from './closing-world.ts';

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
    expect(place.board.notices.filter(({ text }) => text.startsWith('refused at')).length).toBe(2);
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
        used(place, '10.6.6.6', 80);
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
    place.rows.push(row('10.1.1.1', after(place.world.now(), -90 * day), { kind: 'in', protocol: 1, port: 0 }));
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

  test('and reopened by itself stops no other closing', async () => {
    const place = await closed();
    used(place, '10.1.1.1');
    knock(place, '10.1.1.1');
    for (const who of ['ann', 'ben']) await takeAnswer(place.deps(), await place.says(who, 'approve', 'other'));
    await watch(place);
    expect((await closeApproved(place.deps(), place.hooks())).steps).toMatchObject([
      { opening: 'other', outcome: 'closed' },
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
