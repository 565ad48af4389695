import { dirname, join } from 'node:path';
import { LockkeeperError } from '../../../shared/base/error.ts';
import type { Config } from '../../../shared/config/schema.ts';
import { gateInterface, gateNetwork } from './identity.ts';
import type { GateInterface, GateNetwork, GateService } from './network.ts';

/** A gate as the configuration describes it. */
export interface GatePlan {
  readonly network: GateNetwork;
  readonly interfaces: readonly GateInterface[];
  readonly services: readonly GateService[];
  readonly rulesFile: string;
  readonly tokenFile: string;
  readonly adminPort: number;
  /** Undefined: the configuration names no flow log. */
  readonly flowLogDirectory: string | undefined;
}

/**
 * The gate of a network that lockkeeper runs itself; undefined where there is none to run. `invalid` where the
 * network's cloud or a service of it cannot stand behind a gate.
 */
export function gatePlan(config: Config, name: string): GatePlan | undefined {
  const place = config.networks[name];
  const firewall = place?.firewall;
  if (place === undefined || firewall === undefined || !firewall.run) return undefined;
  const network = gateNetwork(name, cloudOf(name, place.cloud));
  const here = config.services.filter((service) => service.network === name);
  const port = new URL(firewall.url).port;
  if (port === '')
    throw new LockkeeperError('invalid', `the url of network ${name} names no port`, {
      hint: 'Write it like http://127.0.0.1:18900.',
    });
  return {
    network,
    interfaces: here.map((service) => gateInterface(network, service.name)),
    services: here.map((service) => ({
      name: service.name,
      port: service.port,
      upstream: upstreamOf(service),
      interface: gateInterface(network, service.name).id,
    })),
    rulesFile: firewall.rulesFile ?? join(dirname(firewall.tokenFile), 'rules.json'),
    tokenFile: firewall.tokenFile,
    adminPort: Number(port),
    flowLogDirectory: place.flowLogs[0]?.directory,
  };
}

function cloudOf(name: string, cloud: Config['networks'][string]['cloud']): GateNetwork['cloud'] {
  if (cloud === 'aws' || cloud === 'gcp' || cloud === 'azure') return cloud;
  throw new LockkeeperError(
    'invalid',
    `network ${name} is of cloud ${cloud}, and a gate writes flow logs as aws, gcp or azure do`,
    { hint: 'Label the network aws, gcp or azure.' },
  );
}

function upstreamOf(service: Config['services'][number]): number {
  const [, host, port] = /^(.*):(\d+)$/.exec(service.forwardTo ?? '') ?? [];
  if (service.protocol === 'tcp' && port !== undefined && (host === '127.0.0.1' || host === 'localhost'))
    return Number(port);
  throw new LockkeeperError('invalid', `service ${service.name} cannot stand behind a gate that lockkeeper runs`, {
    hint: 'Give it `protocol: tcp` and `forwardTo: 127.0.0.1:PORT`, where it really listens.',
  });
}
