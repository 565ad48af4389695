import type { Heard } from '../../approvals/contract.ts';
import { hasCode, LockkeeperError } from '../../base/error.ts';
import { formatInstant, type Instant } from '../../base/time.ts';
import { deliverOrLeave } from './ask.ts';
import type { ClosingDeps } from './closing-deps.ts';
import { ClosureJournal, type HeldClosure } from './closure-journal.ts';
import { decide, type Ruling } from './decision.ts';
import { approverNamed } from './people.ts';
import { audited, recordRefused } from './recorded.ts';
import { reopen } from './reopen.ts';

/**
 * Takes what one person said: records it if it counts, and says what became of it. The log has it before it takes
 * effect; repeating it changes nothing, and is told to the log again. `not-found` for a hash nobody was asked about,
 * `conflict` for one whose place another took; for "reopen" also what `reopen` throws.
 */
export async function takeAnswer(deps: ClosingDeps, heard: Heard): Promise<Ruling> {
  const held = await new ClosureJournal(deps.state).find(heard.hash);
  if (heard.answer === 'reopen') {
    const { text } = await reopen(deps, held, heard);
    return { kind: 'counted', text, closure: held.closure };
  }
  const ruling = await record(deps, held, heard);
  await deliverOrLeave(deps);
  return ruling;
}

/** Two people may answer at once: who comes second decides again on what the first left. */
async function record(deps: ClosingDeps, first: HeldClosure, heard: Heard): Promise<Ruling> {
  let held = first;
  for (let attempts = 0; attempts < 5; attempts += 1) {
    const ruling = await recordOnce(deps, held, heard);
    if (ruling) return ruling;
    held = await new ClosureJournal(deps.state).find(heard.hash);
  }
  throw new LockkeeperError(
    'conflict',
    `the answer of ${heard.who} about ${first.closure.opening} was not recorded: too many answer at once`,
    {
      hint: 'Answer again.',
    },
  );
}

/** Undefined where another run changed the journal first. */
async function recordOnce(deps: ClosingDeps, held: HeldClosure, heard: Heard): Promise<Ruling | undefined> {
  const { closure } = held;
  const now = deps.world.now();
  const ruling = decide(closure, heard, { policy: deps.policy, now });
  const entry = {
    action: `decision.${heard.answer}`,
    actor: approverNamed(heard.who, closure.people) ?? heard.who,
    details: { ...voteOf(heard, ruling, now), account: deps.account },
  };
  if (ruling.kind === 'refused') {
    await recordRefused(deps, closure, entry);
    return ruling;
  }
  // What was said before is told once more: whoever repeats it may do so because the log did not take how it went.
  const keep = async () =>
    ruling.kind === 'counted' && (await new ClosureJournal(deps.state).save(held, ruling.closure));
  try {
    await audited(deps, { ...entry, closure }, keep);
  } catch (thrown) {
    if (hasCode(thrown, 'conflict')) return undefined;
    throw thrown;
  }
  return ruling;
}

/**
 * A vote is evidence: what was said to which question, when, and what became of it. Who said it is the entry's actor.
 */
function voteOf({ answer, hash, why, until }: Heard, { text }: Ruling, now: Instant) {
  return { answer, hash, why, at: formatInstant(now), until: until && formatInstant(until), text };
}
