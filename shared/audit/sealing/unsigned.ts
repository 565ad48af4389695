import { instant, type Instant } from '../../base/time.ts';
import { parseCanonical } from '../entries/codec.ts';
import { writerOf, type LogDeps } from '../log-deps.ts';
import { readPublished } from './published.ts';
import { sequencedEntries } from './sequenced-entries.ts';
import { readSequenced } from './sequenced.ts';
import { InboxReader } from './waiting.ts';

/** Acknowledged and proven entries that no published checkpoint covers yet. */
export interface Unsigned {
  /** How many; of very many objects in the inbox only the first thousand are looked at. */
  readonly entries: number;
  /** When the oldest of them was recorded; undefined where there are none. */
  readonly since: Instant | undefined;
}

const lookedAt = 1_000;

/**
 * How far the signed tree is behind what was acknowledged; what is in `known` was refused before and is not read
 * again. Only reads; `conflict` where the log store was cut off or changed.
 */
export async function unsignedEntries(
  deps: Pick<LogDeps, 'log' | 'state' | 'world' | 'writerKey' | 'origin'>,
  known: Map<string, string> = new Map(),
): Promise<Unsigned> {
  const { log, state, world } = deps;
  const signed = (await readPublished({ log, state }))?.size ?? 0;
  const [writer, now] = [await writerOf(deps), world.now()];
  const sequenced = await readSequenced({ log, state, now, trust: { signed, writer } });
  const batches = await new InboxReader({ log, writer, known }).next(sequenced, lookedAt);
  const oldest: Uint8Array[] = batches.flatMap(({ entries }) => entries.slice(0, 1));
  for await (const { entry } of sequencedEntries(log, { from: signed, to: Math.min(signed + 1, sequenced.size) }))
    oldest.push(entry);
  const waiting = batches.reduce((sum, { count }) => sum + count, 0);
  return {
    entries: waiting + Math.max(0, sequenced.size - signed),
    since: earliest(oldest.flatMap((entry) => timeOf(entry) ?? [])),
  };
}

/** Not of the whole form of an entry: a newer version of lockkeeper may know more kinds. */
function timeOf(entry: Uint8Array): Instant | undefined {
  const { time } = parseCanonical(entry);
  return typeof time === 'number' ? instant(time) : undefined;
}

function earliest(times: readonly Instant[]): Instant | undefined {
  return times.toSorted((a, b) => a - b)[0];
}
