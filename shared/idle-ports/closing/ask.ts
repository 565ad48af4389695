import { toldText } from '../../audit/entries/withhold.ts';
import { asPlain } from '../../base/canonical.ts';
import { isTransient, LockkeeperError } from '../../base/error.ts';
import { after, formatInstant } from '../../base/time.ts';
import type { ClosingDeps } from './closing-deps.ts';
import { notice, type Closure } from './closure.ts';
import { ClosureJournal, type HeldClosure } from './closure-journal.ts';
import { counting, missing, type People } from './people.ts';
import { evidenceFor, hashOf, proposalFor, type Material } from './proposal.ts';
import { questionOf } from './question.ts';
import { keepReceipt } from './receipt.ts';
import { audited, record } from './recorded.ts';

/** What the journal held before a question, and what to tell people about that. */
export interface Before {
  readonly held: HeldClosure | undefined;
  /** Empty where there was nothing worth a word. */
  readonly why: string;
}

/**
 * Puts the question whether to close an opening, in place of what its journal held; every earlier answer is void.
 * `invalid` where nobody, or not enough people, could approve. Crash: the proposal, the receipt of what it rests on and
 * the journal are durable before anybody is asked, and `show` finishes what is not shown yet.
 */
export async function ask(deps: ClosingDeps, material: Material, { held, why }: Before): Promise<HeldClosure> {
  const people = deps.people(material.judgement.firewall, material.opening);
  refuseUnanswerable(material.opening.id, people);
  const closure = newClosure(deps, material, { people, round: (held?.closure.proposal.round ?? 0) + 1 });
  const journal = new ClosureJournal(deps.state);
  await journal.keep(closure.proposal);
  await keepReceipt(deps, closure, material);
  if (!held) return show(deps, await journal.begin(closure));
  if (why !== '')
    await record(deps, held.closure, {
      action: 'proposal.void',
      details: { why: toldText(why), instead: closure.hash },
    });
  const news = why === '' ? [] : [notice(closure, 'warning', why)];
  return show(deps, await journal.save(held, { ...closure, notices: [...held.closure.notices, ...news] }));
}

/** Shows a question that is not known to have reached people. Repeatable: asking is idempotent on the hash. */
export async function show(deps: ClosingDeps, held: HeldClosure): Promise<HeldClosure> {
  const { closure } = held;
  if (closure.shown) return held;
  const { service, owner, approvers, excluded, needed } = closure.people;
  const people = {
    service,
    owner,
    approvers,
    excluded,
    needed,
    behind: closure.people.behind && asPlain(closure.people.behind),
  };
  const details = { ...people, expires: formatInstant(closure.expires) };
  await audited(deps, { closure, action: 'proposal.ask', details }, () => deps.approvals.ask(questionOf(closure)));
  return new ClosureJournal(deps.state).save(held, { ...closure, shown: true });
}

/** Tells people what they were not told yet. Telling may repeat after a crash; nothing is forgotten. */
export async function notify(deps: ClosingDeps, held: HeldClosure): Promise<HeldClosure> {
  if (held.closure.notices.length === 0) return held;
  for (const one of held.closure.notices) await deps.approvals.notify(one);
  return new ClosureJournal(deps.state).save(held, { ...held.closure, notices: [] });
}

/** Finishes what earlier runs left untold: questions that were not shown, notices that did not arrive. Repeatable. */
export async function deliver(deps: ClosingDeps): Promise<void> {
  for (const held of await new ClosureJournal(deps.state).all()) {
    await notify(deps, held.closure.phase === 'proposed' ? await show(deps, held) : held);
  }
}

/**
 * The same after a person's own act, which is done by now: where people cannot be reached at the moment, what they
 * should hear stays in the journals, and the next run delivers it.
 */
export async function deliverOrLeave(deps: ClosingDeps): Promise<void> {
  try {
    await deliver(deps);
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError) || !(isTransient(thrown.code) || thrown.code === 'conflict')) throw thrown;
  }
}

function refuseUnanswerable(opening: string, people: People): void {
  if (missing(people.approvers, people) === undefined) return;
  const eligible = counting(people.approvers, people);
  const found =
    eligible.length === 0 ? 'nobody who can be reached may approve it' : `only ${eligible.join(', ')} may approve it`;
  throw new LockkeeperError(
    'invalid',
    `nobody was asked about ${opening}: it needs ${people.needed} approvals${forEach(people)}, and ${found}`,
    {
      hint: 'Name more approvers, or lower `needed`; who owns a service never approves for it.',
    },
  );
}

function forEach({ behind }: People): string {
  return behind === undefined ? '' : ` for each of ${behind.map(({ service }) => service).join(', ')}`;
}

function newClosure(
  deps: ClosingDeps,
  material: Material,
  { people, round }: { people: People; round: number },
): Closure {
  const proposal = proposalFor(material, round);
  const now = deps.world.now();
  return {
    firewall: proposal.firewall,
    opening: proposal.opening,
    proposal,
    hash: hashOf(proposal),
    evidence: evidenceFor(material),
    people,
    phase: 'proposed',
    since: now,
    expires: after(now, deps.policy.approvalExpiresMs),
    shown: false,
    votes: [],
    approvedAt: undefined,
    until: undefined,
    prepared: undefined,
    closedAt: undefined,
    reopening: undefined,
    problem: undefined,
    notices: [],
    knocksTold: undefined,
    knockers: undefined,
  };
}
