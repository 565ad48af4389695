import { hour } from '../../../shared/base/time.ts';
import { isEmergency } from '../../../shared/rotation/decisions/trouble.ts';
import { heal } from './hands.ts';
import { BrokenPromise } from './watch.ts';
import type { Walk } from './walk.ts';

const days = 100;
const pauseMs = 6 * hour;

/** What does not go away for a hundred days. */
const troubles = [
  'a problem of the service',
  'the policy',
  'one endpoint',
  'the service',
  'a store',
  'a receiver',
  'the log',
  'nothing',
] as const;

/** How often people may hear of one trouble in that time: every week, after growing pauses; of an emergency every day. */
const mostNotices = { ordinary: 30, emergency: 130 };
/** After growing pauses at most one failed login a day, and one more each time something else was tried first. */
const mostFailedLogins = 150;

/**
 * A hundred days in which the schedule runs every six hours and one thing stays broken: people hear of it, and not all the
 * time, and no account is locked by logins that fail.
 */
export async function longTrouble(walk: Walk, choice: (n: number) => number): Promise<void> {
  const { ground, watch } = walk;
  await walk.resumeAll();
  heal(ground, watch);
  const trouble = troubles[choice(troubles.length)];
  if (trouble === 'a problem of the service')
    ground.host.problems = ['The login of lockkeeper lacks a right. Grant it.'];
  if (trouble === 'the policy') ground.host.policy = () => 'it is too simple';
  if (trouble === 'one endpoint') ground.host.setUp(ground.host.fleet.setup.endpoints.at(-1) ?? '', false);
  if (trouble === 'the service') ground.host.isUp = false;
  if (trouble === 'a store') ground.outages.add('store0');
  if (trouble === 'a receiver') ground.outages.add('receiver0');
  if (trouble === 'the log') ground.outages.add('log');
  watch.isWeak = false;
  walk.tell(`for ${days} days ${trouble} stays as it is`);
  const [notices, failures] = [ground.told.length, failedLogins(walk)];
  let wasEmergency = false;
  let last = '';
  for (let run = 0; run < (days * 24 * hour) / pauseMs; run += 1) {
    const { report } = await walk.run({ rotator: choice(ground.setting.skews.length), now: false, breaks: [] });
    const journal = ground.journal();
    wasEmergency ||= journal !== undefined && isEmergency(journal);
    last = report?.outcome ?? '';
    ground.now = ground.world(pauseMs, 0).now();
    watch.byOthers();
  }
  const told = ground.told.length - notices;
  const failed = failedLogins(walk) - failures;
  const journal = ground.journal();
  const wasTold = told > 0 || journal?.blocked?.told === true || (journal?.trouble?.told ?? 0) > 0;
  if ((last === 'failed' || last === 'blocked') && !wasTold)
    throw new BrokenPromise(
      `not told in 100 days of trouble with ${trouble}`,
      `${last} at ${journal?.phase ?? 'no journal'}`,
    );
  if (told > (wasEmergency ? mostNotices.emergency : mostNotices.ordinary))
    throw new BrokenPromise('too many notices', `${told} in ${days} days of trouble with ${trouble}`);
  // An emergency tries the old values in every run.
  if (failed > mostFailedLogins && !wasEmergency)
    throw new BrokenPromise('too many failed logins', `${failed} in ${days} days of trouble with ${trouble}`);
}

/** Of the user and endpoint that had most of them. */
function failedLogins({ ground }: Walk): number {
  return Math.max(0, ...ground.host.failedLogins.values());
}
