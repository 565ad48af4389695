import { toldText } from '../../audit/entries/withhold.ts';
import { asLockkeeperError, hasCode, LockkeeperError } from '../../base/error.ts';
import { after, formatInstant } from '../../base/time.ts';
import type { PreparedChange } from '../../firewalls/contract.ts';
import { deliverOrLeave } from './ask.ts';
import { firewallOf, stepOf, type ClosingDeps, type Step } from './closing-deps.ts';
import { moved, nameOf, notice, type Closure, type Reopening } from './closure.ts';
import { ClosureJournal, type HeldClosure } from './closure-journal.ts';
import { concernedPerson, notAnApprover } from './people.ts';
import { audited, recordRefused } from './recorded.ts';
import { refuseForgedUndo } from './undo-proof.ts';

/**
 * Puts a closed opening back exactly as it was, for a person with a reason. Repeating it says that it is open.
 * `denied` for somebody whom the opening does not concern, `invalid` without a reason or where nothing was closed,
 * `conflict` where somebody else changed the rule after it was closed: then nothing is changed.
 */
export async function reopen(
  deps: ClosingDeps,
  held: HeldClosure,
  asked: { readonly who: string; readonly why: string },
): Promise<Step> {
  const { closure } = held;
  const by = { ...asked, who: concernedPerson(asked.who, closure.people) ?? asked.who };
  await refuseReopening(deps, closure, by);
  if (closure.phase === 'reopened' && (await isBack(deps, closure)))
    return stepOf(closure, 'open', `${nameOf(closure)} is open`);
  const begun = closure.phase === 'reopening' ? held : await beginReopening(deps, held, { ...by, automatic: false });
  const { closure: done } = await finishReopening(deps, begun);
  await deliverOrLeave(deps);
  return stepOf(done, 'reopened', `${nameOf(done)} is open again, exactly as it was`);
}

/**
 * Makes it durable that the opening comes back; from here on any run finishes it. `conflict` where another run was
 * quicker.
 */
export async function beginReopening(
  deps: ClosingDeps,
  held: HeldClosure,
  by: Omit<Reopening, 'at'>,
): Promise<HeldClosure> {
  const { closure } = held;
  const now = deps.world.now();
  const entry = {
    closure,
    action: 'closure.reopen',
    actor: by.who,
    details: { why: by.why, automatic: by.automatic, account: by.automatic ? undefined : deps.account },
  };
  return await audited(deps, entry, () => {
    return new ClosureJournal(deps.state).save(
      held,
      moved(closure, 'reopening', { since: now, reopening: { ...by, at: now }, problem: undefined }),
    );
  });
}

/**
 * Carries a begun reopening out: restores, checks that the live rule has the very fingerprint it had, records it.
 * Repeatable. `denied` where the log knows of no such closing. Where a person changed the rule meanwhile the closure is `failed`, people are told, and it throws
 * `conflict`.
 */
export async function finishReopening(deps: ClosingDeps, held: HeldClosure): Promise<HeldClosure> {
  const { closure } = held;
  const prepared = preparedOf(closure);
  await refuseForgedUndo(deps, closure, prepared).catch((thrown: unknown) => tellOnce(deps, held, thrown));
  const who = closure.reopening?.who ?? 'lockkeeper';
  let refusal: unknown;
  try {
    await audited(
      deps,
      { closure, action: 'closure.restore', actor: who, details: { why: closure.reopening?.why } },
      async () => {
        await firewallOf(deps, closure.firewall)
          .restore(prepared)
          .catch((thrown: unknown) => {
            refusal = thrown;
            throw thrown;
          });
        await refuseUnlessBack(deps, closure);
      },
    );
  } catch (thrown) {
    if (!hasCode(thrown, 'conflict') || thrown !== refusal) throw thrown;
    throw await giveUp(deps, held, thrown);
  }
  const now = deps.world.now();
  const text = `${nameOf(closure)} is open again, exactly as it was: ${who}: ${closure.reopening?.why ?? ''}`;
  const change = {
    since: now,
    until: after(now, deps.policy.deniedForMs),
    notices: [...closure.notices, notice(closure, 'warning', text)],
  };
  return new ClosureJournal(deps.state).save(held, moved(closure, 'reopened', change));
}

