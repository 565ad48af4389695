import { LockkeeperError } from '../../base/error.ts';
import { Sealed } from '../../base/sealed.ts';
import type { Login, Slot } from '../../services/contract.ts';
import type { ConsumerForm } from './form.ts';
import { onlySlot } from './only-slot.ts';
import { proven } from './proven.ts';

/** The form `plain`: the value alone, of the service's only user. One line end after it is kept and is not part of it. */
export const plainForm: ConsumerForm = { name: 'plain', read, write, stale: () => [] };

function read(text: Sealed, slots: readonly Slot[]): Login {
  const slot = onlySlot('plain', slots);
  const value = text.open().replace(/\r?\n$/, '');
  if (value !== '') return { slot, value: new Sealed(value) };
  throw new LockkeeperError('invalid', 'the secret is empty (form plain)', { hint: 'Store the value alone.' });
}

function write(basis: Sealed | undefined, login: Login): Sealed {
  const end = /\r?\n$/.exec(basis?.open() ?? '')?.[0] ?? '';
  return proven(plainForm, login.value.open() + end, login);
}
