import { LockkeeperError } from '../base/error.ts';
import type { Login } from '../services/contract.ts';
import { consumerText, loginOf, type ConsumerAddress } from './consumer-text.ts';
import { newRotationId } from './generate.ts';
import type { CopyPlace, RotationRooms } from './plan.ts';
import { sameLogin } from './seen.ts';
import { storeOf } from './under-way.ts';

/**
 * Puts the login that consumers use today into every store of the plan that holds nothing yet, so that they can begin
 * to read it there. Changes no password: `rejected` unless the service accepts the login on every endpoint, `conflict`
 * where a store already hands out another one. Repeatable; answers where it was put.
 */
export async function importLogin(rooms: RotationRooms, address: ConsumerAddress, login: Login): Promise<readonly CopyPlace[]> {
  await checkAccepted(rooms, login);
  const put: CopyPlace[] = [];
  for (const place of rooms.plan.stores) {
    if (await importInto(rooms, place, { address, login })) put.push(place);
  }
  return put;
}

async function checkAccepted(rooms: RotationRooms, login: Login): Promise<void> {
  const answers = await rooms.service.accepts(login);
  const refusing = answers.filter((answer) => !answer.accepted).map((answer) => answer.endpoint);
  if (answers.length > 0 && refusing.length === 0) return;
  throw new LockkeeperError('rejected', `${rooms.plan.service} refuses the login of ${login.slot} at ${refusing.join(', ') || 'no endpoint'}`, {
    hint: 'Import the user and password that consumers use now.',
  });
}

async function importInto(rooms: RotationRooms, place: CopyPlace, what: { readonly address: ConsumerAddress; readonly login: Login }): Promise<boolean> {
  const store = storeOf(rooms, place.store);
  const { current, pending } = await store.read(place.secret);
  if (current && sameLogin(loginOf(current.value), what.login)) return false;
  if (current) {
    throw new LockkeeperError('conflict', `${place.store}/${place.secret} hands out another login already`, {
      hint: 'Rotate the credential, or empty the secret first.',
    });
  }
  // What a crashed import left staged may be another login: it is forgotten, never published.
  if (pending?.rotation.startsWith('import-')) await store.abandon(place.secret, pending.rotation);
  const rotation = newRotationId(rooms.world).replace(/^r-/, 'import-');
  const subject = { kind: 'credential', id: rooms.plan.name } as const;
  const event = { action: 'rotation.import', subject, actor: rooms.actor, correlation: rotation, details: { store: place.store, secret: place.secret, slot: what.login.slot } };
  await rooms.audit.record({ ...event, stage: 'intent' });
  await store.stage(place.secret, rotation, consumerText(what.address, what.login));
  await store.promote(place.secret, rotation, undefined);
  await rooms.audit.record({ ...event, stage: 'outcome', result: 'done' });
  return true;
}
