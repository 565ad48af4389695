import { sha256 } from '../base/canonical.ts';
import { after, day, hour, type Instant } from '../base/time.ts';
import type { World } from '../base/world.ts';
import { audited as auditedEffect } from '../audit/audited.ts';
import type { AuditLog } from '../audit/entry.ts';
import type { FlowLog, UsageBatch } from '../flow-logs/contract.ts';
import type { ObjectStore } from '../objects/contract.ts';
import {
  changeLedger,
  readBatch,
  readLedger,
  usageKeys,
  type BatchRecord,
  type Ledger,
  type ReadObject,
} from './ledger.ts';
import { listNew } from './list-new.ts';
import { planBatches, settle, type Batch } from './plan-batches.ts';
import { isFirst, toGarbage, withBatch, withDamaged, type ReadReport, type Seen } from './count-batch.ts';
import { isAboutObjects, readObjects, untilNow } from './read-objects.ts';
import { saidEnd } from './key-order.ts';
import { sweep } from './sweep.ts';

export interface CollectDeps {
  readonly flowLog: FlowLog;
  readonly state: ObjectStore;
  readonly world: World;
  /** Told before and after a run in which anything is read. */
  readonly audit?: AuditLog | undefined;
  /** Milliseconds that an object's time must be over before it is read; default: what the log says. */
  readonly settle?: number | undefined;
  /** Looks at every object again, also at those that came later than three days. */
  readonly relist?: boolean | undefined;
}

/** What one run did. */
export interface CollectReport {
  readonly objects: number;
  readonly records: number;
  readonly malformed: number;
  readonly unreadable: number;
  /** Bytes of the objects that were read. */
  readonly bytes: number;
  /** Objects that are there, settled, and not read before the deadline. */
  readonly left: number;
  /** Objects whose time has not settled. */
  readonly young: number;
  /** Which objects could not be read, and why; the first 20. */
  readonly named: readonly { readonly key: string; readonly why: string }[];
}

/** A batch must be committed within this time, or its tables may be swept. */
const pendingMs = hour;
/** Objects older than this are no longer watched for changes. */
const watchedMs = 3 * day;
const namedAtMost = 20;

/**
 * Reads what is new in a flow log into facts and coverage, each object exactly once whatever crashes:
 *
 *   ledger: pending batch → facts, coverage, record (create-only, named for this attempt) → ledger: batch counts
 *
 * Only the last step makes a batch count, and it fails if another collector has read one of its objects. A crash leaves
 * tables that nothing names; they are swept an hour later. An object that changed after it was read is read again with
 * its whole batch, and the old batch stops counting in the same step. Stops before the deadline; run again to go on. An
 * object that cannot be read is named, and not read again until it changes; one that the machine failed on is read again
 * with every run. Errors: what the flow log and the store throw; whatever was committed stays.
 */
export async function collect(deps: CollectDeps): Promise<CollectReport> {
  const { flowLog, state, world } = deps;
  const { name, settleMs } = flowLog.describe();
  await sweep(state, name, world.now());
  const ledger = await readLedger(state, name);
  const before = after(world.now(), -(deps.settle ?? settleMs));
  const listed = await listNew(flowLog, deps.relist ? {} : ledger.settled, { before, now: world.now() });
  const known = await knownObjects(deps, ledger);
  const batches = planBatches(listed.objects, known);
  const seen: Seen = { settled: ledger.settled, batches: deps.relist ? new Set(ledger.batches) : undefined };
  const { reports, left } = batches.length === 0 ? { reports: [], left: 0 } : await audited(deps, batches, seen);
  if (left === 0 && reports.length > 0)
    await settleOld(deps, new Map(listed.objects.map(({ key, ends }) => [key, ends])));
  await sweep(state, name, world.now());
  return { ...totals(reports), left, young: listed.young };
}

interface Read {
  readonly reports: readonly ReadReport[];
  readonly left: number;
}

/** Nothing is read that the log was not told of first. */
async function audited(deps: CollectDeps, batches: readonly Batch[], seen: Seen): Promise<Read> {
  const { name } = deps.flowLog.describe();
  const objects = countObjects(batches);
  const event = () =>
    ({
      action: 'usage.collect',
      subject: { kind: 'flow-log', id: name },
      actor: 'lockkeeper',
      correlation: name,
      details: { objects },
    }) as const;
  const act = () => readAll(deps, batches, seen);
  return deps.audit
    ? await auditedEffect(deps.audit, { event, act, told: ({ reports, left }) => toldTotals(reports, left) })
    : await act();
}

/** Stops before the deadline. */
async function readAll(deps: CollectDeps, batches: readonly Batch[], seen: Seen): Promise<Read> {
  const { world } = deps;
  const reports: ReadReport[] = [];
  let [longest, done] = [0, 0];
  for (const batch of batches) {
    const started = world.now();
    if (after(started, longest * 1.5) >= world.deadline()) break;
    reports.push(...(await readOrHalve(deps, batch, seen)));
    longest = Math.max(longest, world.now() - started);
    done += batch.objects.length;
  }
  return { reports, left: countObjects(batches) - done };
}

function countObjects(batches: readonly Batch[]): number {
  return batches.reduce((sum, { objects }) => sum + objects.length, 0);
}

async function knownObjects(
  { flowLog, state, relist }: CollectDeps,
  ledger: Ledger,
): Promise<ReadonlyMap<string, ReadObject>> {
  const known = new Map<string, ReadObject>();
  for (const batch of relist ? ledger.batches : []) {
    const record = await readBatch(state, flowLog.describe().name, batch);
    for (const { key, version } of record?.objects ?? []) known.set(key, [key, version, batch]);
  }
  for (const entry of ledger.recent) known.set(entry[0], entry);
  return known;
}

