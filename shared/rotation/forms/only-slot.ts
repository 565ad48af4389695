import { LockkeeperError } from '../../base/error.ts';
import type { Slot } from '../../services/contract.ts';

/** The user of a text that names none: the only one there is; `invalid` where there are two. */
export function onlySlot(form: string, slots: readonly Slot[]): Slot {
  const [slot, ...others] = slots;
  if (slot !== undefined && others.length === 0) return slot;
  throw new LockkeeperError('invalid', `the text (form ${form}) names no user, and the service has ${slots.length}`, {
    hint: 'Use a form that holds the user name too: json, url, or env with a key for the user.',
  });
}
