import { expect, test } from '@jest/globals';
import { day, hour } from '../../shared/base/time.ts';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import { closeApproved } from '../../shared/idle-ports/closing/close.ts';
import { scan } from '../../shared/idle-ports/closing/scan.ts';
import { watchClosed } from '../../shared/idle-ports/closing/watch.ts';
import { ClosingPlace, rule } from '../idle-ports/closing-world.ts';

test('where nobody can see who is refused, a closed opening is still watched to the end of its quarantine', async () => {
  const place = new ClosingPlace([rule('r-1')]);
  place.network.rejectsVisible = false;
  await scan(place.deps(), await place.judgement());
  for (const who of ['ann', 'ben']) await takeAnswer(place.deps(), await place.says(who, 'approve', 'r-1'));
  await closeApproved(place.deps(), place.hooks());
  place.world.pass(hour);
  expect((await watchClosed(place.deps(), place.hooks())).steps).toMatchObject([{ outcome: 'quarantined' }]);
  place.world.pass(place.policy.quarantineMs + day);
  expect((await watchClosed(place.deps(), place.hooks())).steps).toMatchObject([{ outcome: 'settled' }]);
});
