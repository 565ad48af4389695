import { instant } from '../base/time.ts';
import type { Session, Slot } from './contract.ts';
import type { SessionSeen } from './postgres-sessions.ts';

/** A session, and the endpoint that showed it. */
export interface SeenAt {
  readonly endpoint: string;
  readonly seen: SessionSeen;
}

/** Sessions as people are told of them, each once, though a server may be seen through several endpoints. */
export function peersOf(slot: Slot, sessions: readonly SeenAt[]): readonly Session[] {
  const each = new Map<string, SeenAt>();
  for (const one of sessions) {
    const { pid, began, started } = one.seen;
    const key = JSON.stringify([started, pid, began]);
    const known = each.get(key);
    // Through its pooler more is known of it.
    if (!known || (one.seen.fromPooler && !known.seen.fromPooler)) each.set(key, one);
  }
  return [...each.values()].map(({ endpoint, seen }) => ({
    slot,
    peer: peerOf(seen, endpoint),
    since: seen.began === undefined ? undefined : instant(seen.began / 1_000),
  }));
}

function peerOf({ address, program, began, fromPooler }: SessionSeen, endpoint: string): string {
  const named = program ? ` (${program})` : '';
  if (began === undefined)
    return `not shown${named}: lockkeeper’s own login lacks pg_read_all_stats, so neither address nor beginning is known`;
  const told = `${address ?? 'local socket'}${named}`;
  // Its clients may be gone: a pooler keeps the connection to the server, and gives it to the next one.
  return fromPooler
    ? `${told}, where the pooler at ${endpoint} comes from: RECONNECT on its console closes what its clients do not use`
    : told;
}
