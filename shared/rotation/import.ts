import { toldText } from '../audit/entries/withhold.ts';
import { hasCode, LockkeeperError } from '../base/error.ts';
import type { Sealed } from '../base/sealed.ts';
import type { SecretState, SecretVersion } from '../secrets/contract.ts';
import type { Login, LoginAnswer, Slot } from '../services/contract.ts';
import { newRotationId } from './generate.ts';
import { journals } from './journals.ts';
import type { CopyPlace, PlannedCopy, RotationDeps } from './plan.ts';
import { audited } from './recorded.ts';
import { sameLogin } from './seen.ts';
import { placeOf, tellVersion } from './told.ts';
import { storeOf } from './under-way.ts';

/**
 * Puts the login that consumers use today into every store of the plan that holds nothing yet, so that they can begin
 * to read it there. Changes no password. Answers where it was put; repeatable. Everything is looked at before anything
 * is written: `invalid` where the service has no such user or a form cannot hold the login, `conflict` while a rotation
 * is under way or where a store hands out another login, `rejected` where an endpoint refuses it, `unreachable` where
 * one does not answer.
 *
 * | killed after           | what holds                                                                   |
 * |------------------------|------------------------------------------------------------------------------|
 * | the intent             | nothing was changed                                                          |
 * | staging                | no consumer sees it; the next import of the same login publishes it, of another forgets it |
 * | publishing             | it is handed out; the next import finds it there                             |
 *
 * Two people who import at once: a store that compares takes one of them. One that does not may take the later of two
 * logins that the service both accepts, and adoption then finds that the stores differ.
 */
export async function importLogin(deps: RotationDeps, login: Login): Promise<readonly CopyPlace[]> {
  await checkIdle(deps);
  const { slots, encrypted } = await deps.service.describe();
  checkUser(deps, login, slots);
  const empty: Empty[] = [];
  for (const place of deps.plan.stores) {
    const state = await storeOf(deps, place.store).read(place.secret);
    if (holdsNothing(state, place, { login, slots }))
      empty.push({ place, state, slots, text: place.form.write(undefined, login, deps.plan.address) });
  }
  if (empty.length > 0) await checkAccepted(deps, login, encrypted);
  for (const one of empty) await put(deps, one, login);
  return empty.map(({ place: { store, secret } }) => ({ store, secret }));
}

/** A place that hands out nothing, and what will be there. */
interface Empty {
  readonly place: PlannedCopy;
  readonly state: SecretState;
  readonly slots: readonly Slot[];
  readonly text: Sealed;
}

/** What is valid while a rotation drains may be retired a moment later. */
async function checkIdle({ plan, state, world }: RotationDeps): Promise<void> {
  const held = await journals(state, world).read(plan.name);
  if (!held || held.journal.phase === 'done') return;
  throw new LockkeeperError('conflict', `a rotation of ${plan.name} is under way (${held.journal.phase})`, {
    hint: 'Let it end first: lockkeeper rotate, or rotate --now where it is blocked.',
  });
}

function checkUser({ plan }: RotationDeps, { slot }: Login, slots: readonly Slot[]): void {
  if (slots.includes(slot)) return;
  throw new LockkeeperError('invalid', `${plan.service} has no user ${slot} to rotate, only ${slots.join(', ')}`, {
    hint: 'Import the user that consumers log in with now; it has to be one of those of the configuration.',
  });
}

/** True where it hands out nothing, false where it hands out this login; else throws. */
function holdsNothing(
  { current }: SecretState,
  place: PlannedCopy,
  { login, slots }: { readonly login: Login; readonly slots: readonly Slot[] },
): boolean {
  if (!current) return true;
  const there = loginOf(place, current, slots);
  if (there && sameLogin(there, login)) return false;
  const what = there ? 'another login' : `a text without a login (form ${place.form.name})`;
  throw new LockkeeperError('conflict', `${place.store}/${place.secret} already hands out ${what}`, {
    hint: 'Import the login that it hands out, or rotate the credential; to begin anew, empty the secret in its store.',
  });
}

