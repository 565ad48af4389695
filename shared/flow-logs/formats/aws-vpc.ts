import { code } from '../aggregate.ts';
import { identifier, literal } from '../engine.ts';
import { most } from '../limits.ts';
import { second } from '../../base/time.ts';
import type { Within } from '../contract.ts';

/** Objects whose rows have the same columns in the same order, and how to open them. */
export interface AwsShape {
  /** Names of the columns with hyphens, in the objects' own order. */
  readonly fields: readonly string[];
  /** The same names as the objects write them (Parquet has underscores). */
  readonly columns: readonly string[];
  readonly encoding: 'text' | 'gzip' | 'parquet';
}

/** How the local end of a row is found: the row says so, or the interface's own addresses (table `own`) do. */
export type LocalEnd = 'told' | 'by-address';

const numeric: Readonly<Record<string, string>> = {
  srcport: 'USMALLINT',
  dstport: 'USMALLINT',
  protocol: 'UTINYINT',
  packets: 'BIGINT',
  bytes: 'BIGINT',
  start: 'UINTEGER',
  end: 'UINTEGER',
  'tcp-flags': 'UTINYINT',
};

/** True where rows are about a transit gateway: good rows, but no interface's flows. */
export function isTransitGateway({ fields }: AwsShape): boolean {
  return !fields.includes('interface-id') && (fields.includes('tgw-id') || fields.includes('resource-type'));
}

/** True where rows say which way they went. */
export function tellsDirection({ fields }: AwsShape): boolean {
  return fields.includes('flow-direction');
}

/**
 * SQL of every row of `files` as columns file, i, src, dst, sport, dport, protocol, packets, bytes, s, e, action,
 * status, flags, direction; null where the format has no such column. Columns are found by name, never by place. A line
 * that does not fit is an error; `lenient` leaves it out, and says nothing of it.
 */
export function awsRows(shape: AwsShape, files: readonly string[], lenient: boolean): string {
  const field = (name: string, otherwise = 'NULL') => (shape.fields.includes(name) ? read(shape, name) : otherwise);
  const text = (name: string) => field(name, 'NULL::VARCHAR');
  const number = (name: string) => field(name, `NULL::${numeric[name] ?? 'BIGINT'}`);
  const time = shape.fields.includes('end') ? `coalesce(${number('end')}, ${number('start')})` : number('start');
  // Only the columns that are needed: each string that is read costs as much as an aggregate.
  const place = shape.fields.includes('interface-id')
    ? ['interface-id', 'resource-id']
    : ['resource-id', 'instance-id'];
  return `SELECT file_index AS file, coalesce(${place.map(text).join(', ')}, '-') AS i,
  ${text('srcaddr')} AS src, ${text('dstaddr')} AS dst, ${number('srcport')} AS sport, ${number('dstport')} AS dport,
  ${number('protocol')} AS protocol, ${number('packets')} AS packets, ${number('bytes')} AS bytes, ${number('start')} AS s,
  ${time} AS e, ${text('action')} AS action, ${text('log-status')} AS status,
  ${number('tcp-flags')} AS flags, ${text('flow-direction')} AS direction
  FROM ${source(shape, files, lenient)}`;
}

function read({ encoding, fields, columns }: AwsShape, name: string): string {
  const column = identifier(columns[fields.indexOf(name)] ?? name);
  if (encoding !== 'parquet') return column;
  const plain = `nullif(${column}::VARCHAR, '-')`;
  const type = numeric[name];
  return type === undefined ? plain : `try_cast(${plain} AS ${type})`;
}

/**
 * DuckDB takes columns from a path with `=` unless it is told not to. Its reject tables hold the whole line once for each
 * column too many, so that one line of 100 kB takes minutes and gigabytes: they are never asked for.
 */
function source({ fields, columns: names, encoding }: AwsShape, files: readonly string[], lenient: boolean): string {
  const list = `[${files.map(literal).join(', ')}]`;
  if (encoding === 'parquet') return `read_parquet(${list}, hive_partitioning = false)`;
  const columns = names
    .map((name, index) => `${literal(name)}: '${numeric[fields[index] ?? ''] ?? 'VARCHAR'}'`)
    .join(', ');
  return `read_csv(${list}, columns = {${columns}}, delim = ' ', header = true, auto_detect = false, nullstr = '-', quote = '',
    escape = '', ignore_errors = ${lenient}, hive_partitioning = false, buffer_size = 4194304,
    compression = '${encoding === 'gzip' ? 'gzip' : 'none'}')`;
}

