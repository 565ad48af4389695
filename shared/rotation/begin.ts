import { after, formatInstant } from '../base/time.ts';
import type { Journal, JournalCopy } from './journal.ts';
import { membersHoldingPassword } from './consumer-text.ts';
import { currentLogins, type Seen } from './seen.ts';
import type { Asked, Step } from './step.ts';

/**
 * Whether a rotation begins, and with which user. Pure, like decide.
 *
 * | what is seen                                                       | next                 |
 * |--------------------------------------------------------------------|----------------------|
 * | the value leaked                                                    | plan, at once        |
 * | nobody asked, and never adopted or not due                          | rest                 |
 * | something in the way: see `obstacles`                               | rest, blocked        |
 * | the current login, asked?, is refused, and nobody asked             | rest, blocked        |
 * | somebody is logged in as the user that would change                 | rest, blocked        |
 * | a value is staged but no journal knows it (the journal was lost)    | plan, going on with it |
 * | else                                                                | plan                 |
 */
export function beginning(journal: Journal | undefined, seen: Seen, asked: Asked): Step {
  if (asked.leaked) return planFor(seen, undefined);
  const early = asked.force ? undefined : notDue(journal, asked);
  if (early) return early;
  const inTheWay = obstacles(seen, asked.plan.acceptDowntime);
  if (inTheWay.length > 0) return blocked('not-ready', inTheWay.join('\n'));
  if (seen.answers.current === undefined) return { do: 'ask', candidate: 'current', logins: currentLogins(seen) };
  if (!seen.answers.current && !asked.force) {
    return blocked(
      'current-refused',
      'the service refuses what consumers read now. Fix the value in the store, or rotate with --now to publish a new one.',
    );
  }
  return slotFree(seen) ?? planFor(seen, journal ? undefined : orphan(seen));
}

/** Everything that must be fixed before a rotation may begin, each with what to do. Empty: ready. */
export function obstacles(seen: Seen, acceptDowntime: boolean): readonly string[] {
  const { service } = seen;
  const found = [...service.problems];
  if (service.strategy === 'single' && !acceptDowntime) {
    found.push(
      'A single user cannot change without refusing logins for a moment. Make a second user (strategy: alternating), or set acceptDowntime: true.',
    );
  }
  if (service.endpoints.length === 0) found.push('The service names no endpoint, so nothing can be verified. Add one.');
  if (service.strategy === 'alternating' && new Set(service.slots).size !== 2)
    found.push('An alternating credential needs two users. Name both.');
  return [...found, ...seen.copies.flatMap((copy) => copyObstacles(copy, seen)), ...disagreement(seen)];
}

function copyObstacles(copy: Seen['copies'][number], seen: Seen): readonly string[] {
  const name = `${copy.store}/${copy.secret}`;
  if (!copy.current) return [`${name} holds nothing that consumers could read. Import the login they use now.`];
  if (!copy.current.login)
    return [
      `${name} is not JSON with "username" and "password". Write it like {"engine":"postgres","host":"db","port":5432,"username":"app_a","password":"…"}.`,
    ];
  const { slot } = copy.current.login;
  const found = seen.service.slots.includes(slot)
    ? []
    : [
        `${name} hands out user ${slot}, which the service does not rotate (${seen.service.slots.join(', ')}). Name it in the configuration.`,
      ];
  const stale = membersHoldingPassword(copy.current.text);
  return stale.length === 0
    ? found
    : [
        ...found,
        `${name} repeats the password in ${stale.join(', ')}, which would go stale. Let consumers build it from username and password.`,
      ];
}

function disagreement(seen: Seen): readonly string[] {
  if (currentLogins(seen).length <= 1) return [];
  return ['The stores hand out different logins. Publish the one that consumers use in every store.'];
}

/** The rest before a rotation is due, unless a person asks; a credential that was never adopted is never due. */
export function notDue(journal: Journal | undefined, asked: Asked): Step | undefined {
  if (!journal)
    return {
      do: 'rest',
      outcome: 'idle',
      text: 'not adopted yet: check it with --adopt, or rotate it with --now',
      until: undefined,
    };
  const due = after(journal.finishedAt ?? journal.startedAt, asked.plan.everyMs);
  if (asked.now >= due) return undefined;
  return { do: 'rest', outcome: 'idle', text: `due ${formatInstant(due)}`, until: due };
}

/** The user that would change must be idle: whoever is logged in as it would be locked out. */
function slotFree(seen: Seen): Step | undefined {
  const { strategy, sessionsSeen } = seen.service;
  if (strategy !== 'alternating' || sessionsSeen !== 'exact') return undefined;
  const target = targetOf(seen);
  if (!seen.sessions) return { do: 'ask-sessions', slots: [target] };
  if (seen.sessions.length === 0) return undefined;
  const who = seen.sessions
    .slice(0, 5)
    .map((one) => one.peer)
    .join(', ');
  return blocked(
    'slot-in-use',
    `${seen.sessions.length} sessions use ${target}, which should be idle: ${who}. Let them read the store.`,
  );
}

function planFor(seen: Seen, resume: string | undefined): Step {
  const copies: JournalCopy[] = seen.copies.map(({ store, secret, current }) => {
    return { store, secret, from: current?.id ?? null, staged: null, published: null, retired: false };
  });
  return { do: 'plan', target: targetOf(seen), copies, resume };
}

/** The other one of two users, or the only one. */
function targetOf(seen: Seen): string {
  const { slots, strategy } = seen.service;
  const [current] = currentLogins(seen);
  const others = strategy === 'alternating' ? slots.filter((slot) => slot !== current?.slot) : slots;
  return others[0] ?? '';
}

/** The rotation whose value is staged although the journal is gone, if all stores name the same one and it fits. */
function orphan(seen: Seen): string | undefined {
  const pending = seen.copies.flatMap((copy) => copy.pending ?? []);
  const [first] = pending;
  if (!first || first.login?.slot !== targetOf(seen)) return undefined;
  return pending.every((one) => one.rotation === first.rotation) ? first.rotation : undefined;
}

function blocked(reason: string, text: string): Step {
  return { do: 'rest', outcome: 'blocked', reason, text };
}
