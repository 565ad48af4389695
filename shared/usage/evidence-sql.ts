import { hour } from '../base/time.ts';
import type { Window } from './evidence.ts';

/**
 * Rows of UsageRow from facts: everything until the window's end, one row a port, kind and peer. Folded facts (port 0
 * with local ports) are told apart by the peer's port. A fact is one day, so where the window cuts through one, what is
 * known of it are its first and last packet; a fact that spans the whole window is taken to be in it.
 */
export function rowsSql(from: string, { from: start, to }: Window, interfaces: string | undefined): string {
  const first = `CASE WHEN first >= ${start} THEN first WHEN last >= ${start} AND last < ${to} THEN last WHEN last >= ${to} THEN ${start} END`;
  const last = `CASE WHEN last < ${to} AND last >= ${start} THEN last WHEN last >= ${to} THEN greatest(first, ${start}) END`;
  return `
SELECT interface, local, protocol, port, kind, peer, min(port_low), max(port_high), min(peer_port_low), max(peer_port_high),
  min(first), max(last), min(${first}), max(${last}), list_sort(list(DISTINCT day)),
  sum(records)::DOUBLE, sum(packets)::DOUBLE, sum(bytes)::DOUBLE, max(largest)
FROM ${from}
WHERE first < ${to}${interfaces === undefined ? '' : ` AND interface IN (${interfaces})`}
GROUP BY interface, local, protocol, port, kind, peer, CASE WHEN port = 0 AND port_high > 0 THEN peer_port_low END
ORDER BY interface, local, protocol, port, kind, min(peer_port_low), peer NULLS LAST`;
}

/** Rows of ScopeCoverage from coverage facts, for the whole hours of the window. */
export function coverageSql(from: string, window: Window): string {
  const start = Math.ceil(window.from / hour) * hour;
  const end = Math.floor(window.to / hour) * hour;
  return `
WITH inside AS (
  SELECT DISTINCT scope, hour, state FROM ${from} WHERE hour >= ${start} AND hour < ${end}
), seen AS (
  SELECT scope, hour, hour // ${24 * hour} AS day FROM inside WHERE state = 'seen'
), days AS (
  SELECT scope, day, count(*) AS hours FROM seen GROUP BY ALL
), rhythm AS (
  SELECT scope, sum(hours)::BIGINT AS hours, median(hours) AS a_day, list(strftime(DATE '1970-01-01' + day::INTEGER, '%Y-%m-%d') ORDER BY day) AS days
  FROM days GROUP BY scope
), edges AS (
  SELECT scope, hour FROM seen UNION ALL SELECT DISTINCT scope, ${end} FROM seen
), gaps AS (
  SELECT scope, coalesce(lag(hour) OVER (PARTITION BY scope ORDER BY hour) + ${hour}, ${start}) AS begins, hour AS ends FROM edges
), longest AS (
  SELECT scope, list([begins, ends] ORDER BY ends - begins DESC, begins)[:20] AS gaps FROM gaps WHERE begins < ends GROUP BY scope
)
SELECT r.scope, r.hours, (SELECT count(*) FROM inside i WHERE i.scope = r.scope AND state = 'lost'), r.days, r.a_day,
  (SELECT min(hour) FROM seen s WHERE s.scope = r.scope), (SELECT max(hour) FROM seen s WHERE s.scope = r.scope), coalesce(l.gaps, [])
FROM rhythm r LEFT JOIN longest l USING (scope)
ORDER BY r.scope`;
}
