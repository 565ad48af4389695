import type { Opening, PortRange } from '../../firewalls/contract.ts';
import { tcp, udp } from './initiator/conversations.ts';
import type { Use } from './initiator/initiator.ts';
import type { Reason } from '../verdict.ts';

/** The part of an opening that is used, or undefined where that is all of it or cannot be said. */
export function partUsed(
  { protocol, ports }: Opening,
  uses: readonly Use[],
): { readonly ports: readonly PortRange[]; readonly reason: Reason } | undefined {
  const hasPorts = protocol === 'all' || protocol === tcp || protocol === udp;
  const all = ports === 'all' ? { from: 0, to: 65_535 } : ports;
  if (!hasPorts || (all.from === all.to && protocol !== 'all')) return undefined;
  if (uses.some(({ kind }) => kind === 'direction-unclear')) return undefined;
  const withPorts = uses.filter((use) => use.protocol === tcp || use.protocol === udp);
  const used = merge(withPorts.map(({ low, high }) => ({ from: Math.max(low, all.from), to: Math.min(high, all.to) })));
  const isWhole = protocol !== 'all' && used.some(({ from, to }) => from <= all.from && all.to <= to);
  if (isWhole) return undefined;
  const text = `Only ${describe(uses)} of ${protocol === 'all' ? 'all protocols' : `${all.to - all.from + 1} ports`} came in; the rest can be closed.`;
  return { ports: used, reason: { code: 'part-used', text } };
}

function merge(ranges: readonly PortRange[]): readonly PortRange[] {
  const merged: PortRange[] = [];
  for (const { from, to } of ranges.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    const last = merged.at(-1);
    if (last && from <= last.to + 1) merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, to) };
    else merged.push({ from, to });
  }
  return merged;
}

function describe(uses: readonly Use[]): string {
  const names = new Map([
    [tcp, 'TCP'],
    [udp, 'UDP'],
    [1, 'ICMP'],
    [58, 'ICMPv6'],
  ]);
  const protocols = [...new Set(uses.map(({ protocol }) => protocol))].toSorted((a, b) => a - b);
  const parts = protocols.map((protocol) => {
    const ranges = merge(
      uses.filter((use) => use.protocol === protocol).map(({ low, high }) => ({ from: low, to: high })),
    );
    const listed = ranges.slice(0, 5).map(({ from, to }) => (from === to ? `${from}` : `${from}–${to}`));
    const more = ranges.length > 5 ? ` and ${ranges.length - 5} more` : '';
    const name = names.get(protocol) ?? `protocol ${protocol}`;
    return protocol === tcp || protocol === udp ? `${name} ${listed.join(', ')}${more}` : name;
  });
  return parts.join(', ');
}
