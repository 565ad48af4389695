import { sha256 } from '../../shared/base/canonical.ts';
import type { RunLog } from '../../shared/audit/log.ts';
import { evidenceKey } from '../../shared/audit/layout.ts';
import { verifierKey } from '../../shared/audit/tlog/note.ts';
import { MemoryBucket, memoryObjects } from '../../shared/objects/memory.ts';
import { proveConditions } from '../../shared/objects/self-test.ts';
import { day, parseInstant } from '../../shared/base/time.ts';
import { testWorld } from '../world.ts';
import { event, identity, place, runOn, type LogPlace } from './place.ts';
import { startWitnessServer } from './witness-server.ts';

/** A long log with everything that one can have. */
export interface LongLog extends LogPlace {
  /** What the anchor has. */
  readonly anchored: MemoryBucket;
  readonly verifierKey: string;
  readonly witnessKey: string;
}

export interface LongLogOptions {
  /** How many turns of four writers each; a turn makes about 260 entries. */
  readonly turns: number;
  readonly isWitnessed?: boolean;
}

const writers = 4;
const steps = 16;

/**
 * A log in memory of about 64 entries a writer and turn: the writers of a turn record at once, in batches of 1 to 7,
 * and seal while they do; some runs have no end. Four turns a day. With a witness that cosigns, an anchor, evidence
 * that entries rest on, and what the self-test leaves.
 */
export async function longLog({ turns, isWitnessed = true }: LongLogOptions): Promise<LongLog> {
  const anchored = new MemoryBucket();
  const key = verifierKey(identity.origin, await identity.signer.publicKey());
  const witness = isWitnessed ? await startWitnessServer({ logs: [key] }) : undefined;
  const witnesses = witness ? [{ key: witness.key, url: witness.url }] : [];
  const at = { ...place(), witnesses, anchors: [{ name: 'other-cloud', store: memoryObjects(anchored) }] };
  try {
    await proveConditions(at.log, { world: at.world, writes: 'create-only' });
    for (let turn = 0; turn < turns; turn += 1) await oneTurn(at, turn);
  } finally {
    await witness?.stop();
  }
  return { ...at, anchored, verifierKey: key, witnessKey: witness?.key ?? '' };
}

async function oneTurn(at: LogPlace, turn: number): Promise<void> {
  const facts = Buffer.from(JSON.stringify({ turn }));
  const evidence = sha256(facts);
  await at.log.create(evidenceKey(evidence), facts);
  const now = new Date(parseInstant('2026-10-01T00:00:00Z') + Math.floor(turn / 4) * day).toISOString();
  const logs = Array.from({ length: writers }, (_, writer) => ({
    writer,
    log: runOn(at, `run-${turn}-${writer}`, testWorld(now, `${turn}-${writer}`)),
  }));
  for (let step = 0; step < steps; step += 1) {
    await Promise.all(
      logs.map(
        async ({ writer, log }) =>
          await oneStep(log, { number: turn * 100 + step, count: 1 + ((step + writer) % 7), evidence }),
      ),
    );
    if (step % 4 === 3) await logs[Math.floor(step / 4)]?.log.seal();
  }
  for (const { writer, log } of logs) if ((turn + writer) % 9 !== 0) await log.end();
}

async function oneStep(
  log: RunLog,
  { number, count, evidence }: { readonly number: number; readonly count: number; readonly evidence: string },
): Promise<void> {
  // The first begins the batch; the others come while it is under way and go into the next one together.
  await Promise.all(
    Array.from({ length: count }, (_, at) => log.record(event(number, { details: { number, at, evidence } }))),
  );
}
