/**
 * The one aggregation, as SQL text for DuckDB. A relation of sightings has one row a sighting:
 *
 *   file, i (interface), src, dst, sport, dport, out (true: the source is local), protocol, k (code of the kind),
 *   packets, bytes, s, e (times) and counted: false where the row is the second reading of one that is counted already.
 *
 * It is read once. One grouping set makes the facts; the second, much smaller, one an object, interface and hour, makes
 * the coverage and counts rows by object.
 */

import { most } from './limits.ts';

/** Kinds as small numbers, so that a group's key is one integer. From `seen` on the row is no fact. */
export const code = {
  'opened-in': 1,
  answered: 2,
  refused: 3,
  rejected: 4,
  'opened-out': 5,
  in: 6,
  out: 7,
  /** Good, proves coverage, and nothing else: NODATA, a refused packet going out. */
  seen: 8,
  /** Good; the cloud says that records are missing: SKIPDATA. */
  lost: 9,
  /** Good, and about no interface. */
  other: 10,
  /** Good, but which end is local has to be found out from other rows. */
  unclear: 11,
  malformed: 12,
} as const;

/** Peers of one day, interface, local address, protocol, port and kind that are kept apart; the latest win. */
export const peerCap = 64;

/** Creates the tables that one read fills. */
export const createGroups: readonly string[] = [
  `CREATE TABLE groups (interface VARCHAR, local VARCHAR, peer VARCHAR, day INTEGER, protocol UTINYINT, port INTEGER,
   kind UTINYINT, folded BOOLEAN, records BIGINT, first BIGINT, last BIGINT, packets DOUBLE, bytes DOUBLE,
   largest DOUBLE, other_low INTEGER, other_high INTEGER)`,
  `CREATE TABLE spelled (address VARCHAR, canonical VARCHAR)`,
  `CREATE TABLE covered (scope VARCHAR, hour BIGINT, state VARCHAR)`,
];

/** What a relation of sightings is like. */
export interface RelationKind {
  /**
   * Times are seconds and rows are of objects: as AWS writes them. Else milliseconds, counted and covered elsewhere.
   */
  readonly isRaw: boolean;
  /** It has the column `counted`; else every row is counted. */
  readonly hasTwice: boolean;
}

/** Reads `relation` once into the temporary table `chunk`. */
export function readChunk(relation: string, kind: RelationKind): string {
  return `CREATE OR REPLACE TEMP TABLE chunk AS ${groupsOf(relation, kind)}`;
}

/** Rows of the chunk an object (its place in the list that was read) and code. */
export const countsOfChunk = `SELECT file, key, sum(once) FROM chunk WHERE file IS NOT NULL GROUP BY file, key`;

/** Adds the chunk's facts to the groups, which do not tell any more which end was the source. */
export function keepChunk({ isRaw }: RelationKind): string {
  const unit = isRaw ? 1_000 : 1;
  const out = '(key & 64) <> 0';
  return `INSERT INTO groups
SELECT i, CASE WHEN ${out} THEN src ELSE dst END, CASE WHEN ${out} THEN dst ELSE src END, (key >> 44)::INTEGER,
  ((key >> 8) & 255)::UTINYINT, ((key >> 16) & 65535)::INTEGER, (key & 15)::UTINYINT, (key & 128) <> 0, records,
  least(first, last) * ${unit}, last * ${unit}, packets, bytes, largest, other_low, other_high
FROM chunk WHERE file IS NULL AND (key & 15) < ${code.seen}`;
}

/** Adds the hours that the chunk's good rows touch; of a row longer than a day, which no cloud writes, the last 25. */
export const keepHours = `INSERT INTO covered
SELECT DISTINCT i, unnest(range(greatest(least(coalesce(hs, h), h), h - 24)::BIGINT, h::BIGINT + 1)) * 3600000,
  CASE WHEN key = ${code.lost} THEN 'lost' ELSE 'seen' END
FROM chunk WHERE file IS NOT NULL AND key NOT IN (${code.other}, ${code.malformed})`;

/**
 * This is where the time goes, so: one integer for most of the key, nothing that DuckDB does row by row (least is as
 * dear as three aggregates), divisions in the type of the times. A mean packet of no packets is null by the setting
 * ieee_floating_point_ops.
 */
