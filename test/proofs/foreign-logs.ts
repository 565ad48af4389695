import { sign } from 'node:crypto';
import { join } from 'node:path';
import { exportFolder } from '../../functions/cli/export-folder.ts';
import type { AuditEvent } from '../../shared/audit/entry.ts';
import { exportLog } from '../../shared/audit/export/export.ts';
import { auditLog, type RunLog } from '../../shared/audit/log.ts';
import type { LogDeps } from '../../shared/audit/log-deps.ts';
import { placedEntries } from '../../shared/audit/read.ts';
import { tiledLog } from '../../shared/audit/export/tiled-log.ts';
import { rawEd25519 } from '../../shared/base/ed25519.ts';
import { dayOf, second } from '../../shared/base/time.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import { memoryObjects } from '../../shared/objects/memory.ts';
import type { Signer } from '../../shared/signers/contract.ts';
import { logKey, origin } from '../judges/plain-log.ts';
import { testWorld, type TestWorld } from '../world.ts';
import { plantedBatches } from './attacks/inbox/plants.ts';

/** One log as it was exported when it had so many entries. */
export interface ExportedLog {
  readonly size: number;
  readonly directory: string;
  readonly entries: readonly Uint8Array[];
}

const writerKey = new Uint8Array(32).fill(7);

const signer: Signer = {
  publicKey: async () => rawEd25519(logKey),
  sign: async (message) => sign(null, message, logKey),
};

/**
 * A log that grows as it does in service: runs record side by side and end, it is sealed, and exported at each of the
 * sizes, smallest first. A size of 1 cannot be: an event brings the start of its run along.
 */
export async function exportedLogs(place: string, sizes: readonly number[]): Promise<readonly ExportedLog[]> {
  const world = testWorld();
  const deps = {
    log: memoryObjects(),
    state: memoryObjects(),
    world,
    origin,
    signer,
    writerKey: async () => writerKey,
  };
  const writer = new Writer(deps);
  const logs: ExportedLog[] = [];
  for (const size of sizes) {
    await plantAmong(deps, logs.length + 1);
    await writer.growTo(size);
    const directory = join(place, `log-${size}`);
    await exportTo(directory, deps);
    const entries: Uint8Array[] = [];
    for await (const { entry } of placedEntries(deps.log, 0, { to: size, signed: size })) entries.push(entry);
    if (entries.length !== size) throw new Error(`the log has ${entries.length} entries, not ${size}`);
    logs.push({ size, directory, entries });
  }
  await writer.end();
  return logs;
}

/** Objects that nobody with the key wrote lie among the genuine ones: what others verify is the log without them. */
async function plantAmong({ log, world }: LogDeps, rounds: number): Promise<void> {
  const batches: { key: string; bytes: Uint8Array }[] = [];
  for await (const { key } of log.list('inbox/')) {
    const stored = batches.length < 3 ? await log.get(key) : undefined;
    if (stored) batches.push({ key, bytes: stored.bytes });
  }
  for (const { key, bytes } of plantedBatches({ day: dayOf(world.now()), batches, origin, writerKey }, rounds))
    await log.create(key, bytes);
}

async function exportTo(directory: string, deps: LogDeps): Promise<void> {
  const folder = exportFolder(directory, fileSystemObjects({ directory, world: deps.world }));
  await exportLog({ tiles: await tiledLog(deps), log: deps.log, folder, formats: ['tiles'] });
}

/** So many runs record at once, and each so many events before it ends. */
const [sideBySide, perRun] = [7, 1_500];

/** Makes the log of the dependencies longer, by runs that end, and one that goes on. */
class Writer {
  readonly #deps: LogDeps & { readonly world: TestWorld };
  readonly #last: RunLog;
  #size = 0;
  #runs = 0;

  constructor(deps: LogDeps & { readonly world: TestWorld }) {
    this.#deps = deps;
    this.#last = this.#begin();
  }

  /** Seals the log at exactly this size. */
  async growTo(size: number): Promise<void> {
    while (size - this.#size > sideBySide * (perRun + 2)) {
      await Promise.all(Array.from({ length: sideBySide }, () => this.#wholeRun()));
      await this.#last.seal();
    }
    const start = this.#size === 0 ? 1 : 0;
    await this.#record(this.#last, size - this.#size - start);
    this.#size += start;
    await this.#last.seal();
  }

  async end(): Promise<void> {
    await this.#last.end();
  }

  /** With the entries of its start and end. */
  async #wholeRun(): Promise<void> {
    const run = this.#begin();
    await this.#record(run, perRun);
    await run.end();
    this.#size += 2;
  }

  async #record(run: RunLog, count: number): Promise<void> {
    const from = this.#size;
    this.#size += count;
    this.#deps.world.pass(second);
    await Promise.all(Array.from({ length: count }, (_, at) => run.record(eventOf(from + at))));
  }

  #begin(): RunLog {
    this.#runs += 1;
    return auditLog({ ...this.#deps, run: `run-${this.#runs}`, version: '0.1.0' });
  }
}

/** Intents and outcomes of rotations and closings, in turn. */
function eventOf(index: number): AuditEvent {
  const number = Math.floor(index / 4);
  const isOutcome = index % 2 === 1;
  const about =
    index % 4 < 2
      ? {
          action: 'rotation.set',
          subject: { kind: 'credential', id: `db-${number}` } as const,
          correlation: `rotation-${number}`,
        }
      : {
          action: 'closure.apply',
          subject: { kind: 'opening', id: `sgr-${number}` } as const,
          correlation: `closure-${number}`,
        };
  return {
    ...about,
    actor: 'lockkeeper',
    stage: isOutcome ? 'outcome' : 'intent',
    ...(isOutcome && { result: 'done' }),
    details: { number },
  };
}
