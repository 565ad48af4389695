import { LockkeeperError } from '../../base/error.ts';
import { Sealed } from '../../base/sealed.ts';
import type { Login } from '../../services/contract.ts';
import type { ConsumerForm } from './form.ts';

/** `text`, read back before anything uses it; `invalid` where it does not give `login`. Nothing of either is told. */
export function proven(form: Pick<ConsumerForm, 'name' | 'read'>, text: string, login: Login): Sealed {
  const sealed = new Sealed(text);
  const back = readOrNothing(form, sealed, login);
  if (back?.slot === login.slot && back.value.open() === login.value.open()) return sealed;
  throw new LockkeeperError(
    'invalid',
    `the form ${form.name} cannot hold this login so that every reader gets it back`,
    {
      hint: 'Use the form json, or a user name and a value of letters, digits, - and _.',
    },
  );
}

/** The login of a text that may hold none. */
export function readOrNothing(
  form: Pick<ConsumerForm, 'read'>,
  text: Sealed,
  { slot }: Pick<Login, 'slot'>,
): Login | undefined {
  try {
    return form.read(text, [slot]);
  } catch (thrown) {
    if (thrown instanceof LockkeeperError && thrown.code === 'invalid') return undefined;
    throw thrown;
  }
}
