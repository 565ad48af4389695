import type { Notice } from '../../approvals/contract.ts';
import { toldText } from '../../audit/entries/withhold.ts';
import { formatInstant } from '../../base/time.ts';
import { counted, sessionLines } from '../decisions/sessions-left.ts';
import type { Of } from '../decisions/step.ts';
import type { Journal } from '../journal/journal.ts';

/** What people are told of a drain that does not end: who keeps it open, what that means, and the ways out. */
export function overdueNotice({ credential }: Pick<Journal, 'credential'>, step: Of<'overdue'>): Notice {
  const { over, sessions } = step;
  const since = `its window was over at ${formatInstant(over)}`;
  const lines =
    sessions.length > 0
      ? [
          `Rotation of ${credential} waits for ${counted(sessions.length, 'session')} on the old value; ${since}.`,
          ...sessionLines(sessions).map((line) => `  ${line}`),
          'Nobody is refused: the new value is published, and the old one stays valid while somebody is logged in with it. The next rotation does not begin before.',
          'To end it: restart these consumers, so that they log in with what the store hands out now.',
        ]
      : [
          `Rotation of ${credential} waits, although ${since} by the clock of this host: ${toldText(step.text)}.`,
          'Nobody is refused: the new value is published, and the old one stays valid. The next rotation does not begin before.',
          'To end it: set the clocks of the service and of this host right.',
        ];
  const text = [
    ...lines,
    `If the old value must end now: lockkeeper rotate ${credential} --now --leaked --reason "TEXT". It ends the sessions, and refuses logins until consumers read the new value.`,
    'Or wait: it goes on by itself, and nobody is told again.',
  ].join('\n');
  return { hash: undefined, level: 'warning', text };
}
