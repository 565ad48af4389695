import { describe, expect, test } from '@jest/globals';
import { day } from '../../shared/base/time.ts';
import { firstValue, makePlace, runUntilDone, window } from './place.ts';

describe('a rotation', () => {
  test('goes all the way in two runs: up to the drain, and after the window to done', async () => {
    const place = await makePlace();
    const first = await place.run({ now: true });
    expect(first).toMatchObject({ outcome: 'waiting', phase: 'draining', until: place.world.now() + window });
    expect(place.consumer('one').slot).toBe('app_b');
    expect(place.consumer('two').value.equals(place.consumer('one').value)).toBe(true);
    expect(place.host.logIn('app_a', firstValue)).toBe(true);
    place.world.pass(window);
    const second = await place.run();
    expect(second).toMatchObject({ outcome: 'done', phase: 'done' });
    expect(place.host.logIn('app_a', firstValue)).toBe(false);
    expect(place.consumerLogsIn('one')).toBe(true);
  });

  test('twenty in a row take turns between the two users and every one ends with the old value refused', async () => {
    const place = await makePlace();
    for (let turn = 1; turn <= 20; turn += 1) {
      const old = place.consumer('one');
      expect(await runUntilDone(place)).toMatchObject({ outcome: 'done' });
      expect(place.consumer('two').slot).toBe(turn % 2 === 1 ? 'app_b' : 'app_a');
      expect(place.host.logIn(old.slot, old.value.open())).toBe(false);
    }
  });

  test('begins when it is due, not before, and never by itself where nobody adopted the credential', async () => {
    const place = await makePlace();
    expect(await place.run()).toMatchObject({ outcome: 'idle', steps: [] });
    await runUntilDone(place);
    expect(await place.run()).toMatchObject({ outcome: 'idle', until: (place.journal()?.finishedAt ?? 0) + 30 * day });
    place.world.pass(30 * day);
    expect(await place.run()).toMatchObject({ outcome: 'waiting', phase: 'draining' });
  });
});