function loginOf({ form }: PlannedCopy, { value }: SecretVersion, slots: readonly Slot[]): Login | undefined {
  try {
    return form.read(value, slots);
  } catch (thrown) {
    if (hasCode(thrown, 'invalid')) return undefined;
    throw thrown;
  }
}

/** One login on every endpoint. It may count at the service, so it has entries of its own. */
async function checkAccepted(deps: RotationDeps, login: Login, encrypted: boolean): Promise<void> {
  const { slot, fingerprint } = tellVersion(deps, { id: undefined, login });
  const who = { slot, ...(fingerprint !== undefined && { fingerprint }) };
  const details = { candidate: 'imported', logins: [who] };
  const told = (answers: readonly LoginAnswer[]) => ({
    accepted: answers.length > 0 && answers.every(({ answer }) => answer === 'accepted'),
    logins: [{ ...who, answers: answers.map(tellAnswer) }],
  });
  const answers = await audited({ deps, held: undefined }, { action: 'rotation.login', details, told }, async () => {
    return await deps.service.accepts(login);
  });
  const fault = faultOf(answers, encrypted);
  if (!fault) return;
  const { service } = deps.plan;
  throw new LockkeeperError(fault.code, `${service} ${fault.text} the login of ${slot}`, fault.details);
}

function tellAnswer({ endpoint, answer, encrypted, error }: LoginAnswer) {
  return { endpoint, answer, encrypted, ...(error && { code: error.code, message: toldText(error.message) }) };
}

function faultOf(answers: readonly LoginAnswer[], encrypted: boolean) {
  const at = (found: readonly LoginAnswer[]) => found.map(({ endpoint }) => endpoint).join(', ');
  const refused = answers.filter(({ answer }) => answer === 'refused');
  if (refused.length > 0 || answers.length === 0) {
    const hint = 'Import the user and the password that consumers use now.';
    return { code: 'rejected', text: `refuses at ${at(refused) || 'no endpoint'}`, details: { hint } } as const;
  }
  const silent = answers.filter(({ answer }) => answer === 'no-answer');
  if (silent.length > 0) {
    const details = { hint: 'Make every endpoint reachable, then import again.', cause: silent[0]?.error };
    return { code: 'unreachable', text: `gives no answer at ${at(silent)} to`, details } as const;
  }
  const clear = answers.filter((answer) => encrypted && !answer.encrypted);
  if (clear.length === 0) return undefined;
  const hint = 'Make the server offer TLS there, or say in the configuration that it has none.';
  return { code: 'rejected', text: `takes in clear at ${at(clear)}`, details: { hint } } as const;
}

/** What a killed import left staged is published where it is this login, else forgotten, and never published. */
async function put(deps: RotationDeps, { place, state: { pending }, slots, text }: Empty, login: Login): Promise<void> {
  const store = storeOf(deps, place.store);
  const left = pending?.rotation.startsWith('import-') ? pending : undefined;
  const staged = left && loginOf(place, left, slots);
  const isSame = staged !== undefined && sameLogin(staged, login);
  if (left && !isSame) await forget(deps, place, { id: left.id, rotation: left.rotation, login: staged });
  const rotation = left && isSame ? left.rotation : newRotationId(deps.world).replace(/^r-/, 'import-');
  const details = { ...placeOf(place), ...tellVersion(deps, { id: undefined, login }) };
  const told = ({ id }: SecretVersion) => tellVersion(deps, { id, login });
  await audited({ deps, held: undefined }, { action: 'rotation.import', rotation, details, told }, async () => {
    const id = left && isSame ? left.id : (await store.stage(place.secret, rotation, text)).id;
    return await store.promote(place.secret, { rotation, id }, undefined);
  });
}

async function forget(
  deps: RotationDeps,
  place: PlannedCopy,
  left: { readonly id: string; readonly rotation: string; readonly login: Login | undefined },
): Promise<void> {
  const { rotation } = left;
  const details = { ...placeOf(place), abandoned: rotation, ...tellVersion(deps, left) };
  await audited({ deps, held: undefined }, { action: 'rotation.abandon', rotation, details }, () => {
    return storeOf(deps, place.store).abandon(place.secret, rotation);
  });
}
