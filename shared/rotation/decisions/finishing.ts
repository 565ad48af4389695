import { planAgain } from './begin.ts';
import type { Journal, Proof } from '../journal/journal.ts';
import { isSettling, straysOf } from './hand-edits.ts';
import { publishNext } from './publishing.ts';
import {
  currentLogins,
  entryOf,
  isGood,
  oldLogins,
  sameLogin,
  theLogin,
  usable,
  verdictOn,
  type CopySeen,
  type Seen,
} from './seen.ts';
import { unproven } from './setting.ts';
import type { Asked, Step } from './step.ts';
import { block, insists, namesOf, postpone } from './stopping.ts';

/** Phase retired: prove that every earlier value is refused, end their copies, and close. */
export function finishing(journal: Journal, seen: Seen, asked: Asked): Step {
  const late = journal.emergency ? publishNext(journal, seen) : undefined;
  const first = late ?? wentBack(journal, seen, asked);
  if (first) return first;
  if (!journal.proof) return proving(journal, seen);
  // While a copy of an earlier value lies in a store there is a way back: it ends for a value that logs in now.
  return unproven(journal, seen) ?? refusing(journal, seen) ?? nextCopy(journal, seen) ?? closing(journal, seen);
}

/** A store hands out something else again, after that was ended: its consumers are refused. */
function wentBack(journal: Journal, seen: Seen, asked: Asked): Step | undefined {
  const strays = straysOf(journal, seen);
  const [stray] = strays;
  if (!stray) return undefined;
  if (insists(journal, 'in-use-again', { inEmergency: false })) {
    const logins = currentLogins(seen).filter((login) => !verdictOn(seen, login));
    if (logins.length > 0) return { do: 'ask', candidate: 'current', logins };
    const verdicts = currentLogins(seen).flatMap((login) => verdictOn(seen, login) ?? []);
    if (verdicts.every((verdict) => isGood(seen, verdict))) return undefined;
  }
  if (strays.some((copy) => isSettling(copy, journal, asked)))
    return postpone(`${namesOf(strays)} does not show the published value yet`);
  if (journal.emergency) return planAgain(journal, seen);
  return block(
    'in-use-again',
    `${namesOf(strays)} hands out another login than ${journal.target}'s, after every other value was ended. Publish there what the rotation published, or a login that works, then run with --now.`,
  );
}

/** An emergency went on without an endpoint that refuses the new value: it is not over there. */
function refusing(journal: Journal, seen: Seen): Step | undefined {
  const login = theLogin(journal, seen);
  const { refused = [] } = (login && verdictOn(seen, login)) ?? {};
  if (refused.length === 0) return undefined;
  const text = `${refused.join(', ')} refuses the new value, so an earlier one may still log in there`;
  return { do: 'postpone', outcome: 'failed', back: 'staged', text, urgent: true };
}

function proving(journal: Journal, seen: Seen): Step {
  const { unreached = [] } = journal.emergency ?? {};
  // It is ended there first: asking about it before would only fail a login at every run.
  if (unreached.length > 0) return stillLeft({ accepted: [], silent: unreached, surplus: [], uncounted: [] });
  const old = oldLogins(journal, seen);
  const isOver = seen.heard.some((one) => one.isOver && old.some((login) => sameLogin(login, one.login)));
  if (isOver) return postpone('an old value was refused in this run already; the next one proves its end');
  const unheard = old.filter((login) => !verdictOn(seen, login));
  if (unheard.length > 0) return { do: 'ask', candidate: 'old', logins: unheard };
  const verdicts = old.flatMap((login) => verdictOn(seen, login) ?? []);
  const accepted = [...new Set(verdicts.flatMap((verdict) => verdict.accepted))];
  const silent = [...new Set(verdicts.flatMap((verdict) => verdict.silent))];
  const surplus = surplusOf(journal, seen);
  const uncounted = uncountedOf(seen);
  if (accepted.length + silent.length + surplus.length + uncounted.length === 0)
    return { do: 'prove', proof: proofOf(old.length, seen.service.holds) };
  if (journal.emergency) return stillLeft({ accepted, silent, surplus, uncounted });
  if (accepted.length + surplus.length === 0)
    return postpone(
      silent.length > 0
        ? `${silent.join(', ')} does not answer, so the old value's end is not proven there`
        : `the service does not tell how many values ${uncounted.join(', ')} holds, so the end of the others is not proven`,
    );
  const what =
    accepted.length > 0
      ? `an old value still logs in at ${accepted.join(', ')} after it was retired`
      : `${surplus.join(', ')} holds more values than the one that is handed out`;
  if (journal.refusals < 2) return { do: 'retry', back: 'draining', text: what };
  return block('old-still-accepted', `${what}. Look for trust rules or lagging replicas at the service.`);
}

