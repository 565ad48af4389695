import { toldText } from '../../audit/entries/withhold.ts';
import { after, day, formatInstant, instant } from '../../base/time.ts';
import type { ClosingDeps } from './closing-deps.ts';
import { moved, nameOf, notice, type Closure, type Phase, type Vote } from './closure.ts';
import { ClosureJournal, type HeldClosure } from './closure-journal.ts';
import { approversOf } from './decision.ts';
import { missing } from './people.ts';
import { record } from './recorded.ts';
import { countedBy, isLogged, readFrom, saidAbout, type AnswerLog, type No } from './said.ts';

/** What the log says of a closing that is to be carried out. */
export type Proof =
  /** The closure with the votes that the log has, and no others. */
  | { readonly kind: 'proven'; readonly closure: Closure }
  /** Somebody said no, and the journal does not know it any more. */
  | { readonly kind: 'turned-down'; readonly no: No };

/** Asks the log, and not the journal, who agreed to a closing. Errors: what reading the log throws. */
export async function proofOf(deps: ClosingDeps, closure: Closure): Promise<Proof> {
  const { policy, world } = deps;
  const now = world.now();
  const entries = await deps.said.between(readFrom(closure, policy, now), after(now, day));
  const said = saidAbout(entries, closure.hash, { policy, now });
  if (said.no) return { kind: 'turned-down', no: said.no };
  const votes = countedBy(said, closure).toSorted((a, b) => a.at - b.at);
  const enough = votes.findIndex((_, at) => isEnough({ ...closure, votes: votes.slice(0, at + 1) }));
  const approvedAt = Math.min(closure.approvedAt ?? now, votes[enough]?.at ?? now);
  return { kind: 'proven', closure: { ...closure, votes, approvedAt: instant(approvedAt) } };
}

function isEnough(closure: Closure): boolean {
  return missing(approversOf(closure), closure.people) === undefined;
}

/** Puts back what the log has of a no and the journal lost; people are told that somebody took it out. */
export async function restoreNo(deps: ClosingDeps, held: HeldClosure, no: No): Promise<HeldClosure> {
  const { closure } = held;
  const phase = phases[no.answer];
  const what = `${no.who} answered ${no.answer} at ${formatInstant(no.at)}`;
  const why = `${what}; the log has it, and the state store had lost it`;
  await record(deps, closure, { action: 'approval.void', details: { why } });
  const text = `${nameOf(closure)} was not closed: ${why}. Find out who writes to the state store.`;
  const change = { since: deps.world.now(), until: no.until, approvedAt: undefined, problem: why };
  const { until: _until, ...vote } = no;
  const votes = [...closure.votes, vote];
  const notices = [...closure.notices, notice(closure, 'alarm', text)];
  return new ClosureJournal(deps.state).save(held, moved(closure, phase, { ...change, votes, notices }));
}

const phases = { deny: 'denied', snooze: 'snoozed', exempt: 'exempted' } as const satisfies Record<No['answer'], Phase>;

/**
 * Looks up every vote of a journal in the log, each once a process. One that the log lacks is taken out and told,
 * once: it counts nothing, and a question that rested on it is open again, or asked anew.
 */
export async function refuseUnproven(deps: ClosingDeps, held: HeldClosure): Promise<HeldClosure> {
  const unproven = await unprovenIn(deps, held.closure.votes);
  return unproven.length === 0 ? held : await takeOut(deps, held, unproven);
}

const proven = new WeakMap<AnswerLog, Set<string>>();

async function unprovenIn({ said, world }: ClosingDeps, votes: readonly Vote[]): Promise<readonly Vote[]> {
  const known = proven.get(said) ?? new Set();
  proven.set(said, known);
  const unproven: Vote[] = [];
  for (const vote of votes) {
    const name = JSON.stringify([vote.hash, vote.answer, vote.who, vote.at]);
    if (known.has(name)) continue;
    const isPast = vote.at >= 0 && vote.at <= world.now() + day;
    const entries = isPast ? await said.between(after(vote.at, -day), after(vote.at, day)) : [];
    if (isLogged(vote, entries)) known.add(name);
    else unproven.push(vote);
  }
  return unproven;
}

async function takeOut(deps: ClosingDeps, held: HeldClosure, unproven: readonly Vote[]): Promise<HeldClosure> {
  const { closure } = held;
  const answers = unproven.map(({ who, answer, at }) => `${answer} by ${who} at ${formatInstant(at)}`).slice(0, 10);
  const why = `the state store had answers that the log does not have: ${answers.join(', ')}`;
  await record(deps, closure, { action: 'decision.unproven', details: { why: toldText(why) } });
  const text = `${nameOf(closure)}: ${why}. They count nothing. Find out who writes to the state store.`;
  const votes = closure.votes.filter((vote) => !unproven.includes(vote));
  const rest = { ...closure, votes, notices: [...closure.notices, notice(closure, 'alarm', text)] };
  return new ClosureJournal(deps.state).save(held, without(rest, unproven, deps));
}

/** What follows for the phase; what is closed stays closed, and may be reopened as ever. */
function without(closure: Closure, unproven: readonly Vote[], { world }: ClosingDeps): Closure {
  const since = world.now();
  const { phase } = closure;
  if (phase === 'approved' && !isEnough(closure)) return moved(closure, 'proposed', { since, approvedAt: undefined });
  const turnedDown = phase === 'denied' || phase === 'snoozed' || phase === 'exempted';
  if (!turnedDown || !unproven.some(({ answer }) => phases[answer === 'approve' ? 'deny' : answer] === phase))
    return closure;
  return moved(closure, 'drifted', {
    since,
    until: undefined,
    problem: 'The answer that it rested on is not in the log.',
  });
}
