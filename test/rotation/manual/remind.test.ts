import { describe, expect, test } from '@jest/globals';
import { canonicalJson } from '../../../shared/base/canonical.ts';
import { day, hour, instant, minute, parseInstant } from '../../../shared/base/time.ts';
import { remind } from '../../../shared/rotation/manual/remind.ts';
import { endOf, lastMoment } from '../../../shared/rotation/manual/reminders-due.ts';
import { breaks, Faults, type Break } from '../../broken-writes.ts';
import { PlantedSecret } from '../../planted-secret.ts';
import { fc } from '../../properties.ts';
import { unlessKilled } from '../place.ts';
import { issuer, leaf } from './certificates.ts';
import { daysTold, manualPlace, type Down, type ManualPlace } from './manual-place.ts';

const lifetime = { validUntil: { by: 'lifetime', ms: 90 * day } } as const;
const certificate = { validUntil: { by: 'certificate' } } as const;

describe('people are reminded', () => {
  test('before the end, then every day for a week, then every week, whether runs come daily or more often', async () => {
    const expected = [91, 114, 120, 121, 122, 123, 124, 125, 126, 127, 128, 135, 142, 149, 156];
    for (const pace of [8 * hour, day]) {
      const place = manualPlace();
      expect(await daysTold(place, 160 * day, pace)).toEqual(expected);
      expect(place.told.map(({ level }) => level)).toEqual(expected.map((at) => (at < 121 ? 'warning' : 'alarm')));
    }
  });

  test('with the end, the owner, how to renew it and what to do then; and the log has each', async () => {
    const place = manualPlace();
    place.world.pass(95 * day + hour);
    expect(await place.run()).toMatchObject({
      outcome: 'due',
      text: 'expires 2027-03-31, in 25 days; renew: ask ben for a new key at partner.example',
      told: 1,
    });
    expect(place.told[0]?.text.split('\n')).toEqual([
      'partner-api expires 2027-03-31, in 25 days (the end of that day in UTC).',
      'Owner: olga. To renew it: ask ben for a new key at partner.example',
      'Then put the new value where consumers read it: lockkeeper secret import partner-api, and its new end into `expires` in the configuration.',
    ]);
    expect(place.log.events).toMatchObject([
      {
        action: 'credential.remind',
        stage: 'fact',
        subject: { kind: 'credential', id: 'partner-api' },
        details: { expires: '2027-04-01T00:00:00Z', reminder: '2027-03-02T00:00:00Z', expired: false, by: 'date' },
      },
    ]);
  });

  test('once only of several reminders that were missed: the nearest', async () => {
    const place = manualPlace();
    place.world.pass(126 * day);
    expect(await place.run()).toMatchObject({ outcome: 'expired', told: 1 });
    expect(place.told[0]?.text).toMatch(/expired 2027-03-31, 5 days ago.*Consumers may be refused\./);
    expect(await place.run()).toMatchObject({ told: 0 });
  });

  test('so long after lockkeeper first saw the value, and anew once a version has another text', async () => {
    const place = manualPlace(lifetime);
    expect(await daysTold(place, 80 * day, day)).toEqual([60]);
    place.renew('second-key-of-the-partner-012345');
    expect(await place.run()).toMatchObject({ outcome: 'in-time', text: expect.stringMatching(/in 90 days/) });
    expect(await daysTold(place, 70 * day, day)).toEqual([60]);
    expect(place.told[1]?.text).toContain('one/partner was first seen to hold it at 2027-02-20');
  });

  test('of the same end where a store writes the same text anew, or goes back to an earlier version', async () => {
    const place = manualPlace(lifetime);
    await place.run();
    place.world.pass(10 * day);
    place.renew('first-key-of-the-partner-0123456789');
    expect(await place.run()).toMatchObject({ text: expect.stringMatching(/in 80 days/) });
    place.world.pass(10 * day);
    place.renew('second-key-of-the-partner-012345');
    expect(await place.run()).toMatchObject({ text: expect.stringMatching(/in 90 days/) });
    place.vaults['one']?.rollBack('partner');
    expect(await place.run()).toMatchObject({ text: expect.stringMatching(/in 70 days/) });
  });

  test('of what a certificate says itself: of a chain, of the part that ends first', async () => {
    const place = manualPlace(certificate, [{ form: 'pem' }]);
    place.renew(leaf);
    expect(await place.run()).toMatchObject({ outcome: 'in-time', expires: parseInstant('2027-03-31T02:38:09Z') });
    place.world.pass(day);
    place.renew(`${leaf}\n${issuer}\n`);
    expect(await place.run()).toMatchObject({ outcome: 'due', expires: parseInstant('2026-12-31T02:38:09Z') });
    expect(place.told[0]?.text).toContain('(the certificate of CN=issuing ca in one/partner)');
    place.renew(leaf);
    expect(await place.run()).toMatchObject({ outcome: 'in-time', told: 0 });
  });

  test('that the date in the configuration may be that of the value before', async () => {
    const place = manualPlace();
    await daysTold(place, 100 * day, day);
    place.renew('second-key-of-the-partner-012345');
    await daysTold(place, 15 * day, day);
    expect(place.told.at(-1)?.text).toMatch(/A new value is there since 2027-03-12.*change `expires`/);
  });
});

