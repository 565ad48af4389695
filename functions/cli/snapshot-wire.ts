import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, day, instant } from '../../shared/base/time.ts';
import type { World } from '../../shared/base/world.ts';
import { awsSecurityGroups } from '../../shared/firewalls/aws-security-group.ts';
import type { FlowLog, LogObject } from '../../shared/flow-logs/contract.ts';
import { filesFlowLog } from '../../shared/flow-logs/files.ts';
import { memoryObjects } from '../../shared/objects/memory.ts';
import { collect } from '../../shared/usage/collect.ts';
import type { UsageEvidence, Window } from '../../shared/usage/evidence.ts';
import { readEvidence } from '../../shared/usage/read-evidence.ts';
import type { EvidenceRequest, SnapshotDeps } from './scan-snapshot.ts';
import { flowLogOf } from './snapshot-flow-logs.ts';
import type { LogEvidence } from './snapshot-logs.ts';

/** A snapshot's firewall and flow logs: files only, facts in memory, no cloud. */
export function snapshotDeps(world: World): SnapshotDeps {
  return {
    world,
    openings: (files) => awsSecurityGroups({ name: 'the snapshot', describe: async () => files.firewall }).openings(),
    evidence: (request) => readLogs(request, world),
  };
}

/** One flow log of the cloud after the other: what one covers says nothing about another. */
async function readLogs(request: EvidenceRequest, world: World): Promise<readonly LogEvidence[]> {
  const directory = join(request.directory, 'flow-logs');
  if (!(await isThere(directory))) return [];
  const files = filesFlowLog({ name: 'snapshot', cloud: 'aws', directory, interfaces: request.state.interfaces });
  const objects: LogObject[] = [];
  for await (const object of files.objects()) objects.push(object);
  const read: LogEvidence[] = [];
  for (const [log, mine] of Map.groupBy(objects, ({ key }) => flowLogOf(key))) {
    read.push({ log, evidence: await readLog(only(files, log, mine), request.window, world) });
  }
  return read;
}

async function readLog(flowLog: FlowLog, window: Window, world: World): Promise<UsageEvidence> {
  const state = memoryObjects();
  // Nothing of a snapshot is still being written, so nothing has to settle.
  const later: World = { ...world, now: () => after(instant(Math.max(world.now(), window.to)), day) };
  await collect({ flowLog, state, world: later, settle: 0 });
  return readEvidence({ state, logs: [flowLog.describe().name], window, world: later });
}

/** The objects of one flow log of the cloud, in key order. */
function only(files: FlowLog, log: string | undefined, mine: readonly LogObject[]): FlowLog {
  return {
    ...files,
    describe: () => ({ ...files.describe(), name: log ?? 'unnamed' }),
    async *objects(start = '') {
      yield* mine.filter(({ key }) => start === '' || Buffer.compare(Buffer.from(key), Buffer.from(start)) > 0);
    },
  };
}

async function isThere(directory: string): Promise<boolean> {
  try {
    return (await stat(directory)).isDirectory();
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
