import { LockkeeperError } from '../base/error.ts';
import { Sealed } from '../base/sealed.ts';
import type { Login } from '../services/contract.ts';

/** Where a service listens, as consumers read it. */
export interface ConsumerAddress {
  readonly engine: string;
  readonly host: string;
  readonly port: number;
  readonly dbname?: string;
}

/**
 * The text that consumers read in a secret store is one JSON object:
 * `{"engine","host","port","username","password","dbname"?}` and whatever else a person put there.
 * This file is the one place outside the drivers that opens values, because only it knows where in the text they are.
 */
export function consumerText(address: ConsumerAddress, login: Login): Sealed {
  return new Sealed(JSON.stringify({ ...address, username: login.slot, password: login.value.open() }));
}

/** The login inside a consumer text; `invalid` where there is none. The text never appears in the error. */
export function loginOf(text: Sealed): Login {
  const members = membersOf(text);
  const { username, password } = members;
  if (typeof username !== 'string' || typeof password !== 'string' || username === '' || password === '') {
    throw new LockkeeperError('invalid', 'the secret has no "username" and "password" texts', { hint: shapeHint });
  }
  return { slot: username, value: new Sealed(password) };
}

/** `text` with another login in it; every other member stays as it is. */
export function withLogin(text: Sealed, login: Login): Sealed {
  return new Sealed(JSON.stringify({ ...membersOf(text), username: login.slot, password: login.value.open() }));
}

/**
 * Names of other members that hold the password too (a connection URL): lockkeeper moves username and password only, so
 * such a member would go stale at the first rotation.
 */
export function membersHoldingPassword(text: Sealed): readonly string[] {
  const { password, ...others } = membersOf(text);
  // A short word is found anywhere and proves nothing.
  if (typeof password !== 'string' || password.length < 8) return [];
  const forms = [password, encodeURIComponent(password)];
  const holds = (value: unknown) =>
    forms.some((form) => JSON.stringify(value ?? null).includes(JSON.stringify(form).slice(1, -1)));
  return Object.keys(others).filter((name) => holds(others[name]));
}

const shapeHint =
  'Store JSON like {"engine":"postgres","host":"db","port":5432,"username":"app_a","password":"…","dbname":"app"}.';

function membersOf(text: Sealed): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(text.open());
  } catch {
    // The parser's own message quotes the text, so it must not become the cause.
    throw new LockkeeperError('invalid', 'the secret is not JSON', { hint: shapeHint });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new LockkeeperError('invalid', 'the secret is not one JSON object', { hint: shapeHint });
  }
  return { ...json };
}