describe('people are told, once it has lasted an hour and then after growing pauses,', () => {
  test.each<readonly [string, (place: ManualPlace) => void, RegExp]>([
    [
      'that a store cannot be read',
      (place) => place.down.add('two'),
      /two\/partner cannot be read: two does not answer/,
    ],
    [
      'that a store holds nothing',
      (place) => place.vaults['two']?.put('partner', { ...empty }),
      /two\/partner holds nothing/,
    ],
    [
      'that stores differ',
      (place) => place.vaults['two']?.setByHand('partner', 'another-key'),
      /two\/partner does not hold the same value as one\/partner/,
    ],
  ])('%s', async (_, break_, text) => {
    const place = manualPlace({}, [{ form: 'plain' }, { form: 'plain' }]);
    await place.run();
    break_(place);
    expect((await daysTold(place, 10 * day, hour)).map((days) => days * 24)).toEqual([1, 25, 73, 169]);
    expect(place.told.map((notice) => notice.text)).toEqual(place.told.map(() => expect.stringMatching(text)));
    expect(await place.run()).toMatchObject({ outcome: 'unclear', problems: [expect.stringMatching(text)] });
    expect(place.log.events.map(({ action }) => action)).toEqual(place.told.map(() => 'credential.warn'));
    place.down.clear();
    place.renew('third-key-of-the-partner-0123456');
    expect(await place.run()).toMatchObject({ outcome: 'in-time', problems: [] });
    expect(await daysTold(place, 10 * day, hour)).toEqual([]);
  });

  test('that a place of the form pem holds no certificate', async () => {
    const place = manualPlace(certificate, [{ form: 'pem' }]);
    place.renew(`${leaf}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`);
    expect(await place.run()).toMatchObject({ outcome: 'unclear', expires: undefined });
    expect(await daysTold(place, day - 1, hour)).toHaveLength(1);
    expect(place.told[0]?.text).toMatch(/holds no certificate, so nobody knows when it ends/);
  });

  test('of nothing where two forms hold the same value, and of no end where one store is down', async () => {
    const place = manualPlace(lifetime, [{ form: 'plain' }, { form: 'json' }]);
    place.vaults['two']?.setByHand('partner', '{"username":"us","password":"first-key-of-the-partner-0123456789"}');
    expect(await place.run()).toMatchObject({ outcome: 'in-time', problems: [] });
    place.vaults['two']?.setByHand('partner', '{"apiKey":"who knows"}');
    expect(await place.run()).toMatchObject({ problems: [] });
    place.down.add('one').add('two');
    expect(await place.run()).toMatchObject({ outcome: 'unclear', text: expect.stringMatching(/in 90 days/) });
  });
});

const empty = { shelf: { current: null, earlier: [], pending: null, promoted: [] }, unsettled: [], corrupt: false };

