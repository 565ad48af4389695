import type { Entry } from '../../audit/entries/codec.ts';
import { differentPeople, isSamePerson, knownPerson, looksLikePerson } from '../../base/person-name.ts';
import { after, day, instant, type Instant } from '../../base/time.ts';
import type { World } from '../../base/world.ts';
import type { Review } from './review.ts';

/** Why a signature does not count: the person is nobody who may decide this, or ordered it. */
export type Refused = 'not-asked' | 'own';

/** The approver whom this name names, as he is configured, or why he may not sign. Pure. */
export function mayNotSign(
  name: string,
  { rotation, credential, actors }: Review,
  approvers: readonly string[],
): { readonly who: string } | { readonly refused: Refused; readonly text: string } {
  const who = knownPerson(name, approvers);
  if (who === undefined) {
    const meant = approvers.find((one) => looksLikePerson(one, name));
    const why = meant === undefined ? '' : `: the name only looks like ${meant}, and is another one`;
    return { refused: 'not-asked', text: `${name} is no approver of ${credential}${why}` };
  }
  if (!isTheirs(who, actors)) return { who };
  return { refused: 'own', text: `${who} ordered ${rotation} of ${credential}: somebody else must sign its review` };
}

/** Those whose signature counts, each person once; never who ordered it. */
export function counting(signed: readonly string[], { actors }: Pick<Review, 'actors'>): readonly string[] {
  return differentPeople(signed).filter((who) => !isTheirs(who, actors));
}

/** Who may sign it still. */
export function waitsFor(review: Review, approvers: readonly string[], signed: readonly string[]): readonly string[] {
  return counting([...signed, ...approvers], review).filter((who) => !signed.includes(who));
}

/** What of an entry is evidence of a signature. */
type Logged = Pick<Entry, 'event'>;

/** The read side of the log: what was written about rotations. Errors as of `RecentEntries`. */
export interface SignatureLog {
  between(from: Instant, to: Instant): Promise<readonly Logged[]>;
}

/**
 * Whose signatures the log has: those with an outcome, also where the review lost them, and those that were begun where
 * the review has them too. One that only the review has is none. Pure.
 */
export function signedBy(entries: readonly Logged[], { rotation, credential, signatures }: Review): readonly string[] {
  const done = new Set<string>();
  const begun = new Set<string>();
  for (const { event } of entries) {
    const { action, correlation, subject, actor, stage, result } = event;
    if (action !== 'rotation.review-sign' || correlation !== rotation || subject.id !== credential) continue;
    if (result === 'done') done.add(actor);
    else if (stage === 'intent') begun.add(actor);
    else if (result !== 'uncertain') begun.delete(actor);
  }
  const confirmed = [...begun].filter((who) => signatures.some((one) => isSamePerson(one.who, who)));
  return [...done, ...confirmed.filter((who) => !done.has(who))];
}

/** So many must sign, whatever the state store says. */
const fewest = 2;

/**
 * The review as the log knows it: whoever ordered the emergency by an entry of it ordered it, though the state store names
 * fewer, and two at least must sign. Pure.
 */
export function asLogged(review: Review, entries: readonly Logged[]): Review {
  const ours = entries.filter(
    ({ event }) => event.correlation === review.rotation && event.subject.id === review.credential,
  );
  const actors = [...new Set([...review.actors, ...ours.flatMap(({ event }) => orderedBy(event))])];
  return { ...review, actors, needed: Math.max(review.needed, fewest) };
}

/** The entries of a plan name orders with their reasons, those of a review names. */
function orderedBy({ action, details }: Logged['event']): readonly string[] {
  if (action === 'rotation.review') return textsIn(details['orderedBy']);
  const leaked = action === 'rotation.plan' ? details['leaked'] : undefined;
  return Array.isArray(leaked)
    ? leaked.flatMap((one: unknown) =>
        typeof one === 'object' && one !== null && 'actor' in one ? textsIn([one.actor]) : [],
      )
    : [];
}

function textsIn(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : [];
}

/** Names in the review that the log lacks: they count nothing. */
export function unlogged({ signatures }: Review, logged: readonly string[]): readonly string[] {
  return signatures.map(({ who }) => who).filter((who) => !logged.some((one) => isSamePerson(one, who)));
}

/** What the log has about rotations since a review was opened, and until it was closed. */
export async function said(
  deps: { readonly said: SignatureLog; readonly world: World },
  { opened, closed, signatures }: Review,
): Promise<readonly Logged[]> {
  const times = signatures.map(({ at }) => at);
  const last = closed === null ? deps.world.now() : Math.max(closed, ...times);
  // Clocks of several hosts differ, and an outcome may come late.
  return await deps.said.between(after(instant(Math.min(opened, ...times)), -day), after(instant(last), day));
}

/** A name that only looks like that of one who ordered it counts as his. */
function isTheirs(who: string, actors: readonly string[]): boolean {
  return actors.some((actor) => looksLikePerson(actor, who));
}
