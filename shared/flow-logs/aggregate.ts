/**
 * The one aggregation, as SQL text for DuckDB. A relation of sightings has one row a sighting:
 *
 *   file, i (interface), l (local), peer, lp, pp (ports), protocol, k (code of the kind), packets, bytes, s, e (times)
 *   and counted: false where the row is the second reading of one that is counted already.
 *
 * It is read once. One grouping set makes the facts; the same groups carry the hours they touched as bits, which makes
 * the coverage; a second grouping set counts rows an object.
 *
 *   hours: bit 23 − h is hour h of the day of `last`; bits 24 and up are the hours of the day before.
 */

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
   kind UTINYINT, folded BOOLEAN, hours BIGINT, records BIGINT, first BIGINT, last BIGINT, packets DOUBLE, bytes DOUBLE,
   largest DOUBLE, other_low INTEGER, other_high INTEGER)`,
  `CREATE TABLE spelled (address VARCHAR, canonical VARCHAR)`,
  `CREATE TABLE covered (scope VARCHAR, hour BIGINT, state VARCHAR)`,
];

/** Reads `relation` once into the temporary table `chunk`. `perSecond`: its times are seconds, else milliseconds. */
export function readChunk(relation: string, perSecond: boolean): string {
  return `CREATE OR REPLACE TEMP TABLE chunk AS ${groupsOf(relation, perSecond ? 1_000 : 1)}`;
}

/** Rows of the chunk an object (its place in the list that was read) and code. */
export const countsOfChunk = `SELECT file, key, once FROM chunk WHERE file IS NOT NULL`;

/** Adds the chunk to the groups. */
export function keepChunk(perSecond: boolean): string {
  const unit = perSecond ? 1_000 : 1;
  return `INSERT INTO groups
SELECT i, l, peer, (key >> 44)::INTEGER, ((key >> 8) & 255)::UTINYINT, ((key >> 16) & 65535)::INTEGER, (key & 127)::UTINYINT,
  (key & 128) <> 0, hours, records, first * ${unit}, last * ${unit}, packets, bytes, largest, other_low, other_high
FROM chunk WHERE file IS NULL AND (key & 127) < ${code.other}`;
}

/** Three strings and one integer as key: hashing eight columns instead costs a fifth of the whole read. */
function groupsOf(relation: string, unit: number): string {
  const day = 86_400_000 / unit;
  return `
SELECT file, coalesce(key, k) AS key, i, l, peer, bit_or(hours) AS hours, count(*) AS records, count_if(counted) AS once, min(s) AS first, max(e) AS last,
  sum(packets) AS packets, sum(bytes) AS bytes, max(bytes / nullif(packets, 0)) AS largest, min(other) AS other_low, max(other) AS other_high
FROM (
  SELECT *, (e // ${day})::UBIGINT * 17592186044416 + coalesce(port, 0)::UBIGINT * 65536 + coalesce(protocol, 0)::UBIGINT * 256
    + k + folded::UTINYINT * 128 AS key
  FROM (
    SELECT file, i, l, peer, protocol, packets::DOUBLE AS packets, bytes::DOUBLE AS bytes, least(s, e) AS s, coalesce(e, 0) AS e, k, counted, folded,
      CASE WHEN folded OR k = ${code['opened-out']} THEN pp ELSE lp END AS port,
      CASE WHEN folded OR k = ${code['opened-out']} THEN lp ELSE pp END AS other, ${hours(3_600_000 / unit)} AS hours
    FROM (SELECT *, coalesce(k IN (${code.in}, ${code.out}) AND lp >= 32768 AND pp < lp, false) AS folded FROM (${relation}))
  )
)
GROUP BY GROUPING SETS ((key, i, l, peer), (file, k))`;
}

/** A row longer than a day touches its last 25 hours: no cloud writes such rows. */
function hours(length: number): string {
  const last = `(e // ${length})`;
  const span = `least(greatest(${last} - coalesce(s, e) // ${length}, 0), 24)`;
  return `(((1::BIGINT << (${span} + 1)::BIGINT) - 1) << (23 - ${last} % 24)::BIGINT)`;
}

/** Addresses in the chunk that are not plain IPv4 and not spelled yet, each once: TypeScript spells them (addresses.ts). */
export const oddAddresses = `
SELECT DISTINCT address FROM (SELECT l AS address FROM chunk UNION ALL SELECT peer FROM chunk)
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
  CASE WHEN folded THEN other_low ELSE port END AS port_low, CASE WHEN folded THEN other_high ELSE port END AS port_high,
  CASE WHEN folded OR kind = ${code['opened-out']} THEN port ELSE other_low END AS peer_port_low,
  CASE WHEN folded OR kind = ${code['opened-out']} THEN port ELSE other_high END AS peer_port_high,
  first, last, records, packets::BIGINT AS packets, bytes::BIGINT AS bytes, largest
FROM capped
ORDER BY day, interface, local, protocol, port, kind, peer_port_low, peer NULLS LAST`;
}

const sums = `sum(records)::BIGINT AS records, min(first) AS first, max(last) AS last, sum(coalesce(packets, 0)) AS packets,
  sum(coalesce(bytes, 0)) AS bytes, max(coalesce(largest, 0)) AS largest, min(coalesce(other_low, 0)) AS other_low,
  max(coalesce(other_high, 0)) AS other_high`;

const kindName = `['opened-in', 'answered', 'refused', 'rejected', 'opened-out', 'in', 'out'][kind::INTEGER]`;

/** Rows of CoverageFact, in one order. Rows of `covered` are added as they are. */
export const coverageOf = `
SELECT DISTINCT scope, hour, state FROM (
  SELECT interface AS scope, (day::BIGINT * 24 + 23 - bit) * 3600000 AS hour, state
  FROM (
    SELECT interface, day, CASE WHEN kind = ${code.lost} THEN 'lost' ELSE 'seen' END AS state, bit_or(hours) AS hours
    FROM groups WHERE interface IS NOT NULL GROUP BY ALL
  ), range(48) bits(bit)
  WHERE (hours >> bit) & 1 = 1
  UNION ALL SELECT scope, hour, state FROM covered
)
ORDER BY scope, hour, state`;
