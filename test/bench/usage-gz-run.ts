import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { filesFlowLog } from '../../shared/flow-logs/files.ts';
import { literal, withEngine } from '../../shared/flow-logs/engine.ts';
import type { LogObject } from '../../shared/flow-logs/contract.ts';

// One measurement in a process of its own: node usage-gz-run.ts bare|usage DIRECTORY THREADS. Prints one JSON line.
const [what = '', directory = '', threads = '2'] = process.argv.slice(2);
const objects = await objectsIn(directory);
const started = performance.now();
const records = what === 'bare' ? await bare() : await usage();
const seconds = (performance.now() - started) / 1_000;
const { user, system } = process.cpuUsage();
process.stdout.write(`${JSON.stringify({ seconds, records, cpu: (user + system) / 1e6, rssMb: process.resourceUsage().maxRSS / 1_024 })}\n`);

async function objectsIn(place: string): Promise<readonly LogObject[]> {
  const names = (await readdir(place)).filter((name) => name.endsWith('.log.gz')).toSorted();
  return Promise.all(names.map(async (key) => ({ key, size: (await stat(join(place, key))).size, version: '1' })));
}

async function usage(): Promise<number> {
  const log = filesFlowLog({ name: 'bench', cloud: 'aws', directory, limits: { threads: Number(threads) } });
  const batch = await log.usage(objects);
  return batch.objects.reduce((sum, object) => sum + object.records, 0);
}

/** What a person would type who knows the columns: typed where used, nothing checked, all memory allowed. */
async function bare(): Promise<number> {
  const header =
    'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id sublocation-type sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path';
  const numbers: Readonly<Record<string, string>> = { dstport: 'USMALLINT', protocol: 'UTINYINT', start: 'UINTEGER', end: 'UINTEGER' };
  const columns = header.split(' ').map((name) => `${literal(name)}: '${numbers[name] ?? 'VARCHAR'}'`);
  const files = objects.map(({ key }) => literal(join(directory, key)));
  return withEngine({ threads: Number(threads), memory: '8GB' }, async (engine) => {
    await engine.run(`CREATE TABLE grouped AS
SELECT "interface-id", dstport, protocol, "end" // 86400 AS day, count(*) AS n, min("start") AS first, max("end") AS last
FROM read_csv([${files.join(', ')}], columns = {${columns.join(', ')}}, delim = ' ', header = true, auto_detect = false, nullstr = '-', quote = '', escape = '')
GROUP BY ALL`);
    const [counted] = await engine.rows('SELECT sum(n) FROM grouped');
    return Number(counted?.[0]);
  });
}
