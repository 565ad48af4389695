import { LockkeeperError } from '../../base/error.ts';
import { Sealed } from '../../base/sealed.ts';
import type { Login } from '../../services/contract.ts';
import { credentialsIn, withCredentials } from './connection-url.ts';
import type { ConsumerAddress, ConsumerForm } from './form.ts';
import { jsonText, type JsonScalar, type JsonText } from './json-text.ts';
import { proven } from './proven.ts';
import { repeatsOf } from './repeats.ts';
import { spliced, type Edit } from './splice.ts';

/** The members that hold the login. */
export interface JsonFields {
  readonly usernameField: string;
  readonly passwordField: string;
}

/**
 * The form `json`: one object `{"engine","host","port","username","password","dbname"?}` and whatever else a person put
 * there, which stays as it is, byte by byte. A URL anywhere in it that repeats the login is derived: it gets the new
 * one too.
 */
export function jsonForm(fields: JsonFields): ConsumerForm {
  const form: Pick<ConsumerForm, 'name' | 'read'> = {
    name: 'json',
    read: (text) => loginIn(partsOf(text.open()), fields),
  };
  return {
    ...form,
    write(basis, login, address) {
      const text = basis?.open() ?? '';
      const parts = jsonText(text);
      if (!parts) return proven(form, newText(address, login, fields), login);
      return proven(form, spliced(text, edits(parts, login, fields)), login);
    },
    stale: (text) => stale(partsOf(text.open()), fields),
  };
}

function partsOf(text: string): JsonText {
  const parts = jsonText(text);
  // The parser's own message quotes the text, so it must not become the cause.
  if (!parts)
    throw new LockkeeperError('invalid', 'the secret is not one JSON object (form json)', { hint: shapeHint });
  return parts;
}

const shapeHint =
  'Store JSON like {"engine":"postgres","host":"db","port":5432,"username":"app_a","password":"…","dbname":"app"}.';

/** `invalid` also where a member comes twice with two values: readers take the first or the last. */
function loginIn(parts: JsonText, { usernameField, passwordField }: JsonFields): Login {
  const only = (field: string) => {
    const values = parts.members
      .filter(({ name }) => name === field)
      .map(({ from }) => parts.scalars.find((scalar) => scalar.isOwn && scalar.from === from)?.value);
    const [first] = values;
    return values.every((value) => value === first) && typeof first === 'string' ? first : '';
  };
  const [slot, value] = [only(usernameField), only(passwordField)];
  if (slot !== '' && value !== '') return { slot, value: new Sealed(value) };
  throw new LockkeeperError(
    'invalid',
    `the secret has no texts ${JSON.stringify(usernameField)} and ${JSON.stringify(passwordField)}, or has one twice`,
    { hint: `${shapeHint} Where they have other names, set usernameField and passwordField.` },
  );
}

function edits(parts: JsonText, login: Login, fields: JsonFields): readonly Edit[] {
  const wanted: readonly (readonly [string, string])[] = [
    [fields.usernameField, login.slot],
    [fields.passwordField, login.value.open()],
  ];
  const isThere = (field: string) => parts.members.some(({ name }) => name === field);
  const replaced = wanted.flatMap(([field, text]) =>
    parts.members
      .filter(({ name }) => name === field)
      .map(({ from, to }) => ({ from, to, text: JSON.stringify(text) })),
  );
  const added = wanted
    .filter(([field]) => !isThere(field))
    .map(([field, text]) => `${JSON.stringify(field)}:${JSON.stringify(text)}`)
    .join(',');
  const comma = parts.members.length > 0 ? ',' : '';
  const addition = added === '' ? [] : [{ from: parts.end, to: parts.end, text: comma + added }];
  return [...replaced, ...addition, ...derived(parts, login, fields)];
}

function derived(parts: JsonText, login: Login, fields: JsonFields): readonly Edit[] {
  return derivedUrls(parts, fields).map(({ from, to, value }) => {
    const url = withCredentials(String(value), login.slot, login.value.open());
    if (url !== undefined) return { from, to, text: JSON.stringify(url) };
    throw new LockkeeperError('invalid', 'a URL in the secret cannot hold this login', {
      hint: 'Use a user name and a value of letters, digits, - and _.',
    });
  });
}

/** URLs that hold the text's own login. One with another login belongs to something else and is never touched. */
function derivedUrls(parts: JsonText, fields: JsonFields): readonly JsonScalar[] {
  const login = loginOrNothing(parts, fields);
  if (!login) return [];
  return parts.scalars.filter(({ member, isOwn, value }) => {
    if (typeof value !== 'string' || (isOwn && isField(member, fields))) return false;
    const credentials = credentialsIn(value);
    return credentials?.password === login.value.open() && (credentials.user ?? login.slot) === login.slot;
  });
}

function stale(parts: JsonText, fields: JsonFields): readonly string[] {
  const login = loginOrNothing(parts, fields);
  if (!login) return [];
  const repeats = repeatsOf(login);
  const moved = derivedUrls(parts, fields);
  const holding = parts.scalars.filter((scalar) => {
    if (scalar.isOwn && isField(scalar.member, fields)) return false;
    const text = String(scalar.value);
    return repeats(moved.includes(scalar) ? (withCredentials(text, '', '') ?? text) : text);
  });
  // A name may hold the value itself.
  const told = (name: string) => (repeats(name) ? 'the name of a member' : name);
  return [...new Set([...holding.map(({ member }) => member), ...parts.names.filter(repeats)].map(told))];
}

function loginOrNothing(parts: JsonText, fields: JsonFields): Login | undefined {
  try {
    return loginIn(parts, fields);
  } catch (thrown) {
    if (thrown instanceof LockkeeperError && thrown.code === 'invalid') return undefined;
    throw thrown;
  }
}

function isField(member: string, { usernameField, passwordField }: JsonFields): boolean {
  return member === usernameField || member === passwordField;
}

function newText({ engine, host, port, dbname }: ConsumerAddress, login: Login, fields: JsonFields): string {
  const own = { [fields.usernameField]: login.slot, [fields.passwordField]: login.value.open() };
  return JSON.stringify({ engine, host, port, ...own, ...(dbname !== undefined && { dbname }) });
}
