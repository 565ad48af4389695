import { after, hour, instant, parseInstant, type Instant } from '../../shared/base/time.ts';
import { memoryFlowLog, type MemoryObject } from '../../shared/flow-logs/memory.ts';
import type { FlowLog, ParsedRow, UsageBatch } from '../../shared/flow-logs/contract.ts';

export const start = parseInstant('2026-09-01T00:00:00Z');

/** A flow log of one object an hour, each with one session at port 5432, and the objects to change. */
export function hourlyLog(hours: number, name = 'made'): { log: FlowLog; objects: Map<string, MemoryObject> } {
  const objects = new Map(Array.from({ length: hours }, (_, index) => [keyAt(index), objectAt(index)]));
  return { log: memoryFlowLog({ name, cloud: 'aws', settleMs: hour }, objects), objects };
}

/** Key of the object of one hour, counted from the start. */
export function keyAt(index: number): string {
  const at = new Date(start + index * hour).toISOString();
  return `AWSLogs/1/vpcflowlogs/r/${at.slice(0, 10).replaceAll('-', '/')}/${at.slice(11, 13)}.log.gz`;
}

/** The object of one hour; `version` tells two states of it apart, `rows` defaults to one session. */
export function objectAt(index: number, version = '1', rows: readonly ParsedRow[] = [session(index)]): MemoryObject {
  return { key: keyAt(index), size: 100, version, ends: after(start, (index + 1) * hour), rows };
}

/** One answered connection in an hour, by a peer of one's choice. */
export function session(index: number, peer = '10.0.0.9'): ParsedRow {
  const at: Instant = instant(start + index * hour + 60_000);
  return {
    kind: 'record',
    record: {
      cloud: 'aws',
      interface: 'eni-0a',
      source: '10.0.0.5',
      sourcePort: 5432,
      destination: peer,
      destinationPort: 50_000,
      protocol: 6,
      direction: 'egress',
      action: 'accepted',
      flags: 18,
      start: at,
      end: after(at, 30_000),
      packets: 4,
      bytes: 800,
      returnedPackets: undefined,
      returnedBytes: undefined,
    },
  };
}

/** The log with what it answered before: the same objects give the same rows again, so a table of crashes asks once. */
export function remembering(log: FlowLog, usages: Map<string, UsageBatch>): FlowLog {
  return {
    ...log,
    async usage(objects) {
      const wanted = objects.map(({ key, version }) => `${key} ${version}`).join('\n');
      const usage = usages.get(wanted) ?? (await log.usage(objects));
      usages.set(wanted, usage);
      return usage;
    },
  };
}
