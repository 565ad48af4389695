import { LockkeeperError } from '../../base/error.ts';
import { after, type Instant } from '../../base/time.ts';
import type { ServiceDescription } from '../../services/contract.ts';
import { unique } from '../decisions/advance.ts';
import type { HeldJournal, Journals } from '../journal/journals.ts';
import type { Journal, JournalCopy } from '../journal/journal.ts';
import type { CopyPlace, PlannedCopy, RotationDeps } from '../plan.ts';
import { blankCopy, entryOf, isAt, readCopy, versionIn, type CopySeen, type Seen } from '../decisions/seen.ts';
import type { Asked } from '../decisions/step.ts';

/** What a person may ask for; nothing at all for a scheduled run. */
export interface RotateRequest {
  /** Begin before it is due; do not wait for a back-off; try again what is blocked. It never shortens a drain. */
  readonly now?: boolean;
  /** The value is known to others: replace it at once, spare nobody. */
  readonly leaked?: { readonly reason: string };
}

/** One run under way: what it holds, and what it saw so far. */
export interface Run {
  readonly deps: RotationDeps;
  readonly request: RotateRequest;
  readonly journals: Journals;
  readonly steps: string[];
  /** The journal was read, and an order is durable. */
  hasBegun: boolean;
  held: HeldJournal | undefined;
  /** Undefined until the run looked, and again when a step made it old. */
  seen: Seen | undefined;
  /** People could not be told; the next run tries again, and this one goes on. */
  isMute: boolean;
}

/** What the run was asked, now. */
export function askedOf(run: Pick<Run, 'deps' | 'request' | 'isMute'>): Asked {
  const force = run.request.leaked !== undefined || run.request.now === true;
  return { plan: run.deps.plan, now: run.deps.world.now(), force, isMute: run.isMute };
}

/**
 * Looks at the service and at every store, without changing or asking anything. A store that cannot be read stops an
 * ordinary rotation; an emergency goes on with the others, as long as there is one.
 */
export async function look(run: Pick<Run, 'deps' | 'held'>): Promise<Seen> {
  const { deps, held } = run;
  const service = await deps.service.describe();
  const isUrgent = held !== undefined && (held.journal.orders.length > 0 || held.journal.emergency !== null);
  const read = (place: PlannedCopy) => readOne(deps, place, { journal: held?.journal, service });
  const copies = await Promise.all(placesOf(deps, held?.journal).map(read));
  const troubles = copies.flatMap(({ trouble }) => trouble ?? []);
  const [first] = troubles;
  if (first && (!isUrgent || troubles.length === copies.length)) throw first;
  return { service, copies, heard: [], sessions: undefined };
}

/** One copy again, after a write whose effect on it is not known. */
export async function lookAgain(run: Run, place: CopyPlace): Promise<CopySeen> {
  const before = seenBy(run);
  const planned = before.copies.find((copy) => isAt(copy, place)) ?? formed(run.deps, place);
  return await readOne(run.deps, planned, { journal: run.held?.journal, service: before.service });
}

async function readOne(
  deps: RotationDeps,
  place: PlannedCopy,
  { journal, service }: { readonly journal: Journal | undefined; readonly service: ServiceDescription },
): Promise<CopySeen> {
  const entry = journal && entryOf(journal, place);
  const ids = entry ? unique([entry.expects, entry.staged, entry.published, ...entry.ends]) : [];
  try {
    const copy = await readCopy(place, storeOf(deps, place.store), { ids, slots: service.slots });
    return entry ? settled(copy, entry, { journal, now: deps.world.now(), clock: service.clock }) : copy;
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    return blankCopy(place, deps.stores[place.store], thrown);
  }
}

/** What is known of time: the journal's, the host's, and the service's own. */
interface Times {
  readonly journal: Journal;
  readonly now: Instant;
  readonly clock: Instant | undefined;
}

/**
 * The answer of a promotion counts, not a second look: while a store settles it may show what was published over, by this
 * rotation or the one before.
 */
function settled(copy: CopySeen, entry: JournalCopy, times: Times): CopySeen {
  const known = versionIn(copy, entry.published ?? entry.expects);
  if (!known || copy.current?.id === known.id || !isSettling(copy.settlesMs, entry, times)) return copy;
  const older = [...entry.ended, ...entry.ends, entry.published === null ? null : entry.expects];
  const isOlder = copy.current === undefined || older.includes(copy.current.id);
  if (!isOlder) return copy;
  const pending = copy.pending?.id === known.id ? undefined : copy.pending;
  return { ...copy, current: known, previous: copy.current, pending };
}

function isSettling(
  settlesMs: number,
  { published }: JournalCopy,
  { journal: { drain, startedAt }, now, clock }: Times,
): boolean {
  if (settlesMs === 0) return false;
  if (published === null) return now < after(startedAt, settlesMs);
  if (drain === null || now < after(drain.host, settlesMs)) return true;
  return drain.service !== null && clock !== undefined && clock < after(drain.service, settlesMs);
}

/** The driver of the store that the plan calls `name`; `invalid` where none was wired. */
export function storeOf(
  deps: Pick<RotationDeps, 'stores'> & { readonly plan: { readonly name: string } },
  name: string,
): RotationDeps['stores'][string] {
  const store = deps.stores[name];
  if (store) return store;
  throw new LockkeeperError('invalid', `${deps.plan.name}: no secret store is called "${name}"`, {
    hint: 'Name it under secrets: in the configuration; a rotation under way needs every store it began with.',
  });
}

/** The places of the plan, and those that a rotation under way began with and the plan forgot meanwhile. */
function placesOf(deps: RotationDeps, journal: Journal | undefined): readonly PlannedCopy[] {
  const { stores } = deps.plan;
  if (!journal || journal.phase === 'done') return stores;
  const begun = journal.copies.map((copy) => formed(deps, copy));
  return [...begun, ...stores.filter((one) => !begun.some((copy) => isAt(copy, one)))];
}

/** A place with its form; one that the plan has forgotten is written like the first of the plan. */
function formed({ plan }: RotationDeps, { store, secret }: CopyPlace): PlannedCopy {
  const planned = plan.stores.find((one) => isAt(one, { store, secret })) ?? plan.stores[0];
  if (planned) return { store, secret, form: planned.form };
  throw new LockkeeperError('invalid', `${plan.name} names no secret that consumers read`, {
    hint: 'Name at least one under secrets: of the credential.',
  });
}

/** True where another run has written the journal since this one read it. Unknown is no. */
export async function hasMovedOn(run: Run): Promise<boolean> {
  try {
    const live = await run.journals.read(run.deps.plan.name);
    return live?.version !== run.held?.version;
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    return false;
  }
}

/** The journal that a step needs. */
export function heldBy(run: Run): HeldJournal {
  if (run.held) return run.held;
  throw new LockkeeperError('bug', `${run.deps.plan.name}: a step that needs a journal came before one was written`);
}

/** What a step was decided on. */
export function seenBy(run: Run): Seen {
  if (run.seen) return run.seen;
  throw new LockkeeperError('bug', `${run.deps.plan.name}: a step came before anything was seen`);
}
