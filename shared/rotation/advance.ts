import { LockkeeperError } from '../base/error.ts';
import { after, hour, minute, type Instant } from '../base/time.ts';
import type { Journal, JournalCopy, JournalDraft } from './journal.ts';
import type { CopyPlace } from './plan.ts';
import type { Step } from './step.ts';

/** What carrying a step out brought to light. */
export interface StepResult {
  readonly now: Instant;
  /** The store's id of the version that was staged or promoted. */
  readonly version?: string;
  /** The id of the rotation that begins, for plan and replan. */
  readonly rotation?: string;
}

/** Begins a rotation: the first journal of a credential, or what follows `last`. */
export function begun(
  last: Journal | undefined,
  step: Extract<Step, { do: 'plan' }>,
  start: {
    readonly credential: string;
    readonly rotation: string;
    readonly now: Instant;
    readonly leaked?: { readonly reason: string; readonly actor: string };
  },
): JournalDraft {
  const { leaked } = start;
  return {
    format: 1,
    credential: start.credential,
    rotation: start.rotation,
    phase: 'planned',
    target: step.target,
    copies: step.copies,
    startedAt: start.now,
    convergedAt: null,
    finishedAt: null,
    proof: null,
    trouble: null,
    blocked: null,
    overruled: null,
    rejections: 0,
    refusals: 0,
    emergency: leaked ? { ...leaked, cleared: false, reviewed: false, told: false } : null,
    past: last ? buried(last) : [],
  };
}

/** The journal after `step` was carried out: the one place that says what each step leaves behind. Pure. */
export function advanced(journal: Journal, step: Step, result: StepResult): JournalDraft {
  const next = { ...draftOf(journal), blocked: null };
  switch (step.do) {
    case 'stage':
    case 'promote':
    case 'rebase':
    case 'retire-copy':
      return { ...next, copies: marked(journal, step.place, copyAfter(step, result.version ?? null)) };
    case 'change':
      return { ...next, phase: 'set', rejections: 0 };
    case 'retire':
      return { ...next, phase: 'retired' };
    case 'prove':
      return { ...next, proof: step.proof, refusals: 0, trouble: null };
    case 'move':
      return moved(next, step.to, result.now);
    case 'retry':
      return { ...troubled(next, step.text, result.now), phase: step.back, refusals: journal.refusals + 1 };
    case 'replan':
      return replanned(journal, result);
    case 'block':
      return { ...next, blocked: { reason: step.reason, text: step.text, since: result.now, told: false } };
    case 'unblock':
      return unblocked(next, step.back, journal.blocked);
    case 'alarm':
      return { ...next, blocked: journal.blocked && { ...journal.blocked, told: true } };
    case 'clear':
    case 'review':
    case 'notify':
      return { ...next, emergency: afterEmergencyStep(journal, step.do) };
    case 'plan':
    case 'abandon':
    case 'ask':
    case 'ask-sessions':
    case 'rest':
      break;
  }
  throw new LockkeeperError('bug', `step ${step.do} leaves nothing in a journal`);
}

/** The journal after a failure that may pass: when to try again, twice as long after each failure, an hour at most. */
export function troubled(journal: JournalDraft, text: string, now: Instant): JournalDraft {
  const attempts = (journal.trouble?.attempts ?? 0) + 1;
  const waitMs = Math.min(minute * 2 ** (attempts - 1), hour);
  return { ...journal, trouble: { text, attempts, notBefore: after(now, waitMs) } };
}

/** The journal without what its store gives it. */
export function draftOf(journal: Journal): JournalDraft {
  const { epoch: _epoch, nonce: _nonce, ...draft } = journal;
  return draft;
}

function unblocked(next: JournalDraft, phase: JournalDraft['phase'], blocked: JournalDraft['blocked']): JournalDraft {
  return { ...next, phase, rejections: 0, refusals: 0, trouble: null, overruled: blocked?.reason ?? null };
}

function moved(next: JournalDraft, to: Extract<Step, { do: 'move' }>['to'], now: Instant): JournalDraft {
  const progress = { ...next, phase: to, trouble: null, overruled: null };
  if (to === 'verified') return { ...progress, refusals: 0 };
  // The window begins only after every store was seen to hand out the new value.
  if (to === 'draining') return { ...progress, refusals: 0, convergedAt: now };
  return to === 'done' ? { ...progress, finishedAt: now } : progress;
}

/** The same rotation under a new name and with a new value; nothing of the old one was published. */
function replanned(journal: Journal, result: StepResult): JournalDraft {
  const copies = journal.copies.map((copy) => ({ ...copy, staged: null }));
  const rotation = result.rotation ?? journal.rotation;
  return {
    ...draftOf(journal),
    rotation,
    phase: 'planned',
    copies,
    rejections: journal.rejections + 1,
    trouble: null,
    blocked: null,
    overruled: null,
    past: buried(journal),
  };
}

/** Enough to recognise what a writer that slept through many rotations may still stage. */
function buried(journal: Journal): readonly string[] {
  return [...journal.past, journal.rotation].slice(-50);
}

function copyAfter(
  step: Extract<Step, { do: 'stage' | 'promote' | 'rebase' | 'retire-copy' }>,
  version: string | null,
): Partial<JournalCopy> {
  if (step.do === 'stage') return { staged: version };
  if (step.do === 'promote') return { published: version };
  return step.do === 'rebase' ? { from: step.from } : { retired: true };
}

function marked(journal: Journal, place: CopyPlace, change: Partial<JournalCopy>): readonly JournalCopy[] {
  return journal.copies.map((copy) =>
    copy.store === place.store && copy.secret === place.secret ? { ...copy, ...change } : copy,
  );
}

function afterEmergencyStep(journal: Journal, did: 'clear' | 'review' | 'notify'): Journal['emergency'] {
  const { emergency } = journal;
  if (!emergency) return null;
  if (did === 'clear') return { ...emergency, cleared: true };
  return did === 'review' ? { ...emergency, reviewed: true } : { ...emergency, told: true };
}
