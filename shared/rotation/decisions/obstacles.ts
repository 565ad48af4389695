import type { CredentialPlan } from '../plan.ts';
import { currentLogins, type CopySeen, type Seen } from './seen.ts';

/**
 * Everything that must be fixed before a rotation may begin, each with what to do. Empty: ready. Stores may disagree
 * where a rotation was published in some of them only.
 */
export function obstacles(
  seen: Seen,
  plan: Pick<CredentialPlan, 'acceptDowntime' | 'changesItself'> & { readonly mayDisagree?: boolean },
): readonly string[] {
  return [
    ...seen.service.problems,
    ...serviceObstacles(seen, plan.acceptDowntime || (plan.changesItself ?? false)),
    ...seen.copies.flatMap((copy) => copyObstacles(copy, seen)),
    ...(plan.mayDisagree ? [] : disagreement(seen)),
  ];
}

function serviceObstacles({ service }: Seen, mayBeSingle: boolean): readonly string[] {
  const found: string[] = [];
  if (service.strategy === 'single' && !mayBeSingle) {
    found.push(
      'A single user cannot change without refusing logins for a moment. Make a second user (strategy: alternating), or set acceptDowntime: true.',
    );
  }
  if (service.endpoints.length === 0) found.push('The service names no endpoint, so nothing can be verified. Add one.');
  if (service.strategy === 'alternating' && new Set(service.slots).size !== 2)
    found.push('An alternating credential needs two users. Name both.');
  if (service.strategy === 'alternating' && !service.slotsEqual && service.problems.length === 0)
    found.push('The two users do not see the same objects and rights. Make them equal.');
  if (service.strategy === 'additive' && service.capacity < 2)
    found.push('The user can hold one value only, so no new one can stand beside it. Choose another strategy.');
  const uncounted = service.capacity > 1 ? service.slots.filter((slot) => service.holds[slot] === undefined) : [];
  if (uncounted.length > 0)
    found.push(
      `The service does not tell how many values ${uncounted.join(', ')} holds, so a forgotten one could stay valid. Either an endpoint does not answer, or lockkeeper's own login may not see that.`,
    );
  return found;
}

function copyObstacles(copy: CopySeen, seen: Seen): readonly string[] {
  const name = `${copy.store}/${copy.secret}`;
  if (!copy.current)
    return [
      `${name} holds nothing that consumers could read. Put the login there that they use now: lockkeeper secret import NAME --user USER.`,
    ];
  if (!copy.current.login)
    return [`${name} holds no login that can be read as ${copy.form.name}. Correct it, or name its form.`];
  const { slot } = copy.current.login;
  const found = seen.service.slots.includes(slot)
    ? []
    : [
        `${name} hands out user ${slot}, which the service does not rotate (${seen.service.slots.join(', ')}). Name it in the configuration.`,
      ];
  const stale = copy.form.stale(copy.current.text);
  if (stale.length === 0) return found;
  return [
    ...found,
    `${name} repeats the password in ${stale.join(', ')}, which would go stale. Let consumers build it from username and password.`,
  ];
}

function disagreement(seen: Seen): readonly string[] {
  if (currentLogins(seen).length <= 1) return [];
  return ['The stores hand out different logins. Publish the one that consumers use in every store.'];
}
