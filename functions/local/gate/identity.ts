import { sha256 } from '../../../shared/base/canonical.ts';
import type { GateInterface, GateNetwork } from './network.ts';

/** The names that a gate's flow logs use for a network: always the same for the same network and cloud. */
export function gateNetwork(name: string, cloud: GateNetwork['cloud']): GateNetwork {
  const id = sha256(name).slice(0, 17);
  if (cloud === 'aws') {
    return {
      name,
      cloud,
      account: '111122223333',
      region: 'eu-west-1',
      network: `vpc-${id}`,
      subnet: `subnet-${id}`,
      flowLog: `fl-${id}`,
    };
  }
  if (cloud === 'gcp') {
    return {
      name,
      cloud,
      account: 'lockkeeper-local',
      region: 'europe-west1',
      network: name,
      subnet: `${name}-subnet`,
      flowLog: `${name}-flows`,
    };
  }
  const subscription = `${sha256(name).slice(0, 8)}-0000-4000-8000-${sha256(name).slice(8, 20)}`;
  return {
    name,
    cloud,
    account: subscription,
    region: 'westeurope',
    network: name,
    subnet: `${name}-subnet`,
    flowLog: `${name}-flows`,
  };
}

/** The interface of a service, with the id that facts and openings carry in its cloud. One service, one interface. */
export function gateInterface(network: GateNetwork, service: string): GateInterface {
  const id = sha256(`${network.name}/${service}`);
  const address = '127.0.0.1';
  if (network.cloud === 'aws') return { id: `eni-${id.slice(0, 17)}`, machine: `i-${id.slice(0, 17)}`, address };
  if (network.cloud === 'gcp') return { id: `${network.subnet}/${service}`, machine: service, address };
  return { id: `0022${id.slice(0, 8).toUpperCase()}`, machine: service, address };
}
