import { differentPeople, looksLikePerson } from '../base/person-name.ts';
import { credentialMistakes, placesOf } from './credential-checks.ts';
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
    ...credentialMistakes(config),
    ...config.services.flatMap((service, at) => enoughApprovers(config, service, at)),
    ...config.idlePorts.exemptions.flatMap(({ network }, at) =>
      unknownName(network, namesIn(config, 'networks'), {
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
  const stores = namesIn(config, 'secrets');
  const approvers = (config.approvals?.approvers ?? []).map((who, n) => ({
    name: who,
    path: ['approvals', 'approvers', n],
  }));
  const { credential } = service;
  return [
    ...unknownName(service.network, namesIn(config, 'networks'), { path: [...path, 'network'], list: 'networks' }),
    ...(service.approvers ?? []).flatMap((who, n) =>
      unknownName(who, approvers, { path: [...path, 'approvers', n], list: 'approvals.approvers' }),
    ),
    ...placesOf(credential).flatMap(({ place, below }) =>
      unknownName(place.store, stores, { path: [...path, 'credential', ...below, 'store'], list: 'secrets' }),
    ),
  ];
}

/** A name that somebody chose, and where. */
interface Named {
  readonly name: string;
  readonly path: Path;
}

function namesIn(config: Rough, list: 'networks' | 'secrets'): readonly Named[] {
  return Object.keys(config[list]).map((name) => ({ name, path: [list, name] }));
}

/** The nearest name is told by its place: what was written, and what is there, may be no name at all. */
function unknownName(
  written: string | undefined,
  known: readonly Named[],
  at: { readonly path: Path; readonly list: string },
): readonly Mistake[] {
  if (written === undefined || written === '' || known.some(({ name }) => name === written)) return [];
  const mistake = { path: at.path, what: `is not in \`${at.list}\`` };
  const meant = nearest(
    written,
    known.map(({ name }) => name),
  );
  const see = known.find(({ name }) => name === meant)?.path;
  if (see !== undefined) return [{ ...mistake, hint: 'Did you mean', see }];
  const [first] = known;
  if (first === undefined) return [{ ...mistake, hint: `There is nothing under \`${at.list}\`.` }];
  return [{ ...mistake, hint: `Names under \`${at.list}\`: ${known.length}, the first is`, see: first.path }];
}

function enoughApprovers({ approvals }: Rough, { approvers, owner }: RoughService, at: number): readonly Mistake[] {
  if (!approvals) return [];
  const others = (approvers ?? approvals.approvers).filter((who) => who !== '' && !looksLikePerson(who, owner ?? ''));
  const eligible = differentPeople(others);
  if (eligible.length >= approvals.needed) return [];
  const path = approvers ? ['services', at, 'approvers'] : ['approvals', 'needed'];
  return [
    {
      path,
      what: `asks for more people than may decide about services[${at}]: ${eligible.length}`,
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
