import { LockkeeperError } from '../../base/error.ts';
import type { Sealed } from '../../base/sealed.ts';
import type { SecretState, SecretVersion } from '../../secrets/contract.ts';
import { newRotationId } from '../effects/generate.ts';
import { audited } from '../effects/recorded.ts';
import { placeOf, tellVersion } from '../effects/told.ts';
import { storeOf } from '../effects/under-way.ts';
import { readOrNothing } from '../forms/proven.ts';
import { isWholeText } from '../forms/whole-text.ts';
import type { CopyPlace, PlannedCopy } from '../plan.ts';
import type { ReminderDeps } from './manual-plan.ts';

/** What a person brings: a value, or the whole text as consumers read it. */
export interface NewValue {
  readonly text: Sealed;
  /** Whose it is, where the text of a place names somebody; who is named there unless given. */
  readonly user: string | undefined;
}

/**
 * Puts a new value into every place that does not hold it yet; answers where. Nothing can try it. Everything is read, and
 * every text made, before anything is written: `invalid` where a form cannot hold the value. The version before stays in
 * the store. Repeatable.
 *
 * | killed after | what holds                                                                                  |
 * |--------------|---------------------------------------------------------------------------------------------|
 * | staging      | no consumer sees it; the next import publishes it, that of another value forgets it         |
 * | publishing   | it is handed out there; the next import goes on with the other places, and until then people |
 * |              | are told that the places differ                                                             |
 */
export async function renewValue(deps: ReminderDeps, given: NewValue): Promise<readonly CopyPlace[]> {
  const puts = await Promise.all(
    deps.plan.stores.map(async (place) => {
      const state = await storeOf(deps, place.store).read(place.secret);
      return { place, state, text: textFor(deps, { place, state, given }) };
    }),
  );
  const news = puts.filter(({ state, text }) => !state.current?.value.equals(text));
  for (const one of news) await put(deps, one);
  return news.map(({ place: { store, secret } }) => ({ store, secret }));
}

interface Put {
  readonly place: PlannedCopy;
  readonly state: SecretState;
  readonly text: Sealed;
}

/** The text itself where it is of this form; else what stands there with the new value in it. */
function textFor(
  { plan }: ReminderDeps,
  { place, state, given }: Omit<Put, 'text'> & { readonly given: NewValue },
): Sealed {
  const { form } = place;
  const whole = plan.stores.find((one) => one.form.name !== 'plain' && isWholeText(one.form, given.text, plan.name));
  if (isWholeText(form, given.text, plan.name) && (form.name !== 'plain' || !whole)) return given.text;
  const login = whole && readOrNothing(whole.form, given.text, { slot: plan.name });
  const before = state.current && readOrNothing(form, state.current.value, { slot: plan.name });
  if ((whole && !login) || (!before && form.name !== 'plain'))
    throw new LockkeeperError('invalid', `${place.store}/${place.secret} (form ${form.name}) needs the whole text`, {
      hint: `Give the text as consumers read it there, from a file: lockkeeper secret import ${plan.name} < FILE`,
    });
  const slot = form.name === 'plain' ? plan.name : (given.user ?? login?.slot ?? before?.slot ?? plan.name);
  const address = { engine: 'manual', host: '', port: 0 };
  return form.write(state.current?.value, { slot, value: login?.value ?? given.text }, address);
}

/** What a killed import left staged is published where it is this text, else forgotten. */
async function put(deps: ReminderDeps, { place, state, text }: Put): Promise<void> {
  const { store, secret } = place;
  const { current, pending } = state;
  const mine = pending?.value.equals(text) ? pending : undefined;
  if (pending && !mine)
    await audited({ deps }, { action: 'credential.abandon', rotation: pending.rotation, details: placeOf(place) }, () =>
      storeOf(deps, store).abandon(secret, pending.rotation),
    );
  const rotation = mine?.rotation ?? newRotationId(deps.world).replace(/^r-/, 'import-');
  const details = { ...placeOf({ store, secret }), before: current?.id };
  const told = ({ id }: SecretVersion) => tellVersion(deps, { id, login: undefined });
  await audited({ deps }, { action: 'credential.renew', rotation, details, told }, async () => {
    const { id } = mine ?? (await storeOf(deps, store).stage(secret, rotation, text));
    return await storeOf(deps, store).promote(secret, { rotation, id }, current?.id);
  });
}