describe('whatever breaks,', () => {
  test('a state store, a log or a messenger that is down keeps a reminder for later and loses none', async () => {
    const place = manualPlace();
    place.world.pass(95 * day);
    place.down.add('people');
    expect(await place.run()).toMatchObject({ told: 0, outcome: 'due' });
    place.down.clear();
    place.down.add('state');
    expect(await place.run()).toMatchObject({ outcome: 'failed', error: { code: 'unreachable' } });
    place.down.clear();
    place.down.add('log');
    expect(await place.run()).toMatchObject({ outcome: 'failed', told: 1 });
    place.down.clear();
    expect(await place.run()).toMatchObject({ outcome: 'due', told: 0 });
  });

  test('of two runs at once one tells', async () => {
    for (const more of [{}, lifetime]) {
      const place = manualPlace(more);
      if (more === lifetime) await place.run();
      place.world.pass(95 * day);
      const reports = await Promise.all([place.run(), place.run(), place.run()]);
      expect(reports.map(({ told }) => told).toSorted()).toEqual([0, 0, 1]);
      expect(reports.filter(({ outcome }) => outcome === 'busy').length).toBeGreaterThan(0);
      expect(await place.run()).toMatchObject({ told: 0 });
      expect(place.told).toHaveLength(1);
    }
  });

  test('what another run saw while people were told is kept, and so is that they were', async () => {
    const place = manualPlace();
    place.world.pass(95 * day);
    const deps = place.deps();
    const notify: typeof deps.notify = async (notice) => {
      place.renew('second-key-of-the-partner-012345');
      await place.run();
      await deps.notify(notice);
    };
    expect(await remind({ ...deps, notify })).toMatchObject({ told: 1 });
    expect((await place.record()).places[0]?.versions).toHaveLength(2);
    expect(await place.run()).toMatchObject({ told: 0 });
  });

  test.each(breaks)('a run that is %s any of its writes tells twice at most, and never not at all', async (how) => {
    for (let at = 0; at < 5; at += 1) {
      const place = manualPlace();
      place.world.pass(95 * day);
      await unlessKilled(place.run(new Faults(new Map([[at, how]]))));
      const isMarked = (await place.record()).told.length > 0;
      const before = place.told.length;
      await daysTold(place, day, hour);
      expect(place.told.length - before).toBe(isMarked ? 0 : 1);
    }
  });

  interface Turn {
    readonly pauseMs: number;
    readonly down: readonly Down[];
    readonly fault: { readonly at: number; readonly how: Break } | undefined;
    readonly renews: boolean;
  }

  const turn: fc.Arbitrary<Turn> = fc.record({
    pauseMs: fc.oneof({ weight: 3, arbitrary: fc.constant(day) }, fc.integer({ min: 16 * minute, max: 20 * day })),
    down: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      fc.uniqueArray(fc.constantFrom<Down>('state', 'one', 'two', 'people', 'log'), { maxLength: 2 }),
    ),
    fault: fc.oneof(
      { weight: 2, arbitrary: fc.constant(undefined) },
      fc.record({ at: fc.nat(5), how: fc.constantFrom(...breaks) }),
    ),
    renews: fc.boolean(),
  });

  /** Which reminder a notice is: its end, and the moment that had come. */
  async function reminderNow(place: ManualPlace): Promise<string | undefined> {
    const end = endOf(place.plan, await place.record())?.at;
    const moment = end && lastMoment(end, place.plan.remindMs, place.world.now());
    return moment === undefined ? undefined : `${end} ${moment}`;
  }

  test('no reminder comes twice but for a run that died while it told, and after every good run none is owed', async () => {
    const given = fc.record({ turns: fc.array(turn, { minLength: 20, maxLength: 60 }), byDate: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(given, async ({ turns, byDate }) => {
        const place = manualPlace(byDate ? {} : lifetime, [{ form: 'plain' }, { form: 'plain' }]);
        const [told, excused] = [new Map<string, number>(), new Map<string, number>()];
        const count = (of: Map<string, number>, name: string, by: number) => of.set(name, (of.get(name) ?? 0) + by);
        for (const [at, { pauseMs, down, fault, renews }] of turns.entries()) {
          place.world.pass(pauseMs);
          if (renews && at % 9 === 0) place.renew(`key-number-${at}-of-the-partner`);
          for (const one of down) place.down.add(one);
          const before = place.told.length;
          const faults = fault && new Faults(new Map([[fault.at, fault.how]]));
          await unlessKilled(place.run(faults));
          place.down.clear();
          const reminders = place.told.slice(before).filter(({ text }) => text.includes('To renew it'));
          expect(reminders.length).toBeLessThanOrEqual(1);
          const reminder = (await reminderNow(place)) ?? '';
          const isMarked = (await place.record()).told.some(({ ends, through }) => `${ends} ${through}` === reminder);
          count(told, reminder, reminders.length);
          if (!isMarked) count(excused, reminder, reminders.length);
          if (down.length === 0 && !fault) {
            expect(isMarked || reminder === '').toBe(true);
            expect((await place.record()).telling).toBeNull();
          }
        }
        for (const [name, times] of told) expect(times).toBeLessThanOrEqual(1 + (excused.get(name) ?? 0));
      }),
      { numRuns: 25 },
    );
  });

  test('no value is in a record, an entry, a notice or a report', async () => {
    const planted = new PlantedSecret();
    const place = manualPlace(lifetime, [{ form: 'plain' }, { form: 'plain' }]);
    place.renew(planted.bare());
    place.vaults['two']?.setByHand('partner', `${planted.bare()}2`);
    const reports: unknown[] = [];
    for (let at = 0; at < 100; at += 1, place.world.pass(day)) reports.push(await place.run());
    expect(place.told.length).toBeGreaterThan(5);
    planted.search('people', place.told).search('log', place.log.events).search('reports', reports);
    planted.search('record', [Buffer.from(canonicalJson(await place.record())).toString()]).expectNowhere();
  });

  test('a clock that was wrong for one run silences nobody afterwards', async () => {
    for (const wrong of [800 * day, -800 * day]) {
      const place = manualPlace(lifetime);
      place.world.pass(wrong);
      await place.run();
      place.world.pass(-wrong);
      place.renew('second-key-of-the-partner-012345');
      place.told.length = 0;
      expect(await daysTold(place, 91 * day, day)).toEqual([60, 83, 89, 90, 91]);
      expect(instant(place.world.now())).toBe(place.world.now());
    }
  });

  test('a record that is no record of it is told as that', async () => {
    for (const bytes of [
      '{',
      '{"format":1}',
      canonicalJson({ ...(await manualPlace().record()), credential: 'other' }),
    ]) {
      const place = manualPlace();
      await place.deps().state.create('reminders/partner-api.json', Buffer.from(bytes));
      expect(await place.run()).toMatchObject({ outcome: 'failed', error: { code: 'invalid' } });
    }
  });
});
