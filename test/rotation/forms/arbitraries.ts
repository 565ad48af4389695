import { fc } from '../../properties.ts';
import { Sealed } from '../../../shared/base/sealed.ts';
import type { Login } from '../../../shared/services/contract.ts';
import type { ConsumerAddress } from '../../../shared/rotation/forms/form.ts';

export const address: ConsumerAddress = { engine: 'postgres', host: 'db.internal', port: 5432, dbname: 'orders' };

/** Every printable ASCII character is about as likely as the letters. */
export const printable = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 40 });

/** Passwords and user names of people: all of ASCII, letters of every script, and what usually breaks a text. */
const awkward = fc.constantFrom(
  'a%b', '100%', '%41', 'p@ss:w/o?r#d', `q"uo'te`, 'back\\slash', 'ends\\', '\\\\two', 'new\nline', 'tab\tand\rreturn',
  '${HOME}', '$1', '`id`', ' blanks ', '=', '#', '+ +', 'ünïcode', '密码', '🔑key', '"', "'", '\u2028', '__proto__', 'a&b=c',
); // prettier-ignore

export const words = fc.oneof(printable, awkward, fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }));

export const logins: fc.Arbitrary<Login> = fc.tuple(words, words).map(([slot, value]) => login(slot, value));

/** Logins that lockkeeper itself makes: any form but pem holds them. */
export const ordinary: fc.Arbitrary<Login> = fc
  .tuple(fc.stringMatching(/^[a-z][a-z0-9_]{0,12}$/), fc.stringMatching(/^[A-Za-z0-9_-]{16,32}$/))
  .map(([slot, value]) => login(slot, value));

export function login(slot: string, value: string): Login {
  return { slot, value: new Sealed(value) };
}

/** A login as something that can be compared. */
export function opened({ slot, value }: Login): readonly [string, string] {
  return [slot, value.open()];
}
