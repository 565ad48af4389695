import { createHash } from 'node:crypto';
import { BlockList, isIPv6 } from 'node:net';
import { minute, hour } from '../../shared/base/time.ts';
import { Account, on } from './account.ts';
import type { LogFormat } from './log-rows.ts';
import { exchange, knock, middle, oneWay, ping, refused, scan, session, type Talk } from './traffic.ts';

/** An account of random rules and traffic, and what is true of it: known to the one who made it, not to the logs. */
export interface Labelled {
  readonly account: Account;
  /** Ports that real traffic used, by rule id; a rule that is not here let in nothing but knocks. */
  readonly used: ReadonlyMap<string, ReadonlySet<number>>;
  /** The conversations that used them, for whoever attacks those. */
  readonly talks: readonly UsedTalk[];
}

/** Real traffic that came in at an interface. */
export interface UsedTalk extends Talk {
  readonly eni: string;
  readonly sport: number;
  readonly protocol: number;
}

interface Rule {
  readonly id: string;
  readonly group: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp' | '-1';
  readonly from: number;
  readonly to: number;
  readonly source: { readonly cidr: string } | { readonly group: string };
}

interface Host {
  readonly eni: string;
  readonly ip: string;
  readonly groups: readonly string[];
}

/** A number from 0, below `sides`. */
type Dice = (sides: number) => number;

/** Randomness from a seed: the same seed gives the same account. */
export function dice(seed: string): Dice {
  let drawn = 0;
  return (sides) => {
    drawn += 1;
    return createHash('sha256').update(`${seed} ${drawn}`).digest().readUInt32BE(0) % sides;
  };
}

/** Makes an account from a seed, logged in the format. */
export function randomAccount(seed: string, format: LogFormat): Labelled {
  return randomNetwork(seed, new Account().log('fl-0a1', { at: 'vpc-1', format, objects: 'one' }), {
    network: 'vpc-1',
    tag: '',
  });
}

/** Adds a network of random rules and traffic to an account; `tag` goes before its ids. Its addresses are always the same. */
export function randomNetwork(
  seed: string,
  account: Account,
  { network, tag }: { readonly network: string; readonly tag: string },
): Labelled {
  const roll = dice(seed);
  const hosts: readonly Host[] = Array.from({ length: 6 }, (_, index) => ({
    eni: `${tag}eni-${index}`,
    ip: `10.0.${index % 3}.${10 + index}`,
    groups: [`${tag}sg-${index % 4}`, ...(roll(3) === 0 ? [`${tag}sg-${(index + 1) % 4}`] : [])],
  }));
  const rules = Array.from({ length: 16 }, (_, index) => anyRule(index, tag, roll));
  for (const { eni, ip, groups } of hosts) account.interface(eni, { ip, groups, vpc: network });
  for (const rule of rules) account.rule(rule.id, rule.group, asDocument(rule));
  const used = new Map<string, Set<number>>();
  const talks: UsedTalk[] = [];
  for (let index = 0; index < 70; index += 1) happen(account, { network, rules, hosts, used, talks }, roll);
  return { account, used, talks };
}

const services = [22, 80, 443, 3306, 5432, 6379, 8080, 9092, 50_051];
const outside = ['203.0.113.9', '198.51.100.20', '10.200.0.5', '172.20.1.1'];

function anyRule(index: number, tag: string, roll: Dice): Rule {
  const protocol = (['tcp', 'tcp', 'tcp', 'tcp', 'udp', 'icmp', '-1'] as const)[roll(7)] ?? 'tcp';
  const port = services[roll(services.length)] ?? 443;
  const range = (
    [
      [port, port],
      [port, port],
      [port, port + 9],
      [1024, 65_535],
      [0, 65_535],
    ] as const
  )[roll(5)] ?? [port, port];
  const cidr = ['0.0.0.0/0', '10.0.0.0/8', '10.0.1.0/24', '10.0.2.12/32', '203.0.113.0/24'][roll(5)] ?? '10.0.0.0/8';
  const source = roll(3) === 0 ? { group: `${tag}sg-${roll(4)}` } : { cidr };
  const hasPorts = protocol === 'tcp' || protocol === 'udp';
  return {
    id: `${tag}sgr-${String(index).padStart(2, '0')}`,
    group: `${tag}sg-${roll(4)}`,
    protocol,
    from: hasPorts ? range[0] : -1,
    to: hasPorts ? range[1] : -1,
    source,
  };
}

