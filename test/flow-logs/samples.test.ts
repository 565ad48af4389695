import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { flows } from '../../functions/cli/flows.ts';

const samples = join(import.meta.dirname, '../../../shared/samples/flow-logs');

/** What people counted in each sample: flows, good rows that are no flow, bad rows. Undefined: no flow log at all. */
const held: Readonly<Record<string, readonly [records: number, status: number, malformed: number] | undefined>> = {
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
  'gcp/bigquery-vpc_flows_schema.json': undefined,
  'gcp/firewall-rule.log': [1, 0, 2],
  'gcp/gke-intranode-visibility.log': [1, 0, 2],
  'gcp/network-cloud-nat.log': [0, 1, 2],
  'gcp/network-vpc-flow.log': [1, 0, 2],
  'gcp/sample_payloads.jsonPayload.ndjson': [4, 0, 0],
};

const files = existsSync(samples) ? ['aws', 'azure', 'gcp'].flatMap((cloud) => readdirSync(join(samples, cloud)).map((name) => `${cloud}/${name}`)) : [];
if (files.length === 0) process.stderr.write('Not exercised: flow-log samples of other projects are not beside this checkout.\n');

const summarySchema = z.object({ records: z.number(), status: z.number(), malformed: z.number(), unreadable: z.string().optional() });
const lastLine = z.object({ summary: z.tuple([summarySchema]) });

async function printed(file: string) {
  const lines: string[] = [];
  const code = await flows([file], {}, { out: (line) => lines.push(line), err: (line) => lines.push(line), json: true, signal: new AbortController().signal });
  return { code, records: lines.slice(0, -1), summary: lastLine.parse(JSON.parse(lines.at(-1) ?? '')).summary[0] };
}

describe('flow logs that other projects wrote', () => {
  test('are all known here, none is passed over', () => {
    expect(files.filter((file) => !(file in held))).toEqual([]);
  });

  for (const file of files) {
    test(`${file}: every good row is a record or a status, every bad row is counted`, async () => {
      const { code, records, summary } = await printed(join(samples, file));
      const wanted = held[file];
      expect([summary.records, summary.status, summary.malformed]).toEqual(wanted ?? [0, 0, 0]);
      expect(records).toHaveLength(summary.records);
      expect([code, summary.unreadable === undefined]).toEqual(wanted ? [0, true] : [1, false]);
    });
  }

  for (const file of files.filter((name) => name.startsWith('azure/') && name.endsWith('.json'))) {
    test(`${file}: there is one record a tuple`, async () => {
      const tuples = readFileSync(join(samples, file), 'utf8').match(/"\d{10,13},[^"]*"/g) ?? [];
      expect((await printed(join(samples, file))).summary.records).toBe(tuples.length);
    });
  }

  for (const file of files.filter((name) => name.startsWith('aws/') && name.endsWith('.log'))) {
    test(`${file}: there is one row a line after the header`, async () => {
      const lines = readFileSync(join(samples, file), 'utf8').split('\n').filter((line) => line.trim() !== '');
      const { records, status, malformed } = (await printed(join(samples, file))).summary;
      expect(records + status + malformed).toBe(lines.length - 1);
    });
  }
});
