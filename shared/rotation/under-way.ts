import { LockkeeperError } from '../base/error.ts';
import type { HeldJournal, Journals } from './journal.ts';
import type { CopyPlace, RotationDeps } from './plan.ts';
import { readCopy, type Seen } from './seen.ts';
import type { Asked } from './step.ts';

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
  held: HeldJournal | undefined;
  /** Undefined until the run looked, and again when a step made it old. */
  seen: Seen | undefined;
}

/** What the run was asked, now. */
export function askedOf(run: Pick<Run, 'deps' | 'request'>): Asked {
  const leaked = run.request.leaked !== undefined;
  return { plan: run.deps.plan, now: run.deps.world.now(), force: leaked || run.request.now === true, leaked };
}

/** Looks at the service and at every store, without changing or asking anything. */
export async function look(run: Pick<Run, 'deps' | 'held'>): Promise<Seen> {
  const { deps, held } = run;
  const copies = await Promise.all(placesOf(deps, held).map((place) => readCopy(place, storeOf(deps, place.store))));
  return { service: await deps.service.describe(), copies, answers: {}, sessions: undefined };
}

/** The driver of the store that the plan calls `name`; `invalid` where none was wired. */
export function storeOf(deps: RotationDeps, name: string): RotationDeps['stores'][string] {
  const store = deps.stores[name];
  if (store) return store;
  throw new LockkeeperError('invalid', `${deps.plan.name}: no secret store is called "${name}"`, {
    hint: 'Name it under secrets: in the configuration; a rotation under way needs every store it began with.',
  });
}

/** Every place of the plan, and those of a rotation under way that the plan has forgotten meanwhile. */
function placesOf(deps: RotationDeps, held: HeldJournal | undefined): readonly CopyPlace[] {
  const { stores } = deps.plan;
  if (!held || held.journal.phase === 'done') return stores;
  const isPlanned = (place: CopyPlace) =>
    stores.some((one) => one.store === place.store && one.secret === place.secret);
  return [
    ...stores,
    ...held.journal.copies.filter((copy) => !isPlanned(copy)).map(({ store, secret }) => ({ store, secret })),
  ];
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
