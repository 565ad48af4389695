import { LockkeeperError } from '../../../shared/base/error.ts';
import { Sealed } from '../../../shared/base/sealed.ts';
import type { ConsumerForm } from '../../../shared/rotation/forms/form.ts';
import type { Login } from '../../../shared/services/contract.ts';

/** Letters that nothing else in a walk is written with: a text that holds some of them holds a value. */
const letters = 'αβγδεζηθικλμνξοπρστυφχψωΓΔΘΛΞΠΣΦΨΩ';

/** The rule of values in a walk; 32 letters of 34 are 162 bits. */
export const greekRule = { alphabet: letters, length: 32 } as const;

/** True where the text holds a value or a telling part of one. */
export function holdsGreek(text: string): boolean {
  return /[\u0391-\u03c9]{4}/.test(text);
}

/** A login as plain data. */
export interface PlainLogin {
  readonly slot: string;
  readonly value: string;
}

/** `SLOT VALUE`, the value in base64url where it has several lines. */
export const walkForm: ConsumerForm = {
  name: 'walk',
  read(text) {
    const login = loginIn(text.open());
    if (!login) throw new LockkeeperError('invalid', 'the text is not SLOT VALUE (form walk)');
    return { slot: login.slot, value: new Sealed(login.value) };
  },
  write: (_, { slot, value }: Login) => new Sealed(textOf({ slot, value: value.open() })),
  stale: () => [],
};

/** The text of a login. */
export function textOf({ slot, value }: PlainLogin): string {
  return `${slot} ${value}`;
}

/** The login in a text; undefined where there is none. */
export function loginIn(text: string): PlainLogin | undefined {
  const space = text.indexOf(' ');
  if (space < 1 || space === text.length - 1) return undefined;
  return { slot: text.slice(0, space), value: text.slice(space + 1) };
}
