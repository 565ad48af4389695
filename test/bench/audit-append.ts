import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auditLog } from '../../shared/audit/log.ts';
import { systemWorld } from '../../shared/base/world.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import { memoryObjects } from '../../shared/objects/memory.ts';
import { identity } from '../audit/place.ts';
import { madeEvent } from './audit-log-entries.ts';
import { atMost, inform, type Figure } from './figure.ts';
import { inTurns, median } from './turns.ts';

const writers = 50;
const events = 21;
const turns = { least: 5, most: 15 };
const limit = 1.5;

/**
 * How long an acknowledgement takes at fifty writers, each with a log of its own, against bare create-only PUTs of the
 * same bytes by as many writers into the same kind of store; in turns, in one process, the ratio of the middle turn. A
 * run's first record, which looks at the published checkpoint before it begins, is told apart.
 */
export async function auditAppend(): Promise<Figure[]> {
  const place = await mkdtemp(join(tmpdir(), 'lockkeeper-bench-'));
  try {
    const files = await compared(
      (name) => fileSystemObjects({ directory: join(place, name) }),
      (all) => ratio(all, 0.99) <= limit,
    );
    const memory = await compared(
      () => memoryObjects(),
      () => true,
    );
    return [
      atMost('audit-append', ratio(files, 0.99), 'x of a bare PUT, p99', limit),
      inform('audit-append-p99', middle(files, 'record', 0.99), 'ms'),
      inform('audit-append-bare-put-p99', middle(files, 'put', 0.99), 'ms'),
      inform('audit-append-p50-ratio', ratio(files, 0.5), 'x'),
      inform('audit-append-first-of-a-run-p99', middle(files, 'first', 0.99), 'ms'),
      atMost('audit-append-puts', sum(files, 'creates') / sum(files, 'acknowledged'), 'PUTs an acknowledgement', 1.1),
      inform('audit-append-seal', middle(files, 'seal', 0.5) / (writers * events), 'ms an entry'),
      inform('audit-append-memory-p99', middle(memory, 'record', 0.99), 'ms'),
      inform('audit-append-memory-bare-put-p99', middle(memory, 'put', 0.99), 'ms'),
      inform('audit-append-turns', files.length, 'turns'),
    ];
  } finally {
    await rm(place, { recursive: true });
  }
}

/** Of one turn: milliseconds of each call, and counts. */
interface Turn {
  readonly record: number[];
  readonly first: number[];
  readonly put: number[];
  readonly seal: number[];
  creates: number;
  acknowledged: number;
}

async function compared(
  open: (name: string) => ObjectStore,
  isEnough: (all: readonly Turn[]) => boolean,
): Promise<readonly Turn[]> {
  let taken = 0;
  const take = async (): Promise<Turn> => {
    const turn: Turn = { record: [], first: [], put: [], seal: [], creates: 0, acknowledged: 0 };
    const written = await recordTurn(turn, open(`log-${taken}`), open(`state-${taken}`));
    await putTurn(turn, open(`bare-${taken}`), written);
    taken += 1;
    return turn;
  };
  return await inTurns(turns, take, isEnough);
}

function ratio(all: readonly Turn[], share: number): number {
  return median(all.map(({ record, put }) => percentile(record, share) / percentile(put, share)));
}

function middle(all: readonly Turn[], what: 'record' | 'first' | 'put' | 'seal', share: number): number {
  return median(all.map((turn) => percentile(turn[what], share)));
}

function sum(all: readonly Turn[], what: 'creates' | 'acknowledged'): number {
  return all.reduce((total, turn) => total + turn[what], 0);
}

interface Put {
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** What each writer created, in its order, but for the end of its run. */
async function recordTurn(all: Turn, log: ObjectStore, state: ObjectStore): Promise<readonly (readonly Put[])[]> {
  const written: Put[][] = [];
  const world = systemWorld();
  const runs = Array.from({ length: writers }, (_, writer) => {
    const own: Put[] = [];
    written.push(own);
    const watched = {
      ...log,
      create: async (key: string, bytes: Uint8Array) => (own.push({ key, bytes }), await log.create(key, bytes)),
    };
    return auditLog({ log: watched, state, world, ...identity, run: `writer-${writer}` });
  });
  await Promise.all(
    runs.map(async (run) => {
      for (let number = 0; number < events; number += 1)
        (number === 0 ? all.first : all.record).push(await timed(() => run.record(madeEvent(number))));
    }),
  );
  const batches = written.map((own) => [...own]);
  all.seal.push(await timed(async () => await runs[0]?.seal()));
  await runs[1]?.end();
  const [before, after] = [batches[1] ?? [], (written[1] ?? []).filter(({ key }) => key.startsWith('inbox/'))];
  all.acknowledged += writers * events;
  // What one run creates at its end, all do; to seal fifty times would show nothing more.
  all.creates += batches.flat().length + writers * (after.length - before.length);
  return batches;
}

async function putTurn(all: Turn, store: ObjectStore, written: readonly (readonly Put[])[]): Promise<void> {
  await Promise.all(
    written.map(async (puts) => {
      for (const [at, { key, bytes }] of puts.entries()) {
        const took = await timed(() => store.create(key, bytes));
        if (at > 0) all.put.push(took);
      }
    }),
  );
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? NaN;
}
