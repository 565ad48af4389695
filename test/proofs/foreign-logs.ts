import { join } from 'node:path';
import { encodeEntry, firstPrevious } from '../../shared/audit/codec.ts';
import type { AuditEvent } from '../../shared/audit/entry.ts';
import { instant, parseInstant, second } from '../../shared/base/time.ts';
import { writePlainLog } from '../judges/plain-log.ts';

/** One log as it was exported when it had so many entries. */
export interface ExportedLog {
  readonly size: number;
  readonly directory: string;
  readonly entries: readonly Uint8Array[];
}

const begin = parseInstant('2026-10-01T00:00:00Z');

/** A log that grows, exported at each of the sizes, smallest first. */
export async function exportedLogs(place: string, sizes: readonly number[]): Promise<readonly ExportedLog[]> {
  const all = chainedEntries(Math.max(...sizes));
  const logs: ExportedLog[] = [];
  for (const size of sizes) {
    const log = { size, directory: join(place, `log-${size}`), entries: all.slice(0, size) };
    await writePlainLog(log.directory, log.entries);
    logs.push(log);
  }
  return logs;
}

function chainedEntries(count: number): readonly Uint8Array[] {
  let previous = firstPrevious;
  return Array.from({ length: count }, (_, index) => {
    const { bytes, hash } = encodeEntry({ previous, id: `id-${index}`, run: 'run-1', n: index, at: instant(begin + index * second), event: eventOf(index) });
    previous = hash;
    return bytes;
  });
}

/** Intents and outcomes of rotations and closings, in turn. */
function eventOf(index: number): AuditEvent {
  const number = Math.floor(index / 4);
  const isOutcome = index % 2 === 1;
  const about =
    index % 4 < 2
      ? { action: 'rotation.set', subject: { kind: 'credential', id: `db-${number}` } as const, correlation: `rotation-${number}` }
      : { action: 'closure.apply', subject: { kind: 'opening', id: `sgr-${number}` } as const, correlation: `closure-${number}` };
  return { ...about, actor: 'lockkeeper', stage: isOutcome ? 'outcome' : 'intent', ...(isOutcome && { result: 'done' }), details: { number } };
}