/** Where a batch fails and no object of it does, it is too much at once. */
async function readOrHalve(deps: CollectDeps, batch: Batch, seen: Seen): Promise<readonly ReadReport[]> {
  try {
    return await readAndCommit(deps, batch, seen);
  } catch (thrown) {
    if (!(thrown instanceof Unread)) throw thrown;
    if (batch.objects.length < 2 || batch.replaces !== undefined) throw thrown.cause;
    const middle = batch.objects.length >> 1;
    const reports: ReadReport[] = [];
    for (const objects of [batch.objects.slice(0, middle), batch.objects.slice(middle)])
      reports.push(...(await readOrHalve(deps, { objects, replaces: undefined }, seen)));
    return reports;
  }
}

/** Reading a batch failed by its `cause`, and not the way to it. */
class Unread extends Error {}

async function readAndCommit(deps: CollectDeps, planned: Batch, seen: Seen): Promise<readonly ReadReport[]> {
  const batch = await wholeBatch(deps, planned);
  const { flowLog, state, world } = deps;
  const { name } = flowLog.describe();
  const id = batchId(batch, world);
  await changeLedger(state, name, (held) => ({
    ...held,
    pending: [...held.pending, { id, until: after(world.now(), pendingMs) }],
  }));
  const usage = await readObjects(flowLog, batch.objects, untilNow(world)).catch((cause: unknown) => {
    throw isAboutObjects(cause) ? new Unread('a batch could not be read', { cause }) : cause;
  });
  const objects = readReports(batch, usage, world.now());
  if (objects.length > 0 && objects.every(({ again }) => again)) {
    await changeLedger(state, name, (held) => withDamaged(toGarbage(held, id), objects));
    return objects;
  }
  const { replaces } = batch;
  const read = objects.filter(({ again }) => !again);
  await writeTables(deps, usage, { id, objects: read, replaces: replaces === undefined ? [] : [replaces] });
  const { sampled } = flowLog.describe();
  const finished = { id, objects, replaces };
  const committed = await changeLedger(state, name, (held) =>
    isFirst(held, finished, seen) ? withBatch(held, finished, sampled) : undefined,
  );
  seen.batches?.add(id);
  if (committed) return objects;
  // Another collector was first: what it has read counts, this does not.
  await changeLedger(state, name, (held) => toGarbage(held, id));
  return [];
}

function readReports(batch: Batch, usage: UsageBatch, now: Instant): readonly ReadReport[] {
  const listed = new Map(batch.objects.map((object) => [object.key, object]));
  return usage.objects.map((report) => {
    const object = listed.get(report.key);
    const ends = object === undefined ? undefined : saidEnd(object, now);
    return { ...report, size: object?.size ?? 0, until: ends ?? now };
  });
}

/**
 * To replace a batch, everything it holds has to be read again. What has left the log since would be lost with it; then
 * the old batch stays, and the changed objects are read in addition: their sums count twice, their days and times not.
 */
async function wholeBatch({ flowLog, state }: CollectDeps, batch: Batch): Promise<Batch> {
  if (batch.replaces === undefined) return batch;
  const record = await readBatch(state, flowLog.describe().name, batch.replaces);
  const present = new Map(batch.objects.map((object) => [object.key, object]));
  const before = new Map(record?.objects.map(({ key, version }) => [key, version]));
  const isWhole = [...before.keys()].every((key) => present.has(key));
  if (isWhole) return batch;
  return { objects: batch.objects.filter(({ key, version }) => before.get(key) !== version), replaces: undefined };
}

/** Tells what it holds, and which attempt it is: tables of two attempts never share a name. */
function batchId({ objects }: Batch, world: World): string {
  const held = sha256(objects.map(({ key, version }) => `${key}\n${version}\n`).join(''));
  return `${held.slice(0, 24)}-${Buffer.from(world.random(6)).toString('hex')}`;
}

async function writeTables(
  { flowLog, state }: CollectDeps,
  { facts, coverage }: UsageBatch,
  record: BatchRecord,
): Promise<void> {
  const keys = usageKeys(flowLog.describe().name);
  await state.create(keys.facts(record.id), facts.parquet);
  await state.create(keys.coverage(record.id), coverage.parquet);
  await state.create(keys.batch(record.id), Buffer.from(JSON.stringify(record)));
}

async function settleOld(
  { flowLog, state, world }: CollectDeps,
  ends: ReadonlyMap<string, Instant | undefined>,
): Promise<void> {
  const now = world.now();
  const ages = { horizon: after(now, -watchedMs), now };
  await changeLedger(state, flowLog.describe().name, (held) => {
    const next = settle(held, ends, ages);
    return next.recent.length === held.recent.length ? undefined : next;
  });
}

/** The log of what was done gets the counts; names are in the ledger. */
function toldTotals(reports: readonly ReadReport[], left: number) {
  const { named: _named, ...counts } = totals(reports);
  return { ...counts, left };
}

function totals(reports: readonly ReadReport[]) {
  const sum = (of: (report: ReadReport) => number) => reports.reduce((total, report) => total + of(report), 0);
  return {
    objects: reports.length,
    records: sum(({ records }) => records),
    malformed: sum(({ malformed }) => malformed),
    unreadable: sum(({ unreadable }) => (unreadable === undefined ? 0 : 1)),
    bytes: sum(({ size }) => size),
    named: reports
      .flatMap(({ key, unreadable }) => (unreadable === undefined ? [] : [{ key, why: unreadable }]))
      .slice(0, namedAtMost),
  };
}