function asDocument({ protocol, from, to, source }: Rule): object {
  const ends = { IpProtocol: protocol, FromPort: from, ToPort: to };
  return 'cidr' in source
    ? { ...ends, CidrIpv4: source.cidr }
    : { ...ends, ReferencedGroupInfo: { GroupId: source.group } };
}

interface Place {
  readonly network: string;
  readonly rules: readonly Rule[];
  readonly hosts: readonly Host[];
  readonly used: Map<string, Set<number>>;
  readonly talks: UsedTalk[];
}

/** Something happens: mostly to a host, sometimes from a host to somebody outside. */
function happen(account: Account, place: Place, roll: Dice): void {
  const host = place.hosts[roll(place.hosts.length)] ?? place.hosts[0];
  const other =
    roll(3) === 0
      ? { ip: outside[roll(outside.length)] ?? '203.0.113.9' }
      : (place.hosts[roll(place.hosts.length)] ?? host);
  if (!host || !other || host.ip === other.ip) return;
  const isOutbound = roll(4) === 0 && outside.includes(other.ip);
  const at = on(roll(30), roll(20) * hour + roll(50) * minute);
  const port = services[roll(services.length)] ?? 443;
  const ports = roll(3) === 0 ? 1024 + roll(31_000) : 32_768 + roll(28_000);
  const ends = isOutbound ? { from: host.ip, to: other.ip } : { from: other.ip, to: host.ip };
  const talk = { ...ends, sport: ports, port, at, network: place.network };
  const kind =
    (['session', 'session', 'middle', 'oneWay', 'exchange', 'ping', 'scan', 'knock'] as const)[roll(8)] ?? 'session';
  const protocol = kind === 'ping' ? 'icmp' : kind === 'oneWay' || kind === 'exchange' ? 'udp' : 'tcp';
  if (isOutbound) return begin(account, kind === 'ping' ? 'session' : kind, talk);
  const letIn = place.rules.filter((rule) => lets(rule, { protocol, port, from: talk.from, host }, place.hosts));
  if (letIn.length === 0) return refused(account, talk);
  begin(account, kind, talk);
  if (kind === 'scan' || kind === 'knock') return undefined;
  if (kind !== 'ping') place.talks.push({ ...talk, eni: host.eni, protocol: protocol === 'udp' ? 17 : 6 });
  for (const { id } of letIn)
    place.used.set(id, (place.used.get(id) ?? new Set<number>()).add(kind === 'ping' ? -1 : port));
}

type Kind = 'session' | 'middle' | 'oneWay' | 'exchange' | 'ping' | 'scan' | 'knock';

function begin(account: Account, kind: Kind, talk: Talk): void {
  ({ session, middle, oneWay, exchange, ping, scan, knock })[kind](account, talk);
}

function lets(
  rule: Rule,
  packet: { readonly protocol: string; readonly port: number; readonly from: string; readonly host: Host },
  hosts: readonly Host[],
): boolean {
  if (!packet.host.groups.includes(rule.group)) return false;
  if (rule.protocol !== '-1' && rule.protocol !== packet.protocol) return false;
  if (rule.protocol !== '-1' && rule.protocol !== 'icmp' && (packet.port < rule.from || packet.port > rule.to))
    return false;
  const { source } = rule;
  if ('group' in source) return hosts.some(({ ip, groups }) => ip === packet.from && groups.includes(source.group));
  const list = new BlockList();
  const [network = '', bits = ''] = source.cidr.split('/');
  list.addSubnet(network, Number(bits), 'ipv4');
  return !isIPv6(packet.from) && list.check(packet.from, 'ipv4');
}
