import type { Config, ServiceConfig } from '../../shared/config/schema.ts';
import type { Opening } from '../../shared/firewalls/contract.ts';
import type { People } from '../../shared/idle-ports/closing/closure.ts';

/** Whom the configuration asks about an opening: those of the service behind it; its owner never approves for it. */
export function peopleOf(config: Pick<Config, 'services' | 'approvals'>, network: string, opening: Opening): People {
  const service = config.services.find((one) => one.network === network && leadsTo(opening, one));
  const approvers = service?.approvers ?? config.approvals?.approvers ?? [];
  return {
    service: service?.name ?? `${network}/${opening.ruleSet}`,
    owner: service?.owner ?? 'nobody',
    approvers,
    excluded: service === undefined ? [] : [service.owner],
    needed: config.approvals?.needed ?? 1,
  };
}

function leadsTo({ ports, protocol }: Opening, service: ServiceConfig): boolean {
  const meetsProtocol = protocol === 'all' || protocol === { tcp: 6, udp: 17 }[service.protocol];
  return meetsProtocol && (ports === 'all' || (ports.from <= service.port && service.port <= ports.to));
}
