import { describe, expect, test } from '@jest/globals';
import { canonicalJson } from '../../../shared/base/canonical.ts';
import { day, hour, instant, minute } from '../../../shared/base/time.ts';
import { remind } from '../../../shared/rotation/manual/remind.ts';
import { endOf, lastMoment } from '../../../shared/rotation/manual/reminders-due.ts';
import { breaks, Faults, type Break } from '../../broken-writes.ts';
import { PlantedSecret } from '../../planted-secret.ts';
import { fc } from '../../properties.ts';
import { unlessKilled } from '../place.ts';
import { daysTold, manualPlace, type Down, type ManualPlace } from './manual-place.ts';

const lifetime = { validUntil: { by: 'lifetime', ms: 90 * day } } as const;

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
      expect(reports.reduce((sum, { told }) => sum + told, 0)).toBe(1);
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
          const isGood = down.length === 0 && !fault;
          expect(isMarked || reminder === '' || !isGood).toBe(true);
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
