import { Sealed } from '../base/sealed.ts';
import type { Instant } from '../base/time.ts';
import type { Login, Session } from '../services/contract.ts';
import { advanced } from './decisions/advance.ts';
import { begun } from './decisions/begun.ts';
import type { Journal, JournalDraft } from './journal/journal.ts';
import { copyOf, isAt, newLogins, type CopySeen, type Heard, type Seen, type VersionSeen } from './decisions/seen.ts';
import type { Action, Of } from './decisions/step.ts';

/** Where a rehearsal is. */
export interface Pretended {
  journal: Journal | undefined;
  seen: Seen;
  now: Instant;
}

interface Known {
  readonly credential: string;
  readonly sessions: readonly Session[];
}

/** Moves a rehearsal to what `step` would leave behind. */
export function pretend(at: Pretended, step: Action, known: Known): void {
  switch (step.do) {
    case 'ask':
      at.seen = {
        ...at.seen,
        heard: [...at.seen.heard, ...step.logins.map((login) => pretendedAnswer(at, step, login))],
      };
      return;
    case 'ask-sessions':
      at.seen = { ...at.seen, sessions: sessionsThen(at, step, known) };
      return;
    case 'plan': {
      const start = { credential: known.credential, rotation: step.resume ?? 'rehearsed', now: at.now };
      at.journal = counted(begun(at.journal, step, start));
      at.seen = { ...at.seen, sessions: undefined };
      return;
    }
    case 'abandon':
      at.seen = withCopy(at.seen, step.place, (copy) => ({ ...copy, pending: undefined }));
      return;
    default:
      moveOn(at, step);
  }
}

/** A new value is accepted everywhere, an old one refused. */
function pretendedAnswer(at: Pretended, step: Of<'ask'>, login: Login): Heard {
  const answer = step.candidate === 'new' ? 'accepted' : 'refused';
  const { endpoints, encrypted } = at.seen.service;
  return { login, answers: endpoints.map((endpoint) => ({ endpoint, answer, encrypted })) };
}

/** Before it begins the users must be idle now; later, draining ends when they are. */
function sessionsThen(at: Pretended, step: Of<'ask-sessions'>, { sessions }: Known): readonly Session[] {
  if (at.journal && at.journal.phase !== 'done') return [];
  return sessions.filter((session) => step.slots.includes(session.slot));
}

function moveOn(at: Pretended, step: Action): void {
  const { journal } = at;
  if (!journal) return;
  const version = step.do === 'promote' ? (copyOf(at.seen, step.place).pending?.id ?? 'rehearsed') : 'rehearsed';
  const { clock } = at.seen.service;
  at.seen = leftBehind(at, step);
  at.journal = counted(
    advanced(journal, step, { now: at.now, version, rotation: 'rehearsed-again', clock, copies: at.seen.copies }),
  );
}

function leftBehind(at: Pretended, step: Action): Seen {
  const { journal, seen } = at;
  if (step.do === 'retire' || step.do === 'clear') return afterEnding(seen, step);
  if (!('place' in step) || step.do === 'rebase') return seen;
  const known = journal && newLogins(journal, seen)[0];
  const value: VersionSeen = {
    id: 'rehearsed',
    text: new Sealed('rehearsed'),
    // Where a store holds the new value already, every other one gets the same.
    login: known ?? { slot: journal?.target ?? '', value: new Sealed('rehearsed') },
  };
  return withCopy(seen, step.place, (copy) => {
    if (step.do === 'stage') return { ...copy, pending: { ...value, rotation: journal?.rotation ?? '' } };
    if (step.do === 'promote' || step.do === 'rescue') return promotedCopy(copy, value);
    if (step.do === 'abandon') return { ...copy, pending: undefined };
    return { ...copy, asked: copy.asked.filter(({ id }) => id !== step.version), previous: undefined };
  });
}

function promotedCopy(copy: CopySeen, value: VersionSeen): CopySeen {
  const { current, previous, pending, asked } = copy;
  const kept = [current, previous].flatMap((version) => version ?? []);
  return { ...copy, current: pending ?? value, previous: current, pending: undefined, asked: [...asked, ...kept] };
}

/** What ended is refused, and no longer counted. */
function afterEnding(seen: Seen, step: Of<'retire'> | Of<'clear'>): Seen {
  const ended = step.endings.map(({ slot, keep }) => [slot, keep ? 1 : 0] as const);
  const counts = ended.filter(([slot]) => seen.service.holds[slot] !== undefined);
  const holds = { ...seen.service.holds, ...Object.fromEntries(counts) };
  return { ...seen, heard: [], service: { ...seen.service, holds } };
}

function withCopy(seen: Seen, place: Of<'stage'>['place'], change: (copy: CopySeen) => CopySeen): Seen {
  return { ...seen, copies: seen.copies.map((copy) => (isAt(copy, place) ? change(copy) : copy)) };
}

function counted(draft: JournalDraft): Journal {
  return { ...draft, epoch: 1, nonce: 'rehearsed' };
}