function groupsOf(relation: string, { isRaw, hasTwice }: RelationKind): string {
  const day = isRaw ? 86_400 : 86_400_000;
  const [byObject, sets] = isRaw
    ? ['file, i, h, hs, coalesce(key, k) AS key', 'GROUPING SETS ((key, i, src, dst), (file, i, h, hs, k))']
    : ['NULL AS file, i, key', 'key, i, src, dst'];
  return `
SELECT ${byObject}, src, dst, count(*) AS records, ${hasTwice ? 'count_if(counted)' : 'count(*)'} AS once, min(s)::BIGINT AS first,
  max(e)::BIGINT AS last, sum(packets) AS packets, sum(bytes) AS bytes, max(bytes / packets) AS largest,
  min(other) AS other_low, max(other) AS other_high
FROM (
  SELECT *, CASE WHEN is_source THEN dport ELSE sport END AS other,
    (e // ${day})::UBIGINT * 17592186044416 + (CASE WHEN is_source THEN sport ELSE dport END::UINTEGER * 65536
    + protocol::UINTEGER * 256 + k + out::UTINYINT * 64 + folded::UTINYINT * 128) AS key
  FROM (
    SELECT *, out <> (folded OR k = ${code['opened-out']}) AS is_source, e // 3600 AS h, s // 3600 AS hs
    FROM (
      SELECT *, k >= ${code.in} AND k <= ${code.out}
        AND CASE WHEN out THEN ${isFolded('sport', 'dport')} ELSE ${isFolded('dport', 'sport')} END AS folded
      FROM (
        SELECT * REPLACE (packets::DOUBLE AS packets, bytes::DOUBLE AS bytes, coalesce(e, 0) AS e, coalesce(sport, 0) AS sport,
          coalesce(dport, 0) AS dport, coalesce(protocol, 0) AS protocol, coalesce(out, false) AS out)
        FROM (${relation})
      )
    )
  )
)
GROUP BY ${sets}`;
}

function isFolded(local: string, peer: string): string {
  return `${local} >= 32768 AND ${peer} < ${local}`;
}

/** Objects of the chunk with an interface that no cloud names so (limits.ts). */
export const oddNames = `SELECT DISTINCT file FROM chunk
WHERE file IS NOT NULL AND (length(i) > ${most.nameChars} OR regexp_matches(i, '[\\x00-\\x1f\\x7f-\\x{9f}\\x{fffd}]'))`;

/**
 * Addresses in the chunk that are not plain IPv4 and not spelled yet, each once: TypeScript spells them (addresses.ts).
 */
export const oddAddresses = `
SELECT DISTINCT address FROM (SELECT src AS address FROM chunk UNION ALL SELECT dst FROM chunk)
WHERE address IS NOT NULL AND address NOT IN (SELECT address FROM spelled)
  AND NOT regexp_full_match(address, '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)(\\.(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)){3}')`;

/** Rows of Fact, in one order, from the groups and the table `spelled` (canonical is null for what is no address). */
export function factsOf(cap = peerCap): string {
  return `
WITH good AS (
  SELECT g.* REPLACE (coalesce(l.canonical, g.local) AS local, coalesce(p.canonical, g.peer) AS peer)
  FROM groups g LEFT JOIN spelled l ON l.address = g.local LEFT JOIN spelled p ON p.address = g.peer
  WHERE kind < ${code.seen} AND (l.address IS NULL OR l.canonical IS NOT NULL) AND (p.address IS NULL OR p.canonical IS NOT NULL)
), merged AS (
  SELECT day, interface, local, protocol, port, kind, folded, peer, ${sums} FROM good GROUP BY ALL
), ranked AS (
  SELECT *, row_number() OVER (PARTITION BY day, interface, local, protocol, port, kind, folded ORDER BY last DESC, peer) AS place
  FROM merged
), capped AS (
  SELECT day, interface, local, protocol, port, kind, folded, CASE WHEN place <= ${cap} THEN peer END AS peer, ${sums}
  FROM (SELECT * EXCLUDE (place), place FROM ranked) GROUP BY ALL
)
SELECT strftime(DATE '1970-01-01' + day, '%Y-%m-%d') AS day, interface, local, protocol::INTEGER AS protocol,
  CASE WHEN folded THEN 0 ELSE port END AS port, ${kindName} AS kind, peer,
  CASE WHEN ${isByPeerPort} THEN other_low ELSE port END AS port_low,
  CASE WHEN ${isByPeerPort} THEN other_high ELSE port END AS port_high,
  CASE WHEN ${isByPeerPort} THEN port ELSE other_low END AS peer_port_low,
  CASE WHEN ${isByPeerPort} THEN port ELSE other_high END AS peer_port_high,
  first, last, records, least(packets, 9e18)::BIGINT AS packets, least(bytes, 9e18)::BIGINT AS bytes, largest
FROM capped
ORDER BY day, interface, local, protocol, port, kind, peer_port_low, peer NULLS LAST`;
}

/** Groups whose port is the peer's, and whose other ports are local. */
const isByPeerPort = `folded OR kind = ${code['opened-out']}`;

const sums = `sum(records)::BIGINT AS records, min(first) AS first, max(last) AS last, sum(coalesce(packets, 0)) AS packets,
  sum(coalesce(bytes, 0)) AS bytes, max(coalesce(largest, 0)) AS largest, min(coalesce(other_low, 0)) AS other_low,
  max(coalesce(other_high, 0)) AS other_high`;

const kindName = `['opened-in', 'answered', 'refused', 'rejected', 'opened-out', 'in', 'out'][kind::INTEGER]`;

/** Rows of CoverageFact, in one order. */
export const coverageOf = 'SELECT DISTINCT scope, hour, state FROM covered ORDER BY scope, hour, state';
