import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FlowLogWriter } from '../../../../functions/local/gate/flow-log-writer.ts';
import { awsFormat } from '../../../../functions/local/gate/formats/aws.ts';
import { azureFormat } from '../../../../functions/local/gate/formats/azure.ts';
import { gcpFormat } from '../../../../functions/local/gate/formats/gcp.ts';
import { gateInterface, gateNetwork } from '../../../../functions/local/gate/identity.ts';
import type { FlowSlice } from '../../../../functions/local/gate/flow-table.ts';
import { after, day, hour, type Instant } from '../../../../shared/base/time.ts';
import { filesFlowLog } from '../../../../shared/flow-logs/files.ts';
import type { Closure } from '../../../../shared/idle-ports/closing/closure.ts';
import { defaultClosingPolicy } from '../../../../shared/idle-ports/closing/limits.ts';
import { refusalsOf } from '../../../../shared/idle-ports/closing/refusals.ts';
import { decideWatching } from '../../../../shared/idle-ports/closing/watch-decision.ts';
import { memoryObjects, MemoryBucket } from '../../../../shared/objects/memory.ts';
import { collect } from '../../../../shared/usage/collect.ts';
import { readEvidence } from '../../../../shared/usage/read-evidence.ts';
import type { World } from '../../../../shared/base/world.ts';
import { conversation, spoofed, type Packet } from './packets.ts';

const formats = { aws: awsFormat, gcp: gcpFormat, azure: azureFormat } as const;
const [client, neighbour] = ['10.1.1.1', '10.2.2.2'];

/**
 * What watching decides where the log is one of this cloud: the gate's writer wrote it, the real reader reads it. The
 * client used the opening long ago, the neighbour another port; then these packets came in these names.
 */
export async function watched(
  cloud: keyof typeof formats,
  sent: { readonly client: number; readonly neighbour: number },
  { closure, world }: { readonly closure: Closure; readonly world: World },
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-attack-log-'));
  try {
    const network = gateNetwork('elsewhere', cloud);
    const [one, other] = ['db', 'web'].map((name) => gateInterface(network, name));
    if (!one || !other) throw new Error('no interfaces');
    const now = world.now();
    const closedAt = after(now, -2 * day);
    const places = { [one.id]: 5432, [other.id]: 80 };
    const packet = (peer: string, id: string, at: Instant): Packet => ({
      peer,
      interface: id,
      port: places[id] ?? 0,
      at,
    });
    const log = new FlowLogWriter({
      directory,
      format: formats[cloud](network, [one, other]),
      publishMs: hour,
      interfaces: [one.id, other.id],
      onFailure: (error) => {
        throw error;
      },
    });
    const write = (at: Instant, slices: readonly FlowSlice[]) =>
      log.add({ from: after(at, -1000), to: after(at, 1000), slices, losses: [] });
    const long = after(now, -40 * day);
    write(long, [conversation(packet(client, one.id, long)), conversation(packet(neighbour, other.id, long))]);
    const late = after(now, -day);
    const many = (peer: string, count: number) =>
      Array.from({ length: count }, (_, n) => spoofed(packet(peer, one.id, late), n));
    write(late, [...many(client, sent.client), ...many(neighbour, sent.neighbour)]);
    await log.flush();
    const state = memoryObjects(new MemoryBucket());
    await collect({ flowLog: filesFlowLog({ name: 'it', cloud, directory, limits: { threads: 1 } }), state, world });
    const evidence = await readEvidence({ state, logs: ['it'], window: { from: closedAt, to: now }, world });
    const moved = { targets: [one.id], ports: { from: 5432, to: 5432 }, admitted: ['0.0.0.0/0'] };
    const watching = { ...closure, closedAt, knocksTold: undefined, knockers: undefined };
    const here = { ...watching, evidence: { ...closure.evidence, ...moved } };
    const refusals = refusalsOf(here, evidence, defaultClosingPolicy);
    const decided = decideWatching(here, { refusals, isOpen: false }, { policy: defaultClosingPolicy, now });
    return decided.kind;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
