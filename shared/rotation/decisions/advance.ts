import { toldText } from '../../audit/entries/withhold.ts';
import { LockkeeperError } from '../../base/error.ts';
import { instant, type Instant } from '../../base/time.ts';
import type { Drain, Emergency, Journal, JournalCopy, JournalDraft, Order } from '../journal/journal.ts';
import type { CopyPlace } from '../plan.ts';
import { isAt, type CopySeen } from './seen.ts';
import type { Of, Step } from './step.ts';
import { isEmergency, toldOf, troubled } from './trouble.ts';

/** What carrying a step out brought to light. */
export interface StepResult {
  readonly now: Instant;
  /** The store's id of the version that was staged or promoted. */
  readonly version?: string;
  /** The id of the rotation that begins, for replan. */
  readonly rotation?: string;
  /** The service's own time, for the move to draining. */
  readonly clock?: Instant | undefined;
  /** For a refresh: the receiver acknowledged, or is given up. */
  readonly isOver?: boolean;
  /** For retire: endpoints at which it failed. */
  readonly unreached?: readonly string[];
  /** What the stores show, for follow. */
  readonly copies?: readonly CopySeen[];
  /** For postpone: when the next window opens, so that a pause lasts no longer. */
  readonly opening?: Instant | undefined;
}

/** The journal after `step` was carried out: the one place that says what each step leaves behind. Pure. */
export function advanced(journal: Journal, step: Step, result: StepResult): JournalDraft {
  const next = { ...draftOf(journal), blocked: null };
  switch (step.do) {
    case 'stage':
    case 'promote':
    case 'rebase':
    case 'rescue':
    case 'retire-copy':
      return { ...next, copies: marked(journal, step.place, (copy) => copyAfter(copy, step, result.version ?? null)) };
    case 'change':
      return { ...next, phase: 'set', rejections: 0 };
    case 'retire':
      return { ...next, phase: 'retired', emergency: reached(journal, result.unreached ?? []) };
    case 'join':
      return joinedBy(next, step.copy);
    case 'prove':
      return { ...next, proof: step.proof, refusals: 0, trouble: isEmergency(next) ? next.trouble : null };
    case 'mark':
      return { ...next, drain: journal.drain && { ...journal.drain, mark: step.mark } };
    case 'refresh':
      return { ...next, refreshed: refreshed(journal, step.name, result.isOver ?? true) };
    case 'move':
      return moved(next, step.to, result);
    case 'follow':
      return followed(next, step, result);
    case 'replan':
      return replanned(journal, step, result);
    case 'clear':
    case 'review':
    case 'notify':
      return { ...next, emergency: afterEmergencyStep(journal, step.do) };
    default:
      return afterNotice(journal, step, result);
  }
}

/** What people are told, and what they have to be told. */
function afterNotice(journal: Journal, step: Step, { now, opening }: StepResult): JournalDraft {
  const next = { ...draftOf(journal), blocked: null };
  switch (step.do) {
    case 'retry':
      return {
        ...troubled(next, { text: step.text, urgent: false }, now),
        phase: step.back,
        refusals: journal.refusals + 1,
      };
    case 'postpone':
      return { ...troubled(next, { ...step, opening }, now), phase: step.back ?? journal.phase };
    case 'block':
      return { ...next, blocked: { reason: step.reason, text: toldText(step.text), since: now, told: false } };
    case 'unblock':
      return unblocked(next, step.back, journal.blocked);
    case 'alarm':
      return { ...next, blocked: journal.blocked && { ...journal.blocked, told: true } };
    case 'warn':
      return { ...next, blocked: journal.blocked, trouble: toldOf(journal.trouble, now) };
    case 'overdue':
      return { ...next, drain: journal.drain && { ...journal.drain, told: true } };
    case 'missed':
      return {
        ...next,
        blocked: journal.blocked,
        missed: { due: step.due, windows: step.windows, toldAt: now },
      };
    case 'announce':
      return { ...next, blocked: journal.blocked, ...announced(journal) };
    default:
      throw new LockkeeperError('bug', `step ${step.do} leaves nothing in a journal`);
  }
}

function announced({ orders, emergency }: Journal): Pick<Journal, 'orders' | 'emergency'> {
  return {
    orders: orders.map(toldOrder),
    emergency: emergency && { ...emergency, orders: emergency.orders.map(toldOrder) },
  };
}

function toldOrder(order: Order): Order {
  return { ...order, told: true };
}

/** The journal without what its store gives it. */
export function draftOf(journal: Journal): JournalDraft {
  const { epoch: _epoch, nonce: _nonce, ...draft } = journal;
  return draft;
}

function unblocked(next: JournalDraft, phase: JournalDraft['phase'], blocked: JournalDraft['blocked']): JournalDraft {
  return { ...next, phase, rejections: 0, refusals: 0, trouble: null, overruled: blocked?.reason ?? null };
}

function moved(next: JournalDraft, to: Of<'move'>['to'], result: StepResult): JournalDraft {
  // What an emergency cannot get over is told after growing pauses, although every run begins again before it.
  const trouble = isEmergency(next) && to !== 'done' ? next.trouble : null;
  const progress = { ...next, phase: to, trouble, overruled: null };
  // What an emergency has waited for once, it does not wait for again in every phase.
  const refusals = next.emergency ? next.refusals : 0;
  if (to === 'verified') return { ...progress, refusals };
  // The window begins only after every store was seen to hand out the new value.
  if (to === 'draining') return { ...progress, refusals, drain: drainFrom(next, result) };
  return to === 'done' ? { ...progress, finishedAt: result.now } : progress;
}

