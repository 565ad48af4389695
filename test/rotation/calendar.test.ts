import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { day, formatInstant, hour, minute, parseInstant } from '../../shared/base/time.ts';
import { adopt } from '../../shared/rotation/adopt.ts';
import { encodeJournal, decodeJournal } from '../../shared/rotation/journal/journal-format.ts';
import type { CredentialPlan } from '../../shared/rotation/plan.ts';
import { rehearse } from '../../shared/rotation/rehearse.ts';
import { rotate } from '../../shared/rotation/run.ts';
import type { Calendar } from '../../shared/rotation/schedule/calendar.ts';
import { makePlace, runUntilDone, type Place } from './place.ts';

/** Due on Sundays at three, in a window of two hours; the first one is 2026-10-04T01:00Z. */
const sundays: Calendar = {
  pattern: '0 3 * * 0',
  timeZone: 'Europe/Berlin',
  windows: [{ opens: '0 3 * * 0', lastsMs: 2 * hour }],
  jitterMs: 0,
};
const firstSunday = parseInstant('2026-10-04T01:00:00Z');

/** An adopted credential with this calendar, on the first of October. */
async function adoptedPlace(calendar: Partial<Calendar> = {}, more: Partial<CredentialPlan> = {}): Promise<Place> {
  const place = await makePlace({ plan: { calendar: { ...sundays, ...calendar }, ...more } });
  const { adopted, begins } = await adopt(place.deps());
  expect({ adopted, begins }).toEqual({ adopted: true, begins: expect.stringContaining('due 2026-10-') });
  return place;
}

function passTo(place: Place, at: number): void {
  place.world.pass(at - place.world.now());
}

const told = (place: Place, word: string) => place.told.filter(({ text }) => text.includes(word));

describe('a rotation with windows', () => {
  test('says when it begins, begins then, and goes on after the window has closed', async () => {
    const place = await adoptedPlace();
    const early = await place.run();
    expect(early).toMatchObject({
      outcome: 'idle',
      until: firstSunday,
      text: 'due 2026-10-04 03:00 (Europe/Berlin) in the window from 2026-10-04 03:00 to 05:00',
      steps: [],
    });
    passTo(place, firstSunday - 1);
    expect(await place.run()).toMatchObject({ outcome: 'idle' });
    passTo(place, firstSunday);
    expect(await place.run()).toMatchObject({ outcome: 'waiting', phase: 'draining', until: firstSunday + 2 * hour });
    // The window is closed now: what nobody uses any more ends all the same.
    place.world.pass(2 * hour);
    expect(await place.run()).toMatchObject({ outcome: 'done' });
    expect(await place.run()).toMatchObject({ outcome: 'idle', until: firstSunday + 7 * day });
    expect(place.told).toEqual([]);
  });

  test('waits for none of them where a person asks, in an emergency, and while it is under way', async () => {
    const asked = await adoptedPlace();
    expect(await asked.run({ now: true })).toMatchObject({ phase: 'draining' });
    const leaked = await adoptedPlace();
    expect(await leaked.run({ leaked: { reason: 'found in a chat' } })).toMatchObject({ outcome: 'done' });
    const broken = await adoptedPlace();
    passTo(broken, firstSunday + 2 * hour - minute);
    broken.host.isUp = true;
    const deps = broken.deps();
    const failing = { ...deps, service: { ...deps.service, change: async () => Promise.reject(down()) } };
    expect(await rotate(failing)).toMatchObject({ outcome: 'failed', phase: 'staged' });
    broken.world.pass(minute);
    expect(await broken.run()).toMatchObject({ phase: 'draining' });
  });

  test('is rehearsed at any time, and the rehearsal says when it would begin by itself', async () => {
    const place = await adoptedPlace();
    const begins = 'due 2026-10-04 03:00 (Europe/Berlin) in the window from 2026-10-04 03:00 to 05:00';
    expect(await rehearse(place.deps())).toMatchObject({ wouldFinish: true, begins });
    expect(await rehearse(place.deps(), { leaked: true })).toMatchObject({ begins: undefined });
    passTo(place, firstSunday);
    expect(await rehearse(place.deps())).toMatchObject({ begins: undefined });
    await place.run();
    expect(await rehearse(place.deps())).toMatchObject({ begins: undefined });
  });

  test('begins in a later minute where jitter says so', async () => {
    const place = await adoptedPlace({ jitterMs: hour });
    const { until = 0 } = await place.run();
    expect([until > firstSunday, until < firstSunday + hour]).toEqual([true, true]);
    passTo(place, until);
    expect(await place.run()).toMatchObject({ phase: 'draining' });
  });
});

function down(): LockkeeperError {
  return new LockkeeperError('unreachable', 'connection refused');
}

