import { LockkeeperError } from '../base/error.ts';
import type { SecretVersion } from '../secrets/contract.ts';
import type { Login } from '../services/contract.ts';
import { consumerText, loginOf, type ConsumerAddress } from './consumer-text.ts';
import { newRotationId } from './generate.ts';
import type { CopyPlace, RotationDeps } from './plan.ts';
import { audited } from './recorded.ts';
import { readCopy, sameLogin, type CopySeen } from './seen.ts';
import { placeOf, tellVersion } from './told.ts';
import { storeOf } from './under-way.ts';

/**
 * Puts the login that consumers use today into every store of the plan that holds nothing yet, so that they can begin
 * to read it there. Changes no password: `rejected` unless the service accepts the login on every endpoint, `conflict`
 * where a store already hands out another one. Repeatable; answers where it was put.
 */
export async function importLogin(
  deps: RotationDeps,
  address: ConsumerAddress,
  login: Login,
): Promise<readonly CopyPlace[]> {
  await checkAccepted(deps, login);
  const put: CopyPlace[] = [];
  for (const place of deps.plan.stores) {
    if (await importInto(deps, place, { address, login })) put.push(place);
  }
  return put;
}

async function checkAccepted(deps: RotationDeps, login: Login): Promise<void> {
  const answers = await deps.service.accepts(login);
  const refusing = answers.filter((answer) => !answer.accepted).map((answer) => answer.endpoint);
  if (answers.length > 0 && refusing.length === 0) return;
  throw new LockkeeperError(
    'rejected',
    `${deps.plan.service} refuses the login of ${login.slot} at ${refusing.join(', ') || 'no endpoint'}`,
    {
      hint: 'Import the user and password that consumers use now.',
    },
  );
}

async function importInto(
  deps: RotationDeps,
  place: CopyPlace,
  what: { readonly address: ConsumerAddress; readonly login: Login },
): Promise<boolean> {
  const store = storeOf(deps, place.store);
  const { current, pending } = await readCopy(place, store);
  if (current && sameLogin(loginOf(current.text), what.login)) return false;
  if (current) {
    throw new LockkeeperError('conflict', `${place.store}/${place.secret} hands out another login already`, {
      hint: 'Rotate the credential, or empty the secret first.',
    });
  }
  // What a crashed import left staged may be another login: it is forgotten, never published.
  if (pending?.rotation.startsWith('import-')) await forget(deps, place, pending);
  const rotation = newRotationId(deps.world).replace(/^r-/, 'import-');
  const details = { ...placeOf(place), ...tellVersion(deps, { id: undefined, login: what.login }) };
  const told = (version: SecretVersion) => tellVersion(deps, { id: version.id, login: what.login });
  await audited({ deps, held: undefined }, { action: 'rotation.import', rotation, details, told }, async () => {
    await store.stage(place.secret, rotation, consumerText(what.address, what.login));
    return await store.promote(place.secret, rotation, undefined);
  });
  return true;
}

async function forget(deps: RotationDeps, place: CopyPlace, pending: NonNullable<CopySeen['pending']>): Promise<void> {
  const { rotation } = pending;
  const details = { ...placeOf(place), abandoned: rotation, ...tellVersion(deps, pending) };
  await audited({ deps, held: undefined }, { action: 'rotation.abandon', rotation, details }, () => {
    return storeOf(deps, place.store).abandon(place.secret, rotation);
  });
}
