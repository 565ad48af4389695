import { describe, expect, test } from '@jest/globals';
import { after, day, hour, minute } from '../../shared/base/time.ts';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import { closeApproved } from '../../shared/idle-ports/closing/close.ts';
import { refusalsOf } from '../../shared/idle-ports/closing/refusals.ts';
import { closed, knock, used, watch } from './closing-steps.ts';
import { row, type ClosingPlace } from './closing-world.ts';

const client = '10.1.1.1';

async function outcome(place: ClosingPlace): Promise<string | undefined> {
  return (await watch(place)).steps[0]?.outcome;
}

describe('somebody who sends packets to a closed port in the name of others', () => {
  test('does not reopen it with one packet of its client, but people hear of it at once, and it does not settle', async () => {
    const place = await closed();
    used(place, client);
    knock(place, client, { packets: 1 });
    expect(await outcome(place)).toBe('quarantined');
    expect(place.board.notices.at(-1)).toMatchObject({ level: 'alarm', text: expect.stringContaining('one packet') });
    place.world.pass(30 * day);
    expect(await outcome(place)).toBe('quarantined');
    knock(place, client, { packets: 1 });
    expect(await outcome(place)).toBe('reopened');
  });

  test('does not reopen it in the name of a client of another port, however many packets; people are warned', async () => {
    const place = await closed();
    used(place, '10.2.2.2', 80);
    knock(place, '10.2.2.2', { packets: 99, records: 99 });
    expect(await outcome(place)).toBe('quarantined');
    expect(place.board.notices.at(-1)).toMatchObject({
      level: 'warning',
      text: expect.stringContaining('never this opening'),
    });
  });

  test('does not make a scanner of its client', async () => {
    const place = await closed();
    used(place, client);
    for (let port = 1; port <= 50; port += 1) knock(place, client, { port });
    knock(place, client);
    expect(await outcome(place)).toBe('reopened');
  });

  test('makes a scanner of a client of other ports, but says so, and that it is one', async () => {
    const place = await closed();
    used(place, '10.2.2.2', 80);
    for (let port = 1; port <= 50; port += 1) knock(place, '10.2.2.2', { port });
    knock(place, '10.2.2.2');
    await watch(place);
    const text = expect.stringMatching(/counts as a scanner: turned away at 51 .*other services/);
    expect(place.board.notices.at(-1)).toMatchObject({ level: 'warning', text });
    const [told] = place.entries.filter(({ action }) => action === 'closure.knock');
    expect(told?.details['sources']).toMatchObject([{ source: '10.2.2.2', scanner: true, known: false }]);
  });

  test('hides no client behind a crowd, and no notice grows with the crowd', async () => {
    const place = await closed();
    place.policy = { ...place.policy, autoReopen: false };
    for (let peer = 0; peer < 250; peer += 1) knock(place, `10.6.6.${peer}`);
    await watch(place);
    used(place, client);
    knock(place, client);
    await watch(place);
    expect(place.board.notices.at(-1)).toMatchObject({ level: 'alarm', text: expect.stringContaining(client) });
    expect(Math.max(...place.board.notices.map(({ text }) => text.length))).toBeLessThan(1500);
    const sources = place.entries.filter(({ action }) => action === 'closure.knock').map(({ details }) => details);
    expect(sources.at(-1)).toMatchObject({ sources: [{ source: client, known: true }] });
  });

  test('pings people about the same strangers once a day at most', async () => {
    const place = await closed();
    const before = place.board.notices.length;
    for (let run = 0; run < 2 * 24; run += 1) {
      knock(place, '10.6.6.6');
      await watch(place);
      place.world.pass(hour);
    }
    expect(place.board.notices.length - before).toBe(2);
  });
});

describe('what a log shows of one client that was refused', () => {
  test.each([
    ['two records of one packet', [{ packets: 2, records: 2 }], true],
    ['one packet at each of two interfaces’ addresses', [{ packets: 1 }, { packets: 1, local: '10.0.0.11' }], true],
    ['one record that counts no packets', [{ packets: 0 }], true],
    ['one packet', [{ packets: 1 }], false],
  ] as const)('%s', async (_, rows, insists) => {
    const place = await closed();
    used(place, client);
    for (const one of rows) knock(place, client, one);
    expect(await outcome(place)).toBe(insists ? 'reopened' : 'quarantined');
  });

  test('a row that began before the closing counts by its times since', async () => {
    const place = await closed();
    const closure = await place.closure('r-1');
    const now = place.world.now();
    const old = { first: after(now, -40 * day), packets: 9, records: 9 };
    const seen = (firstInWindow: typeof now) => {
      const rows = [row(client, now, { ...old, firstInWindow })];
      return refusalsOf(closure, { ...place.evidence(), rows }, place.policy).knocks.map(({ insists }) => insists);
    };
    expect([seen(now), seen(after(now, -minute))]).toEqual([[false], [true]]);
  });

  test('a datagram that was let in before makes a client, though nobody answered', async () => {
    const place = await closed();
    place.rows.push(row(client, after(place.world.now(), -60 * day), { kind: 'in', protocol: 17, largest: 200 }));
    const udp = await place.closure('r-1');
    const evidence = { ...place.evidence(), rows: [...place.rows, row(client, place.world.now(), { protocol: 17 })] };
    const closure = { ...udp, evidence: { ...udp.evidence, protocol: 17 } };
    expect(refusalsOf(closure, evidence, place.policy).knocks).toMatchObject([{ who: client, known: true }]);
  });
});

describe('whatever is sent', () => {
  test('no other opening changes, and the client that retries is let in again, or people are told', async () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const next = random(seed);
      const place = await closed();
      place.policy = { ...place.policy, autoReopen: next(2) === 0 };
      for (const who of ['ann', 'ben']) await takeAnswer(place.deps(), await place.says(who, 'approve', 'other'));
      used(place, client);
      used(place, '10.2.2.2', 80);
      for (let packets = next(60); packets > 0; packets -= 1) spoof(place, next);
      await watch(place);
      expect((await closeApproved(place.deps(), place.hooks())).steps).toMatchObject([{ outcome: 'closed' }]);
      expect((await place.closure('other')).phase).toBe('quarantined');
      const told = place.board.notices.length;
      place.world.pass(2 * hour);
      knock(place, client);
      await watch(place);
      const { phase } = await place.closure('r-1');
      const alarms = place.board.notices.slice(told).filter(({ text }) => text.includes(client));
      expect([phase === 'reopened' || alarms.length > 0, (await place.closure('other')).phase]).toEqual([
        true,
        'quarantined',
      ]);
    }
  });
});

/** One packet of an attacker: any sender, any port but that of the other opening, any size. */
function spoof(place: ClosingPlace, next: (below: number) => number): void {
  const senders = [client, '10.2.2.2', '10.6.6.6', `10.7.${next(255)}.${next(255)}`, '172.16.0.1'];
  knock(place, senders[next(senders.length)] ?? '', {
    port: [5432, 22, 1 + next(60_000)][next(3)] ?? 22,
    kind: (['rejected', 'rejected', 'opened-in', 'refused', 'in'] as const)[next(5)] ?? 'rejected',
    packets: next(3),
    largest: [40, 60, 1400][next(3)] ?? 40,
  });
}

function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}
