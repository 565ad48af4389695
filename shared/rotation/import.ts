import { LockkeeperError } from '../base/error.ts';
import type { Sealed } from '../base/sealed.ts';
import type { SecretVersion } from '../secrets/contract.ts';
import type { Login } from '../services/contract.ts';
import { runFor } from './adopt.ts';
import { newRotationId } from './effects/generate.ts';
import type { CopyPlace, RotationDeps } from './plan.ts';
import { audited } from './effects/recorded.ts';
import { isGood, sameLogin, unfitText, verdictOn, type CopySeen } from './decisions/seen.ts';
import { ask } from './effects/service-effects.ts';
import { placeOf, tellVersion } from './effects/told.ts';
import { look, seenBy, storeOf, type Run } from './effects/under-way.ts';

/**
 * Puts the login that consumers use today into every store of the plan that holds nothing yet, so that they can begin
 * to read it there. Changes no password. Answers where it was put; repeatable. Everything is looked at before anything
 * is written: `invalid` where the service has no such user or a form cannot hold the login, `conflict` while a rotation
 * is under way or where a store hands out another login, `rejected` where an endpoint refuses it, `unreachable` where
 * one does not answer.
 *
 * | killed after | what holds                                                                                          |
 * |--------------|-----------------------------------------------------------------------------------------------------|
 * | the intent   | nothing was changed                                                                                 |
 * | staging      | no consumer sees it; the next import of the same login publishes it, that of another one forgets it |
 * | publishing   | it is handed out; the next import finds it there                                                    |
 *
 * Two people who import at once: a store that compares takes one of them. One that does not may take the later of two
 * logins that the service both accepts, and adoption then finds that the stores differ.
 */
export async function importLogin(given: RotationDeps, login: Login): Promise<readonly CopyPlace[]> {
  const deps = { ...given, service: given.serviceAs?.(login) ?? given.service };
  const run = await runFor(deps);
  checkIdle(run);
  run.seen = await look(run);
  checkUser(run, login);
  const empty = run.seen.copies.filter((copy) => holdsNothing(copy, login));
  const puts = empty.map((copy) => ({ copy, text: copy.form.write(undefined, login, deps.plan.address) }));
  if (puts.length > 0) await checkAccepted(run, login);
  for (const one of puts) await put(run, one, login);
  return empty.map(({ store, secret }) => ({ store, secret }));
}

/** What is valid while a rotation drains may be retired a moment later. */
function checkIdle({ deps, held }: Run): void {
  if (!held || held.journal.phase === 'done') return;
  throw new LockkeeperError('conflict', `a rotation of ${deps.plan.name} is under way (${held.journal.phase})`, {
    hint: 'Let it end first: lockkeeper rotate, or rotate --now where it is blocked.',
  });
}

function checkUser(run: Run, { slot }: Login): void {
  const { slots } = seenBy(run).service;
  if (slots.includes(slot)) return;
  const { service } = run.deps.plan;
  throw new LockkeeperError('invalid', `${service} has no user ${slot} to rotate, only ${slots.join(', ')}`, {
    hint: 'Import the user that consumers log in with now; it has to be one of those of the configuration.',
  });
}

/** True where it hands out nothing, false where it hands out this login; else throws. */
function holdsNothing({ store, secret, form, current, trouble }: CopySeen, login: Login): boolean {
  if (trouble) throw trouble;
  if (!current) return true;
  if (current.login && sameLogin(current.login, login)) return false;
  const what = current.login ? 'another login' : `a text without a login (form ${form.name})`;
  throw new LockkeeperError('conflict', `${store}/${secret} already hands out ${what}`, {
    hint: 'Import the login that it hands out, or rotate the credential; to begin anew, empty the secret in its store.',
  });
}

/** One login on every endpoint. It may count at the service, so it has entries of its own. */
async function checkAccepted(run: Run, login: Login): Promise<void> {
  await ask(run, { do: 'ask', candidate: 'current', logins: [login] });
  const seen = seenBy(run);
  const verdict = verdictOn(seen, login);
  if (verdict && isGood(seen, verdict)) return;
  const { refused = [], silent = [], inClear = [], unfit = [] } = verdict ?? {};
  const whose = `${run.deps.plan.service}, the login of ${login.slot}`;
  if (refused.length > 0)
    throw new LockkeeperError('rejected', `${whose}: refused at ${refused.join(', ')}`, {
      hint: 'Import the user and the password that consumers use now.',
    });
  if (inClear.length > 0)
    throw new LockkeeperError(
      'rejected',
      `${whose}: not encrypted at ${inClear.join(', ')}, although TLS is promised`,
      {
        hint: 'Check the TLS of the server.',
      },
    );
  if (unfit.length > 0)
    throw new LockkeeperError('rejected', `${whose}: logs in, but could do no work ${unfitText({ unfit })}`, {
      hint: 'Fix that at the service, then import again.',
    });
  const cause = seen.heard.flatMap(({ answers }) => answers).find(({ endpoint }) => silent.includes(endpoint))?.error;
  throw new LockkeeperError('unreachable', `${whose}: no answer at ${silent.join(', ') || 'any endpoint'}`, {
    hint: 'Make every endpoint reachable, then import again.',
    cause,
  });
}

/** What a killed import left staged is published where it is this login, else forgotten, and never published. */
async function put(run: Run, { copy, text }: { copy: CopySeen; text: Sealed }, login: Login): Promise<void> {
  const { deps } = run;
  const store = storeOf(deps, copy.store);
  const left = copy.pending?.rotation.startsWith('import-') ? copy.pending : undefined;
  const mine = left?.login && sameLogin(left.login, login) ? left : undefined;
  if (left && !mine) await forget(run, copy, left);
  const rotation = mine?.rotation ?? newRotationId(deps.world).replace(/^r-/, 'import-');
  const details = { ...placeOf(copy), ...tellVersion(deps, { id: undefined, login }) };
  const told = ({ id }: SecretVersion) => tellVersion(deps, { id, login });
  await audited(run, { action: 'rotation.import', rotation, details, told }, async () => {
    const { id } = mine ?? (await store.stage(copy.secret, rotation, text));
    return await store.promote(copy.secret, { rotation, id }, undefined);
  });
}

async function forget(run: Run, copy: CopySeen, left: NonNullable<CopySeen['pending']>): Promise<void> {
  const { rotation } = left;
  const details = { ...placeOf(copy), abandoned: rotation, ...tellVersion(run.deps, left) };
  await audited(run, { action: 'rotation.abandon', rotation, details }, () => {
    return storeOf(run.deps, copy.store).abandon(copy.secret, rotation);
  });
}
