import { describe, expect, test } from '@jest/globals';
import { adopt } from '../../shared/rotation/adopt.ts';
import { rehearse } from '../../shared/rotation/rehearse.ts';
import { makePlace } from './place.ts';

describe('what is told of an emergency', () => {
  test('the orders of one that is over are no reason of the next', async () => {
    const place = await makePlace();
    await place.run({ leaked: { reason: 'the first' } });
    place.host.isUp = false;
    expect((await place.run({ leaked: { reason: 'the second' } })).emergency).toEqual(['lockkeeper: the second']);
    expect((await place.run()).emergency).toEqual(['lockkeeper: the second']);
  });

  test('a rehearsal names what is in the way, also where the emergency would not wait for it', async () => {
    const place = await makePlace();
    place.host.problems = ['The owner role is missing.'];
    const { wouldFinish, steps } = await rehearse(place.deps(), { leaked: true });
    expect({ wouldFinish, first: steps[0] }).toEqual({
      wouldFinish: false,
      first: 'in the way, and not waited for: The owner role is missing.',
    });
  });

  test('a rehearsal goes round a store that cannot be read, also before anything was ever rotated', async () => {
    const place = await makePlace();
    const shelf = place.vaults['two']?.shelves.get('app/db');
    place.vaults['two']?.shelves.clear();
    const rehearsed = await rehearse(place.deps(), { leaked: true });
    expect(rehearsed.wouldFinish).toBe(false);
    expect(rehearsed.steps.join('\n')).toMatch(/publish in one\/app-db[\s\S]*two\/app\/db cannot be used/);
    expect(shelf).toBeDefined();
  });

  test('who would adopt is told the command that ends it', async () => {
    const place = await makePlace();
    place.host.isUp = false;
    await place.run({ leaked: { reason: 'seen' } });
    place.host.isUp = true;
    expect((await adopt(place.deps())).problems).toEqual([expect.stringContaining('`lockkeeper rotate app-db`')]);
  });
});