/** The leaked value is still worth something there: everything is done again at every run, and people know where. */
function stillLeft(where: Readonly<Record<'accepted' | 'silent' | 'surplus' | 'uncounted', readonly string[]>>): Step {
  const texts = [
    ...(where.accepted.length > 0 ? [`the leaked value still logs in at ${where.accepted.join(', ')}`] : []),
    ...(where.silent.length > 0
      ? [`${where.silent.join(', ')} does not answer, so the leaked value may still log in there`]
      : []),
    ...(where.surplus.length > 0 ? [`${where.surplus.join(', ')} holds more values than the new one`] : []),
  ];
  if (texts.length === 0) texts.push(`the service does not tell how many values ${where.uncounted.join(', ')} holds`);
  return { do: 'postpone', outcome: 'failed', back: 'staged', text: texts.join('; '), urgent: true };
}

/** Slots that hold more values than are kept, as far as the service counts. */
function surplusOf(journal: Journal, seen: Seen): readonly string[] {
  const kept = (slot: string) => (slot === journal.target ? 1 : 0);
  return seen.service.slots.filter((slot) => (seen.service.holds[slot] ?? 0) > kept(slot));
}

/** Slots that can hold several values, and of which nobody knows how many they hold. */
function uncountedOf({ service }: Seen): readonly string[] {
  return service.capacity > 1 ? service.slots.filter((slot) => service.holds[slot] === undefined) : [];
}

function proofOf(old: number, holds: Seen['service']['holds']): Proof {
  if (old > 0) return 'refused';
  return Object.keys(holds).length > 0 ? 'counted' : 'value-gone';
}

function nextCopy(journal: Journal, seen: Seen): Step | undefined {
  for (const copy of usable(seen)) {
    // Left by a rotation whose journal is lost.
    if (copy.pending) return { do: 'abandon', place: copy, rotation: copy.pending.rotation };
    // What is handed out is never ended, whatever the journal says.
    const version = entryOf(journal, copy)?.ends.find((id) => id !== copy.current?.id);
    if (version !== undefined) return { do: 'retire-copy', place: copy, version };
  }
  return undefined;
}

function closing(journal: Journal, seen: Seen): Step {
  const { emergency } = journal;
  if (!emergency) return { do: 'move', to: 'done' };
  const left = seen.copies.filter((copy) => copy.trouble && isUnfinished(journal, copy));
  if (left.length > 0) {
    const text = `the service refuses the leaked value, but ${namesOf(left)} cannot be used: ${left[0]?.trouble?.message ?? ''}. What it hands out may be the leaked value`;
    return { do: 'postpone', outcome: 'failed', back: undefined, text, urgent: true };
  }
  if (!emergency.reviewed) return { do: 'review' };
  return emergency.told ? { do: 'move', to: 'done' } : { do: 'notify' };
}

function isUnfinished(journal: Journal, copy: CopySeen): boolean {
  const entry = entryOf(journal, copy);
  return entry !== undefined && (entry.published === null || entry.ends.length > 0);
}