/** An undo that is refused is for people: they hear of it once, however often it is tried. */
async function tellOnce(deps: ClosingDeps, held: HeldClosure, thrown: unknown): Promise<never> {
  const { code, message } = asLockkeeperError(thrown);
  const { closure } = held;
  if (code === 'denied' && closure.problem !== message) {
    const notices = [...closure.notices, notice(closure, 'alarm', message)];
    await new ClosureJournal(deps.state).save(held, { ...closure, problem: message, notices });
  }
  throw thrown;
}

/** Who tried to reopen what does not concern him is in the log too. */
async function refuseReopening(
  deps: ClosingDeps,
  closure: Closure,
  by: { readonly who: string; readonly why: string },
): Promise<void> {
  try {
    checkReopening(closure, by);
  } catch (thrown) {
    const { code, message } = asLockkeeperError(thrown);
    await recordRefused(deps, closure, {
      action: 'closure.reopen',
      actor: by.who,
      details: { why: by.why, code, message: toldText(message), account: deps.account },
    });
    throw thrown;
  }
}

function checkReopening(closure: Closure, by: { readonly who: string; readonly why: string }): void {
  const { approvers, owner } = closure.people;
  if (concernedPerson(by.who, closure.people) === undefined) {
    throw new LockkeeperError(
      'denied',
      `${by.who} may not reopen ${nameOf(closure)}: it does not concern them${notAnApprover(by.who, closure.people)}`,
      {
        hint: `Ask one of ${[...new Set([...approvers, owner])].join(', ')}.`,
      },
    );
  }
  if (by.why.trim() === '')
    throw new LockkeeperError('invalid', `reopening ${nameOf(closure)} needs a reason`, {
      hint: 'Say why in one sentence.',
    });
  preparedOf(closure);
}

function preparedOf(closure: Closure): PreparedChange {
  if (closure.prepared) return closure.prepared;
  throw new LockkeeperError(
    'invalid',
    `${nameOf(closure)} was not closed: it is ${closure.phase} since ${formatInstant(closure.since)}`,
    {
      hint: 'There is nothing to reopen.',
    },
  );
}

async function isBack(deps: ClosingDeps, closure: Closure): Promise<boolean> {
  const { fingerprint } = preparedOf(closure);
  const state = await firewallOf(deps, closure.firewall).openings();
  return state.openings.some((opening) => opening.id === closure.opening && opening.fingerprint === fingerprint);
}

async function refuseUnlessBack(deps: ClosingDeps, closure: Closure): Promise<void> {
  if (await isBack(deps, closure)) return;
  throw new LockkeeperError(
    'uncertain',
    `${nameOf(closure)} was restored, but the live rule is not exactly as it was`,
    {
      hint: 'The next run tries again. If it stays so, compare the live rule with the one in the question.',
    },
  );
}

async function giveUp(deps: ClosingDeps, held: HeldClosure, cause: unknown): Promise<LockkeeperError> {
  const { closure } = held;
  const now = deps.world.now();
  const problem = toldText(asLockkeeperError(cause).message);
  const text = `${nameOf(closure)} cannot be reopened: somebody changed the rule after it was closed; it is left as it is`;
  const change = {
    since: now,
    until: after(now, deps.policy.deniedForMs),
    problem,
    notices: [...closure.notices, notice(closure, 'alarm', text)],
  };
  await new ClosureJournal(deps.state).save(held, moved(closure, 'failed', change));
  return new LockkeeperError('conflict', text, {
    cause,
    hint: 'Put the rule right by hand, or remove it and reopen again: the rule as it was is in the question and in the audit log.',
  });
}
