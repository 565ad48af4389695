import ipaddr from 'ipaddr.js';
import { canonicalJson, sha256 } from '../../base/canonical.ts';
import type { Opening, PortRange, Protocol, Source } from '../contract.ts';
import type { Description } from './descriptions.ts';
import { Fields, type Item } from './fields.ts';
import type { Group } from './groups.ts';
import { plain } from './plain.ts';
import { ownerOf, tagsOf } from './tags.ts';

/** What a rule's source and its group are looked up in. */
export interface Surroundings {
  readonly groups: ReadonlyMap<string, Group>;
  /** CIDRs of each prefix list whose entries are known. */
  readonly prefixLists: ReadonlyMap<string, readonly string[]>;
  /** Names that people gave prefix lists. */
  readonly listNames: ReadonlyMap<string, string>;
}

/** Reads describe-security-group-rules; `invalid` with every mistake at once. */
export function readRules({ name, document }: Description, surroundings: Surroundings): readonly Opening[] {
  const fields = new Fields(name);
  const openings = fields.list(document, 'SecurityGroupRules').map((item) => readRule(item, surroundings));
  fields.done();
  return openings;
}

function readRule(item: Item, surroundings: Surroundings): Opening {
  const ruleSet = item.need('GroupId');
  const group = surroundings.groups.get(ruleSet);
  const protocol = protocolOf(item);
  const rule = plain(item.value);
  return {
    id: item.need('SecurityGroupRuleId'),
    ruleSet,
    direction: item.flag('IsEgress') === true ? 'egress' : 'ingress',
    protocol,
    ports: portsOf(item, protocol),
    sources: sourcesOf(item, surroundings),
    targets: group?.interfaces ?? [],
    createdAt: undefined,
    description: item.text('Description') ?? '',
    managedBy: ownerOf(tagsOf(item)) ?? group?.managedBy,
    rule,
    fingerprint: sha256(canonicalJson(rule)),
  };
}

const protocols = new Map<string, Protocol>([
  ['-1', 'all'],
  ['tcp', 6],
  ['udp', 17],
  ['icmp', 1],
  ['icmpv6', 58],
]);

function protocolOf(item: Item): Protocol {
  const text = item.need('IpProtocol').toLowerCase();
  const known = protocols.get(text) ?? (/^\d{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : undefined);
  if (known === undefined && text !== '') item.wrong('IpProtocol', `is no protocol: ${JSON.stringify(text)}`);
  return known ?? 'all';
}

/** Only TCP, UDP and ICMP have ports or types; any other protocol means all ports, whatever the fields say. */
function portsOf(item: Item, protocol: Protocol): PortRange | 'all' {
  const from = item.number('FromPort') ?? -1;
  const to = item.number('ToPort') ?? -1;
  if (protocol === 1 || protocol === 58) return typesOf(from, to);
  if (protocol !== 6 && protocol !== 17) return 'all';
  if (from === -1 && to === -1) return 'all';
  if (from < 0 || to > 65_535 || from > to) item.wrong('FromPort', `and ToPort are no range: ${from}–${to}`);
  return { from, to };
}

/** FromPort is the type and ToPort the code, -1 for any. */
function typesOf(type: number, code: number): PortRange | 'all' {
  if (type < 0) return 'all';
  return code < 0 ? { from: type * 256, to: type * 256 + 255 } : { from: type * 256 + code, to: type * 256 + code };
}

function sourcesOf(item: Item, surroundings: Surroundings): readonly Source[] {
  const cidr = item.text('CidrIpv4') ?? item.text('CidrIpv6');
  if (cidr !== undefined) {
    if (!ipaddr.isValidCIDR(cidr)) item.wrong('Cidr', `is not a CIDR: ${JSON.stringify(cidr)}`);
    return [{ kind: 'addresses', cidrs: [cidr] }];
  }
  const list = item.text('PrefixListId');
  if (list !== undefined) return [prefixListSource(list, surroundings)];
  const reference = item.inner('ReferencedGroupInfo');
  if (reference) return groupSources(reference, surroundings.groups);
  item.wrong('CidrIpv4', 'is missing, and so are CidrIpv6, PrefixListId and ReferencedGroupInfo');
  return [];
}

function prefixListSource(list: string, { prefixLists, listNames }: Surroundings): Source {
  const cidrs = prefixLists.get(list);
  if (cidrs) return { kind: 'addresses', cidrs };
  const named = listNames.get(list);
  const called = named === undefined ? '' : `it is ${named}; `;
  return {
    kind: 'unknown',
    name: list,
    why: `${called}save the answer of aws ec2 get-managed-prefix-list-entries --prefix-list-id ${list}`,
  };
}

/** A group of somebody else may have members here and elsewhere. */
function groupSources(reference: Item, groups: ReadonlyMap<string, Group>): readonly Source[] {
  const name = reference.need('GroupId');
  const group = groups.get(name);
  const here: readonly Source[] = group ? [{ kind: 'group', group: name, members: group.members }] : [];
  if (group?.isDescribed) return here;
  const where = reference.text('VpcPeeringConnectionId') ?? reference.text('UserId') ?? 'another account';
  return [
    ...here,
    {
      kind: 'unknown',
      name,
      why: `its members are in ${where}, and only whoever owns that can list them`,
      privateOnly: true,
    },
  ];
}
