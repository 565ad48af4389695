import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { filesFlowLog } from '../../shared/flow-logs/files.ts';
import { memoryFlowLog, type MemoryObject } from '../../shared/flow-logs/memory.ts';
import type { ParsedRow } from '../../shared/flow-logs/contract.ts';
import { flowLogSuite, type FlowLogHarness, type TrafficObject } from '../conformance/flow-log.ts';
import type { TrafficCloud } from './traffic.ts';
import { awsColumns, awsText, azureText, gcpText } from './write-formats.ts';

const awsKeys = (suffix: string) => (count: number) =>
  Array.from(
    { length: count },
    (_, n) =>
      `AWSLogs/123456789012/vpcflowlogs/eu-central-1/2026/09/01/123456789012_vpcflowlogs_eu-central-1_fl-0a_20260901T0${n}00Z_aa${suffix}`,
  );
const gcpKeys = (count: number) =>
  Array.from(
    { length: count },
    (_, n) => `compute.googleapis.com/vpc_flows/2026/09/01/0${n}:00:00_0${n}:59:59_S0.json`,
  );
const azureKeys = (count: number) =>
  Array.from(
    { length: count },
    (_, n) => `flowLogResourceID=/S/F/y=2026/m=09/d=01/h=0${n}/m=00/macAddress=0022480A0B01/PT1H.json`,
  );

type Write = (object: TrafficObject) => Uint8Array;

/** Objects as files in the cloud's layout. */
function onDisk(cloud: TrafficCloud, write: Write) {
  return async (
    objects: readonly TrafficObject[],
    options?: { readonly peerCap?: number },
  ): Promise<FlowLogHarness> => {
    const directory = await mkdtemp(join(tmpdir(), 'flow-log-test-'));
    for (const object of objects) {
      const path = join(directory, object.key);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, write(object));
    }
    const log = filesFlowLog({ name: 'test', cloud, directory, limits: { threads: 1 }, ...options });
    return { log, close: () => rm(directory, { recursive: true, force: true }) };
  };
}

const packed = (text: string, isBroken = false): Uint8Array => {
  const bytes = gzipSync(text);
  return isBroken ? bytes.subarray(0, Math.floor(bytes.length * 0.7)) : bytes;
};
const shuffled = [
  'log-status',
  'flow-direction',
  'end',
  'dstaddr',
  'tcp-flags',
  'bytes',
  'srcaddr',
  'dstport',
  'action',
  'srcport',
  'interface-id',
  'protocol',
  'start',
  'packets',
];

flowLogSuite(
  'AWS gzip text',
  onDisk('aws', ({ rows, isBroken }) => packed(awsText(rows), isBroken)),
  { cloud: 'aws', keys: awsKeys('.log.gz') },
);
flowLogSuite(
  'AWS text with its columns in another order',
  onDisk('aws', ({ rows, isBroken }) => Buffer.from(isBroken ? 'no header here\n' : awsText(rows, shuffled))),
  {
    cloud: 'aws',
    keys: awsKeys('.log'),
  },
);
flowLogSuite(
  'AWS objects of different columns',
  onDisk('aws', ({ key, rows, isBroken }) =>
    packed(awsText(rows, key.includes('T0200Z') ? shuffled : awsColumns), isBroken),
  ),
  {
    cloud: 'aws',
    keys: awsKeys('.log.gz'),
  },
);
flowLogSuite(
  'GCP log entries',
  onDisk('gcp', ({ rows, isBroken }) => Buffer.from(isBroken ? 'nothing\nof this is JSON\n' : gcpText(rows))),
  { cloud: 'gcp', keys: gcpKeys },
);
flowLogSuite(
  'Azure PT1H.json',
  onDisk('azure', ({ rows, isBroken }) => Buffer.from(azureText(rows).slice(0, isBroken ? -9 : undefined))),
  { cloud: 'azure', keys: azureKeys },
);

for (const [cloud, keys] of [
  ['aws', awsKeys('.log.gz')],
  ['gcp', gcpKeys],
  ['azure', azureKeys],
] as const) {
  flowLogSuite(`memory, ${cloud} traffic`, inMemory(cloud), { cloud, keys });
}

function inMemory(cloud: TrafficCloud) {
  return async (
    objects: readonly TrafficObject[],
    options?: { readonly peerCap?: number },
  ): Promise<FlowLogHarness> => {
    const held = new Map(
      objects.map(({ key, rows, isBroken }) => [key, memoryObject(key, rows, isBroken ? 'made up' : undefined)]),
    );
    return { log: memoryFlowLog({ name: 'test', cloud, ...options }, held), close: async () => {} };
  };
}

function memoryObject(key: string, rows: readonly ParsedRow[], unreadable: string | undefined): MemoryObject {
  return { key, rows, unreadable, size: rows.length, version: '1' };
}
