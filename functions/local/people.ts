import { differentPeople } from '../../shared/base/person-name.ts';
import type { Config, ServiceConfig } from '../../shared/config/schema.ts';
import type { Opening } from '../../shared/firewalls/contract.ts';
import type { People } from '../../shared/idle-ports/closing/people.ts';

/**
 * Whom the configuration asks about an opening: the approvers of every service that clients reach through it. Who owns
 * one of them never approves it. Where no service is known, everybody under `approvals` is asked.
 */
export function peopleOf(config: Pick<Config, 'services' | 'approvals'>, network: string, opening: Opening): People {
  const everybody = config.approvals?.approvers ?? [];
  const needed = config.approvals?.needed ?? 1;
  const behind = config.services
    .filter((one) => one.network === network && leadsTo(opening, one))
    .map(({ name, owner, approvers = everybody }) => ({ service: name, owner, approvers }));
  if (behind.length === 0) {
    const service = `${network}/${opening.ruleSet}`;
    return { service, owner: 'nobody', approvers: everybody, excluded: [], needed };
  }
  const owners = differentPeople(behind.map(({ owner }) => owner));
  return {
    service: behind.map(({ service }) => service).join(', '),
    owner: owners.join(', '),
    approvers: [...new Set(behind.flatMap(({ approvers }) => approvers))],
    excluded: owners,
    needed,
    ...(behind.length > 1 && { behind }),
  };
}

function leadsTo({ ports, protocol }: Opening, service: ServiceConfig): boolean {
  const meetsProtocol = protocol === 'all' || protocol === { tcp: 6, udp: 17 }[service.protocol];
  return meetsProtocol && (ports === 'all' || (ports.from <= service.port && service.port <= ports.to));
}
