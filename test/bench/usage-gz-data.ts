import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** How much traffic to write: `files` objects of `records` rows each. */
export interface TrafficSize {
  readonly files: number;
  readonly records: number;
}

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id sublocation-type sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path';
const serverPorts = [22, 80, 443, 3306, 5432, 6379, 8080, 8443, 9092, 9200];
const machines = 300;
const servers = 100;
const midnight = 1_790_035_200;

/**
 * One day of AWS version-5 flow logs of 300 machines, 100 of them servers with one or two ports: sessions seen from
 * both ends, clients of very different zeal, ephemeral ports, flags, refusals, DNS, three percent NODATA. The same size
 * gives the same bytes; objects that are there already are kept. Returns their paths.
 */
export async function writeTraffic(directory: string, { files, records }: TrafficSize): Promise<readonly string[]> {
  await mkdir(directory, { recursive: true });
  const present = new Set(await readdir(directory));
  const paths: string[] = [];
  const running = new Set<Promise<void>>();
  for (let file = 0; file < files; file += 1) {
    const name = `123456789012_vpcflowlogs_eu-central-1_fl-0a1b2c3d_20260922T${String(file).padStart(4, '0')}Z_${records}.log.gz`;
    paths.push(join(directory, name));
    if (present.has(name)) continue;
    const text = Buffer.from(objectText(file, { files, records }));
    const job = pack(join(directory, name), text).finally(() => running.delete(job));
    running.add(job);
    if (running.size > 1) await Promise.race(running);
  }
  await Promise.all(running);
  return paths;
}

async function pack(path: string, text: Buffer): Promise<void> {
  await writeFile(`${path}.part`, await promisify(gzip)(text, { level: 6 }));
  await rename(`${path}.part`, path);
}

function objectText(file: number, { files, records }: TrafficSize): string {
  const next = randomNumbers(file + 1);
  const from = midnight + Math.floor((file * 86_400) / files);
  const width = Math.floor(86_400 / files) - 60;
  const lines = [header];
  while (lines.length <= records) {
    const start = from + (next() % width);
    const chance = next() % 100;
    if (chance < 3) lines.push(noData(next() % machines, start));
    else lines.push(...session(next, start, chance));
  }
  lines.length = records + 1;
  return `${lines.join('\n')}\n`;
}

/** Xorshift, 32 bits: fast, and the same everywhere. */
function randomNumbers(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}

/** Four rows, two at each end, or one refused packet. */
function session(next: () => number, start: number, chance: number): string[] {
  const server = next() % servers;
  // The product of two chances makes a few clients talk most of the time.
  const zeal = Math.floor(((next() % 1_000) * (next() % 1_000) * 40) / 1_000_000);
  const client = (server * 7 + zeal * 11 + 100) % machines;
  const isDns = chance < 6;
  const port = isDns ? 53 : (serverPorts[(server + (next() % 4 === 0 ? 1 : 0)) % 10] ?? 443);
  const flow = {
    client: addressOf(client),
    server: addressOf(server),
    ephemeral: 32_768 + (next() % 28_000),
    port,
    protocol: isDns ? 17 : 6,
  };
  const packets = 1 + (next() % 60);
  const end = start + (next() % 60);
  const bytes = packets * (52 + (next() % 900));
  if (chance === 99)
    return [
      line({
        ...flow,
        at: server,
        isReply: false,
        flags: 2,
        packets: 1,
        bytes: 60,
        start,
        end,
        action: 'REJECT',
        way: 'ingress',
      }),
    ];
  const kind = next() % 4;
  const there = {
    ...flow,
    isReply: false,
    flags: isDns ? 0 : ([2, 3, 0, 1][kind] ?? 0),
    packets,
    bytes,
    start,
    end,
    action: 'ACCEPT',
  };
  const back = {
    ...there,
    isReply: true,
    flags: isDns ? 0 : ([18, 19, 0, 1][kind] ?? 0),
    packets: packets + 2,
    bytes: bytes * 3,
  };
  return [
    line({ ...there, at: server, way: 'ingress' }),
    line({ ...back, at: server, way: 'egress' }),
    line({ ...there, at: client, way: 'egress' }),
    line({ ...back, at: client, way: 'ingress' }),
  ];
}

interface Row {
  readonly at: number;
  readonly way: 'ingress' | 'egress';
  readonly isReply: boolean;
  readonly client: string;
  readonly server: string;
  readonly ephemeral: number;
  readonly port: number;
  readonly protocol: number;
  readonly flags: number;
  readonly packets: number;
  readonly bytes: number;
  readonly start: number;
  readonly end: number;
  readonly action: string;
}

function line(row: Row): string {
  const [from, to] = row.isReply ? [row.server, row.client] : [row.client, row.server];
  const [sport, dport] = row.isReply ? [row.port, row.ephemeral] : [row.ephemeral, row.port];
  const counted = `${row.packets} ${row.bytes} ${row.start} ${row.end} ${row.action}`;
  return `5 123456789012 ${eni(row.at)} ${from} ${to} ${sport} ${dport} ${row.protocol} ${counted} OK ${place(row.at)} ${row.flags} IPv4 ${from} ${to} eu-central-1 euc1-az2 - - - - ${row.way} ${row.way === 'egress' ? '1' : '-'}`;
}

function noData(at: number, start: number): string {
  return `5 123456789012 ${eni(at)} - - - - - - - ${start} ${start + 59} - NODATA ${place(at)} - - - - eu-central-1 euc1-az2 - - - - - -`;
}

const addressOf = perMachine((machine) => `10.0.${machine >> 6}.${(machine % 64) + 10}`);
const eni = perMachine((machine) => `eni-0${hex(machine * 7_919 + 1_048_576)}`);
const place = perMachine(
  (machine) => `vpc-0a1b2c3d4e5f60718 subnet-0${hex(machine % 12)} i-0${hex(machine * 31 + 4_096)}`,
);

/** Each text is made once: they are in millions of lines. */
function perMachine(text: (machine: number) => string): (machine: number) => string {
  const texts = Array.from({ length: machines }, (_, machine) => text(machine));
  return (machine) => texts[machine] ?? '-';
}

function hex(value: number): string {
  return value.toString(16).padStart(16, '0');
}
