import { memoryFirewall, MemoryNetwork, type MemoryRule, type Packet } from '../../shared/firewalls/memory.ts';
import { firewallConformance, type FirewallPlace } from '../conformance/firewall.ts';

firewallConformance({ name: 'firewalls/memory', writes: true, fresh: async () => place(network()) });

function network(): MemoryNetwork {
  const interfaces = ['a', 'b'].map((id, at) => ({
    id: `if-${id}`,
    addresses: [`10.0.0.${at + 10}`],
    within: ['net', `rules-${id}`],
    attachedAt: undefined,
    blindSpot: undefined,
  }));
  return new MemoryNetwork(interfaces, [
    rule('r-1', 'rules-a', { protocol: 6, ports: { from: 80, to: 80 }, cidrs: ['10.0.0.0/8'], tags: { team: 'web' } }),
    rule('r-2', 'rules-a', { protocol: 6, ports: { from: 8000, to: 8100 }, cidrs: ['2001:db8::/32'] }),
    rule('r-3', 'rules-b', { protocol: 'all', ports: 'all', cidrs: ['10.0.0.0/8', '172.16.0.0/12'] }),
  ]);
}

function rule(id: string, ruleSet: string, rest: Partial<MemoryRule>): MemoryRule {
  const plain = {
    protocol: 6,
    ports: 'all',
    cidrs: [],
    description: `why ${id}`,
    tags: {},
    created: '2026-01-02T03:04:05Z',
  } as const;
  return { ...plain, ...rest, id, ruleSet };
}

function place(net: MemoryNetwork): FirewallPlace {
  const packets = new Map<string, Packet>([
    ['r-1', { from: '10.1.1.1', at: 'if-a', protocol: 6, port: 80 }],
    ['r-2', { from: '2001:db8::1', at: 'if-a', protocol: 6, port: 8050 }],
    ['r-3', { from: '172.16.0.1', at: 'if-b', protocol: 17, port: 53 }],
  ]);
  const change = (id: string, with_: Partial<MemoryRule>) =>
    net.rules.set(id, { ...(net.rules.get(id) ?? rule(id, 'rules-a', {})), ...with_ });
  return {
    firewall: memoryFirewall('net', net),
    second: memoryFirewall('net', net),
    openings: ['r-1', 'r-2', 'r-3'],
    admits: async (id) => {
      const packet = packets.get(id);
      return packet !== undefined && net.admits(packet);
    },
    rules: async () => new Map(net.rules),
    edit: async (id) => void change(id, { description: 'edited by hand' }),
    recreate: async (id) => void change(id, { cidrs: ['192.168.0.0/16'] }),
    end: async () => {},
  };
}
