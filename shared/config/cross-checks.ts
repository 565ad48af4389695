import { differentPeople, looksLikePerson } from '../base/person-name.ts';
import { auditMistakes } from './witnesses.ts';
import type { ResolvePath } from './fields.ts';
import { gateMistakes } from './gates.ts';
import { lookAlikes } from './look-alikes.ts';
import type { Mistake } from './mistakes.ts';
import { nearest } from './nearest.ts';
import { placeMistakes } from './places.ts';
import { rough, type Rough, type RoughService } from './rough.ts';
import type { Path } from './source.ts';
import { twins } from './twins.ts';

/**
 * What is wrong between parts of a configuration: names that nothing has, ports that two services want, more signatures
 * than people, two stores in one place. It reads the file leniently, so that one mistake elsewhere hides none of these.
 */
export function crossMistakes(data: unknown, resolve: ResolvePath): readonly Mistake[] {
  const read = rough.safeParse(data);
  if (!read.success) return [];
  const config = read.data;
  return [
    ...placeMistakes(config, resolve),
    ...auditMistakes(config),
    ...config.services.flatMap((service, at) => serviceNames(config, service, at)),
    ...config.services.flatMap((service, at) => credentialRules(service, at)),
    ...config.services.flatMap((service, at) => enoughApprovers(config, service, at)),
    ...config.idlePorts.exemptions.flatMap(({ network }, at) =>
      unknownName(network, Object.keys(config.networks), {
        path: ['idlePorts', 'exemptions', at, 'network'],
        list: 'networks',
      }),
    ),
    ...gateMistakes(config),
    ...freezesForward(config),
    ...twins(config),
    ...lookAlikes(config),
  ];
}

function serviceNames(config: Rough, service: RoughService, at: number): readonly Mistake[] {
  const path = ['services', at];
  const stores = Object.keys(config.secrets);
  const approvers = config.approvals?.approvers ?? [];
  const { credential } = service;
  return [
    ...unknownName(service.network, Object.keys(config.networks), { path: [...path, 'network'], list: 'networks' }),
    ...(service.approvers ?? []).flatMap((who, n) =>
      unknownName(who, approvers, { path: [...path, 'approvers', n], list: 'approvals.approvers' }),
    ),
    ...(credential?.secrets ?? []).flatMap((secret, n) =>
      unknownName(secret.store, stores, { path: [...path, 'credential', 'secrets', n, 'store'], list: 'secrets' }),
    ),
    ...unknownName(credential?.admin?.password.secret?.store, stores, {
      path: [...path, 'credential', 'admin', 'password', 'secret', 'store'],
      list: 'secrets',
    }),
  ];
}

function unknownName(
  written: string | undefined,
  known: readonly string[],
  at: { path: Path; list: string },
): readonly Mistake[] {
  if (written === undefined || written === '' || known.includes(written)) return [];
  const meant = nearest(written, known);
  const there =
    known.length === 0
      ? `There is nothing under \`${at.list}\`.`
      : `Under \`${at.list}\` there is: ${known.join(', ')}.`;
  return [
    {
      path: at.path,
      what: `${JSON.stringify(written)} is not in \`${at.list}\``,
      hint: meant === undefined ? there : `Did you mean "${meant}"?`,
    },
  ];
}

function credentialRules({ credential }: RoughService, at: number): readonly Mistake[] {
  if (!credential) return [];
  const path = ['services', at, 'credential'];
  const users = credential.users ?? [];
  const found: Mistake[] = [];
  const add = (key: string, what: string, hint: string) => found.push({ path: [...path, key], what, hint });
  if (credential.strategy === 'alternating') {
    if (credential.users && new Set(users).size !== 2)
      add(
        'users',
        `has ${new Set(users).size} different users; alternating needs 2`,
        'Name the two users that take turns.',
      );
    if (credential.ownerRole === undefined)
      add('ownerRole', 'is missing', 'Alternating users share a NOLOGIN role that owns the objects: name it.');
    else if (users.includes(credential.ownerRole))
      add('ownerRole', 'is one of the users', 'The owner role is a third role, which nobody logs in as.');
  }
  if (credential.strategy === 'single') {
    if (credential.users && users.length !== 1)
      add('users', `has ${users.length} users; single needs 1`, 'Name one user, or choose the strategy alternating.');
    if (!credential.acceptDowntime)
      add(
        'acceptDowntime',
        'is not true',
        'A single user refuses logins at every change: choose alternating, or say acceptDowntime: true.',
      );
  }
  return found;
}

function enoughApprovers(
  { approvals }: Rough,
  { approvers, owner, name }: RoughService,
  at: number,
): readonly Mistake[] {
  if (!approvals) return [];
  const others = (approvers ?? approvals.approvers).filter((who) => who !== '' && !looksLikePerson(who, owner ?? ''));
  const eligible = differentPeople(others);
  if (eligible.length >= approvals.needed) return [];
  const path = approvers ? ['services', at, 'approvers'] : ['approvals', 'needed'];
  const people = eligible.length === 0 ? 'nobody' : eligible.join(', ');
  return [
    {
      path,
      what: `${approvals.needed} must agree about ${JSON.stringify(name ?? `services[${at}]`)}, but only ${eligible.length} may (${people})`,
      hint: 'Add approvers, or lower `needed`. An owner does not decide about an own service.',
    },
  ];
}

function freezesForward({ idlePorts }: Rough): readonly Mistake[] {
  return idlePorts.freezes.flatMap(({ from, to }, at) =>
    from !== undefined && to !== undefined && Date.parse(from) >= Date.parse(to)
      ? [
          {
            path: ['idlePorts', 'freezes', at, 'to'],
            what: 'is not after `from`',
            hint: 'Give a stretch of time that ends after it begins.',
          },
        ]
      : [],
  );
}
