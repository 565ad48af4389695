import ipaddr from 'ipaddr.js';
import type { Interface } from '../contract.ts';
import { Fields, type Item } from './fields.ts';
import type { Description } from './descriptions.ts';

/** An interface and the security groups it carries. */
export interface GroupedInterface {
  readonly one: Interface;
  readonly groups: readonly string[];
}

/** Reads describe-network-interfaces; `invalid` with every mistake at once. */
export function readInterfaces({ name, document }: Description): readonly GroupedInterface[] {
  const fields = new Fields(name);
  const interfaces = fields.list(document, 'NetworkInterfaces').map(readInterface);
  fields.done();
  return interfaces;
}

function readInterface(item: Item): GroupedInterface {
  return {
    one: {
      id: item.need('NetworkInterfaceId'),
      addresses: [...new Set(addressesOf(item))],
      within: [item.need('VpcId'), item.need('SubnetId')],
      attachedAt: item.inner('Attachment')?.time('AttachTime'),
      blindSpot: blindSpotOf(item),
    },
    groups: item.items('Groups').map((group) => group.need('GroupId')),
  };
}

/** Private and IPv6 addresses; a group never stands for public ones. */
function addressesOf(item: Item): readonly string[] {
  const found: string[] = [];
  const add = (holder: Item, field: string): void => {
    const text = holder.text(field);
    if (text === undefined || text === '') return;
    if (ipaddr.isValid(text)) found.push(canonical(text));
    else holder.wrong(field, 'is not an address');
  };
  add(item, 'PrivateIpAddress');
  for (const one of item.items('PrivateIpAddresses')) add(one, 'PrivateIpAddress');
  for (const one of item.items('Ipv6Addresses')) add(one, 'Ipv6Address');
  for (const one of item.items('Ipv4Prefixes')) found.push(...listed(one, 'Ipv4Prefix'));
  for (const one of item.items('Ipv6Prefixes')) found.push(...listed(one, 'Ipv6Prefix'));
  return found;
}

function canonical(text: string): string {
  const address = ipaddr.process(text);
  return address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString();
}

/** A delegated IPv4 prefix is 16 addresses, which are listed; an IPv6 one has too many. */
function listed(item: Item, field: string): readonly string[] {
  const prefix = item.text(field);
  if (prefix === undefined) return [];
  if (!ipaddr.isValidCIDR(prefix)) {
    item.wrong(field, 'is not a CIDR');
    return [];
  }
  const [start, bits] = ipaddr.parseCIDR(prefix);
  if (start.kind() === 'ipv6' || bits < 24) return [prefix];
  const bytes = start.toByteArray();
  return Array.from({ length: 2 ** (32 - bits) }, (_, index) =>
    [...bytes.slice(0, 3), (bytes[3] ?? 0) + index].join('.'),
  );
}

const blindTypes = new Map([
  ['network_load_balancer', 'it is a network load balancer, and packets between it and an endpoint are never logged'],
  ['gateway_load_balancer', 'it is a gateway load balancer, whose packets between endpoints are never logged'],
  [
    'gateway_load_balancer_endpoint',
    'it is a gateway load balancer endpoint, whose packets to the balancer are never logged',
  ],
  ['vpc_endpoint', 'it is an endpoint, and packets between it and a network load balancer are never logged'],
]);

function blindSpotOf(item: Item): string | undefined {
  if (item.text('Status') === 'available') return 'it is attached to nothing now, so nothing of it is logged';
  return blindTypes.get(item.text('InterfaceType') ?? '');
}
