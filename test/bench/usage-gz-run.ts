import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { filesFlowLog } from '../../shared/flow-logs/files.ts';
import { literal, withEngine } from '../../shared/flow-logs/engine.ts';
import type { LogObject } from '../../shared/flow-logs/contract.ts';

// One measurement in a process of its own: node usage-gz-run.ts bare|lean|usage DIRECTORY THREADS. Prints one JSON
// line.
const [what = '', directory = '', threads = '2'] = process.argv.slice(2);
/**
 * The columns that a fact is keyed by and sums up, with the types that AWS gives them: what the job cannot do without.
 */
const byFact = {
  by: '"interface-id", dstaddr, dstport, protocol',
  values: ', sum(packets) AS packets, sum(bytes) AS bytes',
  types: {
    dstport: 'INTEGER',
    protocol: 'INTEGER',
    packets: 'BIGINT',
    bytes: 'BIGINT',
    start: 'BIGINT',
    end: 'BIGINT',
  },
};
/** The least that still is a read-and-group: no address, no sums, the smallest types that hold the values. */
const lean = {
  by: '"interface-id", dstport, protocol',
  values: '',
  types: { dstport: 'USMALLINT', protocol: 'UTINYINT', start: 'UINTEGER', end: 'UINTEGER' },
};
const objects = await objectsIn(directory);
const started = performance.now();
const records = what === 'usage' ? await usage() : await bare(what === 'lean' ? lean : byFact);
const seconds = (performance.now() - started) / 1_000;
const { user, system } = process.cpuUsage();
process.stdout.write(
  `${JSON.stringify({ seconds, records, cpu: (user + system) / 1e6, rssMb: process.resourceUsage().maxRSS / 1_024 })}\n`,
);

async function objectsIn(place: string): Promise<readonly LogObject[]> {
  const names = (await readdir(place)).filter((name) => name.endsWith('.log.gz')).toSorted();
  return Promise.all(names.map(async (key) => ({ key, size: (await stat(join(place, key))).size, version: '1' })));
}

async function usage(): Promise<number> {
  const log = filesFlowLog({ name: 'bench', cloud: 'aws', directory, limits: { threads: Number(threads) } });
  const batch = await log.usage(objects);
  return batch.objects.reduce((sum, object) => sum + object.records, 0);
}

/** A read-and-group of the same files: nothing checked, nothing decided, all memory allowed. */
async function bare({
  by,
  values,
  types,
}: {
  readonly by: string;
  readonly values: string;
  readonly types: Readonly<Record<string, string>>;
}): Promise<number> {
  const header =
    'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id sublocation-type sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path';
  const columns = header.split(' ').map((name) => `${literal(name)}: '${types[name] ?? 'VARCHAR'}'`);
  const files = objects.map(({ key }) => literal(join(directory, key)));
  return withEngine({ threads: Number(threads), memory: '8GB' }, async (engine) => {
    await engine.run(`CREATE TABLE grouped AS
SELECT ${by}, "end" // 86400 AS day, count(*) AS n, min("start") AS first, max("end") AS last${values}
FROM read_csv([${files.join(', ')}], columns = {${columns.join(', ')}}, delim = ' ', header = true, auto_detect = false, nullstr = '-', quote = '', escape = '')
GROUP BY ALL`);
    const [counted] = await engine.rows('SELECT sum(n) FROM grouped');
    return Number(counted?.[0]);
  });
}