/** SQL of the sightings of `rows` (see aggregate.ts), by the table of FactKind. */
export function awsSightings(rows: string, localEnd: LocalEnd, within: Within): string {
  const told = localEnd === 'told';
  const sided = told ? `SELECT *, ${wayOut} AS out FROM (${rows})` : bySide(rows);
  return `
SELECT file, i, src, dst, sport, dport, out, protocol, packets, bytes, s, e, ${told ? '' : 'counted, '}(${kindOf(within)})::UTINYINT AS k
FROM (${sided})`;
}

const wayOut = `CASE direction WHEN 'egress' THEN true WHEN 'ingress' THEN false END`;

/** Rows without a known side are read from both; the second reading is not counted. */
function bySide(rows: string): string {
  return `
SELECT * EXCLUDE (away, side), coalesce(away, side) AS out, away IS NOT NULL OR side AS counted
FROM (
  SELECT r.*, CASE WHEN src IS NULL OR dst IS NULL THEN false WHEN direction IS NOT NULL THEN ${wayOut}
    WHEN coalesce(list_contains(o.addresses, src), false) <> coalesce(list_contains(o.addresses, dst), false) THEN list_contains(o.addresses, src) END AS away
  FROM (${rows}) r LEFT JOIN own o ON o.interface = r.i AND o.v6 = contains(r.src, ':')
) CROSS JOIN (VALUES (true), (false)) sides(side)
WHERE away IS NULL OR NOT side`;
}

const flow = `WHEN src IS NULL OR dst IS NULL OR protocol IS NULL OR e IS NULL THEN ${code.malformed}
  WHEN (sport IS NULL OR dport IS NULL) AND protocol IN (6, 17) THEN ${code.malformed}`;

function kindOf({ from, to }: Within): string {
  const [first, last] = [Math.ceil(from / second), Math.floor(to / second)];
  return `CASE
  WHEN e < ${first} OR e > ${last} OR s < ${first} OR s > ${last} THEN ${code.malformed}
  WHEN packets NOT BETWEEN 0 AND ${most.counter} OR bytes NOT BETWEEN 0 AND ${most.counter} THEN ${code.malformed}
  ${kind}`;
}

const kind = `WHEN status = 'NODATA' THEN CASE WHEN e IS NULL THEN ${code.other} ELSE ${code.seen} END
  WHEN status = 'SKIPDATA' THEN CASE WHEN e IS NULL THEN ${code.other} ELSE ${code.lost} END
  WHEN status <> 'OK' THEN ${code.malformed}
  ${flow}
  WHEN out IS NULL THEN CASE WHEN direction IS NULL THEN ${code.unclear} ELSE ${code.malformed} END
  WHEN action = 'REJECT' THEN CASE WHEN out THEN ${code.seen} ELSE ${code.rejected} END
  WHEN action <> 'ACCEPT' THEN ${code.malformed}
  WHEN protocol <> 6 OR flags IS NULL THEN CASE WHEN out THEN ${code.out} ELSE ${code.in} END
  WHEN flags & 18 = 18 THEN CASE WHEN out THEN ${code.answered} ELSE ${code.in} END
  WHEN flags & 2 <> 0 THEN CASE WHEN out THEN ${code['opened-out']} ELSE ${code['opened-in']} END
  WHEN out THEN CASE WHEN flags & 7 = 4 THEN ${code.refused} ELSE ${code.out} END
  ELSE ${code.in} END`;

/** Creates `own`: the addresses of interfaces by the inventory, and those found out from rows. */
export const createOwn = 'CREATE TABLE own (interface VARCHAR, v6 BOOLEAN, addresses VARCHAR[], found BOOLEAN)';

/**
 * SQL that fills `own` with the address common to all rows of an interface, a family, where the inventory does not
 * know the interface. With several common addresses, or none, nobody knows.
 */
export function findOwn(rows: string): string {
  return `INSERT INTO own
WITH pairs AS MATERIALIZED (
  SELECT i, contains(src, ':') AS v6, src, dst, count(*) AS n FROM (${rows}) WHERE src IS NOT NULL AND dst IS NOT NULL GROUP BY ALL
), ends AS (
  SELECT i, v6, address, sum(n) AS n FROM (SELECT i, v6, unnest(list_distinct([src, dst])) AS address, n FROM pairs) GROUP BY ALL
), totals AS (SELECT i, v6, sum(n) AS n FROM pairs GROUP BY ALL)
SELECT t.i, t.v6, list(e.address), true FROM totals t JOIN ends e ON e.i = t.i AND e.v6 = t.v6 AND e.n = t.n
WHERE NOT EXISTS (FROM own o WHERE o.interface = t.i AND o.v6 = t.v6)
GROUP BY ALL HAVING count(*) = 1`;
}
