import { expect, test } from '@jest/globals';
import { rotate } from '../../shared/rotation/run.ts';
import { makePlace, runUntilDone, window, withOther } from '../rotation/place.ts';

test('a run that stops right before it retires a user, and wakes after that user got a new value, retires nothing', async () => {
  const place = await makePlace();
  await place.run({ now: true });
  place.world.pass(window);
  const deps = place.deps();
  const sleeping = withOther(deps.service, {
    async retire(slot, keep, guard, options) {
      await runUntilDone(place);
      await place.run({ now: true });
      expect(place.consumer('one').slot).toBe(slot);
      return await deps.service.retire(slot, keep, guard, options);
    },
  });
  await expect(rotate({ ...deps, service: sleeping })).resolves.not.toMatchObject({ outcome: 'done' });
  expect(place.consumerLogsIn('one')).toBe(true);
  expect(place.consumerLogsIn('two')).toBe(true);
});
