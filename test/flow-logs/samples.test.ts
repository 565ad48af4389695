import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { flows } from '../../functions/cli/flows.ts';
import { filesFlowLog } from '../../shared/flow-logs/files.ts';
import type { LogObject } from '../../shared/flow-logs/contract.ts';

const samples = join(import.meta.dirname, '../../../shared/samples/flow-logs');
const areThere = existsSync(samples);
if (!areThere)
  process.stderr.write('The third-party samples of flow logs are not there: their parsing was not exercised.\n');

/** Records, status rows and malformed rows of every sample, counted by hand from the files. */
const counted: Readonly<Record<string, readonly [number, number, number]>> = {
  'aws/obsrvbl-v2.log': [3, 2, 0],
  'aws/obsrvbl-v3.log': [2, 0, 0],
  'aws/obsrvbl-v4.log': [2, 0, 0],
  'aws/obsrvbl-v5.log': [2, 0, 1],
  'aws/obsrvbl-v6.log': [0, 1, 0],
  'aws/valid_tgw_flow_log.log': [0, 1, 0],
  'aws/valid_vpc_flow_cw.json': [2, 0, 0],
  'aws/valid_vpc_flow_log.log': [0, 1, 0],
  'aws/valid_vpc_flow_log_ecs.log': [1, 0, 0],
  'aws/valid_vpc_flow_log_multi.log': [2, 0, 0],
  'azure/nsg-v1-records.json': [9, 0, 0],
  'azure/sumologic-nsg-v2.json': [153, 0, 0],
  'azure/sumologic-vnet-subnet.json': [68, 0, 0],
  'azure/vnet-bandwidth-example.tuples.txt': [3, 0, 0],
  'azure/vnet-v4-PT1H.json': [19, 0, 0],
  'gcp/firewall-rule.log': [1, 0, 2],
  'gcp/gke-intranode-visibility.log': [1, 0, 2],
  'gcp/network-cloud-nat.log': [0, 1, 2],
  'gcp/network-vpc-flow.log': [1, 0, 2],
  'gcp/sample_payloads.jsonPayload.ndjson': [4, 0, 0],
};

test('every row of every third-party sample is a record, a status row or malformed, none is lost', async () => {
  for (const [file, expected] of areThere ? Object.entries(counted) : []) {
    const lines: string[] = [];
    const terminal = {
      out: (line: string) => lines.push(line),
      err: () => {},
      json: true,
      signal: new AbortController().signal,
    };
    const code = await flows([join(samples, file)], {}, terminal);
    const last: unknown = JSON.parse(lines.at(-1) ?? 'null');
    const [records, status, malformed] = expected;
    expect([file, last]).toMatchObject([file, { summary: [{ records, status, malformed }] }]);
    expect([code, lines.length]).toEqual([0, records + 1]);
  }
});

test('the samples count the same on their way into facts', async () => {
  for (const cloud of areThere ? (['aws', 'azure', 'gcp'] as const) : []) {
    const log = filesFlowLog({ name: 'samples', cloud, directory: join(samples, cloud) });
    const objects: LogObject[] = [];
    for await (const object of log.objects()) objects.push(object);
    for (const { key, records, malformed } of (await log.usage(objects)).objects) {
      const [flowRows, statusRows, bad] = counted[`${cloud}/${key}`] ?? [0, 0, malformed];
      expect([key, records, malformed]).toEqual([key, flowRows + statusRows, bad]);
    }
  }
});

test('a file that is no flow log is named, and the exit code says so', async () => {
  const said: string[] = [];
  const terminal = {
    out: () => {},
    err: (line: string) => said.push(line),
    json: false,
    signal: new AbortController().signal,
  };
  const files = [import.meta.filename, join(import.meta.dirname, 'not-there.log')];
  expect(await flows(files, {}, terminal)).toBe(1);
  expect(said.join('\n')).toContain('looks like no flow log');
  expect(said.join('\n')).toContain('not-there.log');
});
