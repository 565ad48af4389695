import type { FlowFormat } from '../../../shared/flow-logs/rows.ts';
import type { Choice } from './seeded.ts';

/** The key of a good object. */
export function goodKey(format: FlowFormat, n: number): string {
  const hour = String(n % 24).padStart(2, '0');
  if (format === 'gcp') return `compute.googleapis.com/vpc_flows/2026/09/01/${hour}:00:00_${hour}:59:59_S${n}.json`;
  if (format === 'azure')
    return `flowLogResourceID=/S/NW/F${n}/y=2026/m=09/d=01/h=${hour}/m=00/macAddress=00/PT1H.json`;
  return `AWSLogs/1/vpcflowlogs/r/2026/09/01/1_vpcflowlogs_r_fl-1_20260901T${hour}00Z_${n}.log.gz`;
}

const folders = [
  'AWSLogs/1/vpcflowlogs/r/2026/02/31',
  'AWSLogs/1/vpcflowlogs/r/0000/00/00',
  'AWSLogs/1/vpcflowlogs/r/9999/99/99',
  'AWSLogs/1/vpcflowlogs/r/9999/12/31',
  'AWSLogs/1/vpcflowlogs/r/99999/01/01',
  'AWSLogs/1/vpcflowlogs/r/year=2026/month=01/day=01',
  'constructor/2026/01/01',
  '__proto__/2026/01/01',
  'srcaddr=10.0.0.5/dstport=22/packets=7/end=0',
  'flowLogResourceID=/y=2026/m=02/d=31/h=25/m=00',
  'k=v/[a-z]*/{a,b}/**',
  '..a/...',
  'it\'s/"quoted"',
  'a\nb/\t',
  ' ',
  '.',
];

const files = [
  "a'b",
  '*',
  '?',
  '[!x]',
  '{a,b}',
  '%2e%2e',
  '..',
  'a\\b',
  '\u202egpj',
  '\u001b[2J',
  '😀',
  '$(id)',
  ';',
  '#',
  'x=y',
];
const times = [
  '20260231T2500Z',
  '00000000T0000Z',
  '99991231T2359Z',
  '20260901T0000Z',
  '19700101T0000Z',
  '999990101T0000Z',
];
const endings: Readonly<Record<FlowFormat, readonly string[]>> = {
  aws: ['.log.gz', '.log', '.log.parquet', '.json', '.gz'],
  gcp: ['.json', '.json.gz', '.log'],
  azure: ['/PT1H.json', '.json', '.json.gz'],
};

/** A key that a reader may trip over; `n` keeps keys apart. */
export function badKey(format: FlowFormat, choice: Choice, n: number): string {
  const name = choice.once(3)
    ? `1_vpcflowlogs_r_fl-1_${choice.of(times)}_${n}`
    : `${choice.of(files)}${choice.once(20) ? 'l'.repeat(150) : ''}${n}`;
  const folder = choice.once(2) ? choice.of(folders) : `AWSLogs/1/vpcflowlogs/r/2026/09/0${1 + choice.below(9)}`;
  return `${folder}/${name}${choice.of(endings[format])}`;
}
