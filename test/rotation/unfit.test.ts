import { describe, expect, test } from '@jest/globals';
import { minute } from '../../shared/base/time.ts';
import { adopt } from '../../shared/rotation/adopt.ts';
import { rehearse } from '../../shared/rotation/rehearse.ts';
import { makePlace, runUntilDone } from './place.ts';

const why = 'app_b is itself there instead of app_owner. Run: GRANT app_owner TO app_b WITH SET TRUE;';

describe('a login with which consumers could do no work', () => {
  test('is not handed out, people are told why, and the rotation goes on once that is fixed', async () => {
    const place = await makePlace({ endpoints: ['db:5432'] });
    place.host.unfit = { 'db:5432': why };
    const report = await place.run({ now: true });
    expect(report).toMatchObject({ outcome: 'blocked', phase: 'set' });
    expect(report.text).toContain(`at db:5432: ${why}`);
    expect(place.consumerLogsIn('one')).toBe(true);
    expect(place.told.map(({ text }) => text).join('\n')).toContain(why);
    place.host.unfit = {};
    place.world.pass(minute);
    expect(await runUntilDone(place, {})).toMatchObject({ outcome: 'done' });
  });

  test('is not adopted', async () => {
    const place = await makePlace({ endpoints: ['db:5432'] });
    place.host.unfit = { 'db:5432': why };
    expect(await adopt(place.deps())).toMatchObject({ adopted: false, problems: [expect.stringContaining(why)] });
  });
});

describe('a risk to consumers', () => {
  const risk = 'app_b expires on 2026-12-24, before the next rotation. Run: ALTER ROLE …';

  test('is told at adoption, which it does not keep from happening', async () => {
    const place = await makePlace();
    place.host.risks = [risk];
    expect(await adopt(place.deps())).toMatchObject({ adopted: true, risks: [risk] });
  });

  test('takes the promise of 0 failed logins from a rehearsal, and does not stop a rotation', async () => {
    const place = await makePlace();
    place.host.risks = [risk];
    const rehearsal = await rehearse(place.deps());
    expect(rehearsal).toMatchObject({ wouldFinish: true, failedLogins: undefined, risks: [risk] });
    expect(rehearsal.why).toContain(risk);
    expect(await runUntilDone(place, { now: true })).toMatchObject({ outcome: 'done' });
  });
});