/** The window may begin anew: people who were told of this drain know, and a clock that was wrong makes it no younger. */
function drainFrom({ drain, phase }: JournalDraft, { now, clock }: StepResult): Drain {
  const since = drain && phase === 'draining' ? instant(Math.min(drain.since ?? drain.host, now)) : undefined;
  return {
    host: now,
    service: clock ?? null,
    mark: null,
    ...(since !== undefined && { since }),
    ...(drain?.told && { told: true }),
  };
}

/** A store takes part from now on: what is over for the others is done for it, and drains again. */
function joinedBy(next: JournalDraft, copy: JournalCopy): JournalDraft {
  const isOver = !next.emergency && ['published', 'draining', 'retired'].includes(next.phase);
  return { ...next, copies: [...next.copies, copy], phase: isOver ? 'verified' : next.phase, proof: null };
}

/** The stores hand out another login than this rotation published: that one is kept, and what was published ends. */
function followed(next: JournalDraft, step: Of<'follow'>, { copies = [] }: StepResult): JournalDraft {
  return {
    ...next,
    target: step.login.slot,
    reverted: step.reverted,
    // Consumers that want it are told again, and the window begins after that.
    phase: 'published',
    refreshed: [],
    refusals: 0,
    trouble: null,
    overruled: null,
    drain: null,
    copies: next.copies.map((copy) => {
      const current = copies.find((one) => isAt(one, copy))?.current?.id ?? copy.published;
      const others = [...copy.ends, copy.expects, copy.staged, copy.published].filter(
        (id) => id !== null && id !== current,
      );
      return { ...copy, expects: null, staged: null, published: current, ends: unique(others) };
    }),
  };
}

/**
 * The same rotation under a new name and with a new value. Where the one before was published already, another value
 * took its place there, of which nobody was told yet and nothing is proven.
 */
function replanned(journal: Journal, step: Of<'replan'>, result: StepResult): JournalDraft {
  const copies = journal.copies.map((copy) => ({
    ...copy,
    expects: copy.published ?? copy.expects,
    staged: null,
    published: null,
    ends: unique([...copy.ends, copy.staged]),
  }));
  return {
    ...draftOf(journal),
    rotation: result.rotation ?? journal.rotation,
    phase: 'planned',
    target: step.target ?? journal.target,
    copies,
    refreshed: [],
    proof: null,
    emergency: journal.emergency && { ...journal.emergency, reviewed: false, told: false },
    rejections: journal.rejections + 1,
    trouble: null,
    blocked: null,
    overruled: null,
    ...buried(journal),
  };
}

/** Enough to recognise what a writer that slept through many rotations may still stage. */
export function buried({ past, untouched, rotation, phase }: Journal): Pick<Journal, 'past' | 'untouched'> {
  const kept = phase === 'planned' ? [...untouched, rotation] : untouched;
  return { past: [...past, rotation].slice(-50), untouched: kept.slice(-50) };
}

/** Ids without repeats and without null, in order. */
export function unique(ids: readonly (string | null | undefined)[]): readonly string[] {
  return [...new Set(ids.flatMap((id) => id ?? []))];
}

function copyAfter(
  copy: JournalCopy,
  step: Of<'stage' | 'promote' | 'rebase' | 'rescue' | 'retire-copy'>,
  version: string | null,
): JournalCopy {
  switch (step.do) {
    case 'stage':
      return { ...copy, staged: version };
    case 'promote':
      return { ...copy, published: version, ends: unique([...copy.ends, copy.expects]).filter((id) => id !== version) };
    case 'rescue':
      return { ...copy, expects: version, ends: unique([...copy.ends, copy.expects]) };
    case 'rebase':
      return { ...copy, expects: step.expects, ends: unique([...copy.ends, copy.expects]) };
    case 'retire-copy':
      return {
        ...copy,
        ends: copy.ends.filter((id) => id !== step.version),
        ended: unique([...copy.ended, step.version]).slice(-10),
      };
  }
}

function marked(
  journal: Journal,
  place: CopyPlace,
  change: (copy: JournalCopy) => JournalCopy,
): readonly JournalCopy[] {
  return journal.copies.map((copy) => (isAt(copy, place) ? change(copy) : copy));
}

function refreshed({ refreshed: before }: Journal, name: string, isOver: boolean): Journal['refreshed'] {
  const attempts = (before.find((one) => one.name === name)?.attempts ?? 0) + 1;
  return [...before.filter((one) => one.name !== name), { name, attempts, done: isOver }];
}

function reached({ emergency }: Journal, unreached: readonly string[]): Emergency | null {
  return emergency && { ...emergency, unreached };
}

function afterEmergencyStep({ emergency }: Journal, did: 'clear' | 'review' | 'notify'): Emergency | null {
  if (!emergency) return null;
  if (did === 'clear') return { ...emergency, cleared: true };
  return did === 'review' ? { ...emergency, reviewed: true } : { ...emergency, told: true };
}