describe('windows that passed without a beginning', () => {
  test('are told once, whatever the host did, and the next one begins the rotation', async () => {
    const place = await adoptedPlace();
    passTo(place, firstSunday + 8 * day);
    expect(await place.run()).toMatchObject({ outcome: 'idle', until: firstSunday + 14 * day });
    expect(place.told).toMatchObject([{ level: 'warning' }]);
    expect(place.told[0]?.text).toBe(
      'Rotation of app-db did not begin: due since 2026-10-04 03:00 (Europe/Berlin), 2 windows passed since, the last from 2026-10-11 03:00 to 05:00. No run tried it: see that lockkeeper runs while a window is open. It is tried again 2026-10-18 03:00 (Europe/Berlin).',
    );
    passTo(place, firstSunday + 14 * day - 1);
    await place.run();
    passTo(place, firstSunday + 14 * day);
    expect(await runUntilDone(place, {})).toMatchObject({ outcome: 'done' });
    expect(place.told).toHaveLength(1);
    const facts = place.log.events.filter(({ action }) => action === 'rotation.missed');
    expect(facts).toMatchObject([{ stage: 'fact', details: { due: firstSunday, windows: 2 } }]);
  });

  test('are told with the trouble that was in the way', async () => {
    const place = await adoptedPlace();
    place.host.problems = ['The owner role is missing.'];
    passTo(place, firstSunday);
    for (; place.world.now() < firstSunday + 3 * hour; place.world.pass(5 * minute)) await place.run();
    expect(told(place, 'did not begin')).toMatchObject([
      { text: expect.stringContaining('The owner role is missing.') },
    ]);
    expect(told(place, 'cannot begin')).toHaveLength(1);
  });

  test('are told by the next run where people could not be told, and not at all to a person who asks', async () => {
    const place = await adoptedPlace();
    passTo(place, firstSunday + day);
    const notify = async () => Promise.reject(new LockkeeperError('unreachable', 'chat is down'));
    await rotate({ ...place.deps(), notify });
    expect(place.journal()?.missed).toBeUndefined();
    await place.run();
    expect(told(place, '1 window passed')).toHaveLength(1);
    const other = await adoptedPlace();
    passTo(other, firstSunday + day);
    expect(await other.run({ now: true })).toMatchObject({ phase: 'draining' });
    expect(other.told).toEqual([]);
  });

  test('are told again for the next rotation that misses its own', async () => {
    const place = await adoptedPlace();
    passTo(place, firstSunday + day);
    await place.run();
    passTo(place, firstSunday + 7 * day);
    await runUntilDone(place, {});
    passTo(place, firstSunday + 20 * day);
    await place.run();
    expect(told(place, 'did not begin')).toHaveLength(2);
  });

  test('are remembered in the journal, and one without that memory is read as before', async () => {
    const place = await adoptedPlace();
    const before = place.journal();
    passTo(place, firstSunday + day);
    await place.run();
    const after = place.journal();
    if (!before || !after) throw new Error('there is no journal');
    expect(after.missed).toEqual({ due: firstSunday, windows: 1, toldAt: place.world.now() });
    expect(Object.keys(decodeJournal(encodeJournal(before), 'app-db'))).not.toContain('missed');
    expect(decodeJournal(encodeJournal(after), 'app-db')).toEqual(after);
  });
});

describe('a pause after a failure', () => {
  test('never skips a window, however long the trouble lasts, and within one grows as ever', async () => {
    const windows = [{ opens: '0 3,15 * * *', lastsMs: 30 * minute }];
    const place = await adoptedPlace({ windows });
    place.host.problems = ['The owner role is missing.'];
    passTo(place, firstSunday);
    const attempts: string[] = [];
    for (let turn = 0; turn < 16; turn += 1) {
      const opens = firstSunday + turn * 12 * hour;
      for (passTo(place, opens - hour); place.world.now() <= opens + hour; place.world.pass(5 * minute)) {
        const { outcome } = await place.run();
        if (outcome === 'blocked') attempts.push(formatInstant(place.world.now()));
      }
    }
    expect(attempts.slice(0, 4)).toEqual(['01:00', '01:05', '01:10', '01:15'].map((time) => `2026-10-04T${time}:00Z`));
    const halves = Map.groupBy(attempts, (text) => text.slice(0, 13));
    expect([halves.size, [...halves.values()].slice(3).every((some) => some.length === 1)]).toEqual([16, true]);
    place.host.problems = [];
    passTo(place, firstSunday + 8 * day);
    expect(await place.run()).toMatchObject({ phase: 'draining' });
  });
});

test('a clock that was wrong makes no rotation wait for ever', async () => {
  const place = await adoptedPlace();
  place.world.pass(3650 * day);
  await runUntilDone(place);
  passTo(place, firstSunday);
  expect(await place.run()).toMatchObject({ phase: 'draining' });
});
