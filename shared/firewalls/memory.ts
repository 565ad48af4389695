import { BlockList, isIPv6 } from 'node:net';
import { canonicalJson, sha256 } from '../base/canonical.ts';
import { LockkeeperError } from '../base/error.ts';
import { parseInstant } from '../base/time.ts';
import type { Firewall, FirewallState, Interface, Opening, PortRange, PreparedChange, Protocol } from './contract.ts';

/** A rule as this cloud tells it. All of it belongs to the rule: a restore brings back every field. */
export type MemoryRule = {
  readonly id: string;
  readonly ruleSet: string;
  readonly protocol: Protocol;
  readonly ports: 'all' | { readonly from: number; readonly to: number };
  readonly cidrs: readonly string[];
  readonly description: string;
  readonly tags: { readonly [name: string]: string };
  /** RFC 3339. */
  readonly created: string;
};

export interface Packet {
  readonly from: string;
  /** Id of the interface it arrives at. */
  readonly at: string;
  readonly protocol: number;
  readonly port: number;
}

/** One network that several handles share. People edit `rules` directly, behind every driver's back. */
export class MemoryNetwork {
  readonly rules = new Map<string, MemoryRule>();
  readonly interfaces: readonly Interface[];
  /** Whether somebody could see who is refused. */
  rejectsVisible = true;
  openConnectionsLastMs: number | undefined = 350_000;

  constructor(interfaces: readonly Interface[], rules: readonly MemoryRule[]) {
    this.interfaces = interfaces;
    for (const rule of rules) this.rules.set(rule.id, rule);
  }

  /** What a packet sees: is it let in by any rule? Decided without the driver. */
  admits(packet: Packet): boolean {
    return [...this.rules.values()].some(
      ({ ruleSet, protocol, ports, cidrs }) =>
        this.targetsOf(ruleSet).includes(packet.at) &&
        (protocol === 'all' || protocol === packet.protocol) &&
        (ports === 'all' || (ports.from <= packet.port && packet.port <= ports.to)) &&
        isWithin(packet.from, cidrs),
    );
  }

  /** Interfaces on which a rule set lies: it is named among what they hang within. */
  targetsOf(ruleSet: string): readonly string[] {
    return this.interfaces.filter(({ within }) => within.includes(ruleSet)).map(({ id }) => id);
  }
}

/** A union firewall in this process: any rule that matches lets a packet in, closing removes the rule. */
export function memoryFirewall(name: string, network: MemoryNetwork): Firewall {
  return {
    openings: async (): Promise<FirewallState> => ({
      cloud: 'local',
      evaluation: 'union',
      openings: [...network.rules.values()].map((rule) => openingOf(rule, network)),
      interfaces: network.interfaces,
    }),
    async prepare(change): Promise<PreparedChange> {
      const rule = network.rules.get(change.opening);
      if (!rule) throw new LockkeeperError('not-found', `opening ${change.opening} is not in ${name}`);
      const { rejectsVisible, openConnectionsLastMs } = network;
      return {
        firewall: name,
        change,
        before: rule,
        after: undefined,
        fingerprint: fingerprintOf(rule),
        rejectsVisible,
        openConnectionsLastMs,
      };
    },
    async apply(prepared) {
      const live = network.rules.get(prepared.change.opening);
      if (!live) return;
      if (fingerprintOf(live) !== prepared.fingerprint) throw touched(name, prepared, 'close');
      network.rules.delete(live.id);
    },
    async restore(prepared) {
      const live = network.rules.get(prepared.change.opening);
      if (live && fingerprintOf(live) === prepared.fingerprint) return;
      if (live) throw touched(name, prepared, 'reopen');
      network.rules.set(prepared.change.opening, readRule(prepared.before));
    },
  };
}

function openingOf(rule: MemoryRule, network: MemoryNetwork): Opening {
  return {
    id: rule.id,
    ruleSet: rule.ruleSet,
    direction: 'ingress',
    protocol: rule.protocol,
    ports: rule.ports,
    sources: [{ kind: 'addresses', cidrs: rule.cidrs }],
    targets: network.targetsOf(rule.ruleSet),
    createdAt: parseInstant(rule.created),
    description: rule.description,
    managedBy: rule.tags['managed-by'],
    rule,
    fingerprint: fingerprintOf(rule),
  };
}

function fingerprintOf(rule: MemoryRule): string {
  return sha256(canonicalJson(rule));
}

function touched(name: string, { change }: PreparedChange, verb: string): LockkeeperError {
  return new LockkeeperError(
    'conflict',
    `cannot ${verb} ${change.opening} in ${name}: somebody changed the rule meanwhile`,
    {
      hint: 'Compare the live rule with the prepared one; lockkeeper leaves it as it is.',
    },
  );
}

function isWithin(address: string, cidrs: readonly string[]): boolean {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [network = '', bits = ''] = cidr.split('/');
    list.addSubnet(network, Number(bits), isIPv6(network) ? 'ipv6' : 'ipv4');
  }
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** A stored rule as a rule again, every field checked; `invalid` names what is wrong. */
function readRule(stored: unknown): MemoryRule {
  if (isRule(stored)) return stored;
  throw new LockkeeperError('invalid', `${JSON.stringify(stored)} is not a rule of this firewall`);
}

function isRule(value: unknown): value is MemoryRule {
  if (typeof value !== 'object' || value === null) return false;
  const rule = new Map<string, unknown>(Object.entries(value));
  const texts = ['id', 'ruleSet', 'description', 'created'].every((field) => typeof rule.get(field) === 'string');
  const protocol = rule.get('protocol');
  const lists = Array.isArray(rule.get('cidrs')) && typeof rule.get('tags') === 'object';
  return texts && lists && (protocol === 'all' || typeof protocol === 'number') && isPorts(rule.get('ports'));
}

function isPorts(value: unknown): value is 'all' | PortRange {
  if (value === 'all') return true;
  if (typeof value !== 'object' || value === null) return false;
  return 'from' in value && typeof value.from === 'number' && 'to' in value && typeof value.to === 'number';
}
