import { LockkeeperError } from '../../base/error.ts';
import { Sealed } from '../../base/sealed.ts';
import type { Login } from '../../services/contract.ts';
import { credentialsIn, withCredentials } from './connection-url.ts';
import { envText, quoted, valuesIn, type EnvText } from './env-text.ts';
import type { ConsumerAddress, ConsumerForm } from './form.ts';
import { onlySlot } from './only-slot.ts';
import { proven, readOrNothing } from './proven.ts';
import { repeatsOf } from './repeats.ts';
import { spliced } from './splice.ts';
import { connectionUrl } from './url.ts';

/**
 * The keys that hold the login: `passwordKey`, or `urlKey` alone. Without `userKey` a password belongs to the service's
 * only user.
 */
export interface EnvKeys {
  readonly userKey?: string | undefined;
  readonly passwordKey?: string | undefined;
  /** Beside a password it is derived; alone it is where the login is read. */
  readonly urlKey?: string | undefined;
}

/**
 * The form `env`: dotenv text, KEY=value lines with comments, which stay. Any value that is a URL with the same login is
 * derived. It is read as Node reads it, and written so that other readers agree; `invalid` where they cannot.
 */
export function envForm(keys: EnvKeys): ConsumerForm {
  const form: Pick<ConsumerForm, 'name' | 'read'> = {
    name: 'env',
    read: (text, slots) => loginIn(envText(text.open()), keys, slots),
  };
  return {
    ...form,
    write(basis, login, address) {
      const text = basis?.open() ?? '';
      const parts = envText(text);
      const fresh = !parts || parts.lines.length === 0;
      const edit = { text: fresh ? '' : text, parts: fresh ? undefined : parts, form, keys };
      return proven(form, written(edit, login, address), login);
    },
    stale(text) {
      const parts = envText(text.open());
      const login = parts && readOrNothing(form, text, nobody);
      return parts && login ? stale(text.open(), parts, { login, keys }) : [];
    },
  };
}

function loginIn(parts: EnvText | undefined, keys: EnvKeys, slots: readonly string[]): Login {
  const login = keys.passwordKey === undefined ? inUrl(parts, keys, slots) : inKeys(parts, keys, slots);
  if (login) return login;
  const names = [keys.userKey, keys.passwordKey ?? keys.urlKey].filter((key) => key !== undefined);
  throw new LockkeeperError('invalid', `the secret is no dotenv text with ${names.join(' and ')} (form env)`, {
    hint: 'Store lines of KEY=value, and name the keys with userKey, passwordKey and urlKey.',
  });
}

function inUrl(parts: EnvText | undefined, { urlKey }: EnvKeys, slots: readonly string[]): Login | undefined {
  const credentials = credentialsIn(parts?.values.get(urlKey ?? '') ?? '');
  if (!credentials) return undefined;
  return { slot: credentials.user ?? onlySlot('env', slots), value: new Sealed(credentials.password) };
}

function inKeys(parts: EnvText | undefined, { userKey, passwordKey }: EnvKeys, slots: readonly string[]) {
  const value = parts?.values.get(passwordKey ?? '') ?? '';
  const slot = userKey === undefined ? onlySlot('env', slots) : (parts?.values.get(userKey) ?? '');
  const isNamed = userKey === undefined || slot !== '';
  return isNamed && value !== '' ? { slot, value: new Sealed(value) } : undefined;
}

/** The user where the text names none. */
const nobody = { slot: '' };

interface Edit {
  readonly text: string;
  /** Undefined for a new text. */
  readonly parts: EnvText | undefined;
  readonly form: Pick<ConsumerForm, 'read'>;
  readonly keys: EnvKeys;
}

/** Every line of a key that changes gets its value; a key without a line gets one at the end. */
function written({ text, parts, form, keys }: Edit, login: Login, address: ConsumerAddress): string {
  const old = parts && readOrNothing(form, new Sealed(text), nobody);
  const wanted = new Map<string, string>();
  for (const [key, value] of parts?.values ?? []) {
    const url = old && derived(value, old, login);
    if (url !== undefined) wanted.set(key, url);
  }
  if (keys.userKey !== undefined) wanted.set(keys.userKey, login.slot);
  if (keys.passwordKey !== undefined) wanted.set(keys.passwordKey, login.value.open());
  if (keys.urlKey !== undefined && !wanted.has(keys.urlKey)) {
    const own = withCredentials(parts?.values.get(keys.urlKey) ?? '', login.slot, login.value.open());
    wanted.set(keys.urlKey, own ?? connectionUrl(address, login));
  }
  const result = withValues(text, parts, wanted);
  if (onlyChanged(parts, valuesIn(result), wanted)) return result;
  throw unwritable();
}

function derived(value: string, old: Login, login: Login): string | undefined {
  const credentials = credentialsIn(value);
  const isUser = old.slot === nobody.slot || (credentials?.user ?? old.slot) === old.slot;
  return isUser && credentials?.password === old.value.open()
    ? withCredentials(value, login.slot, login.value.open())
    : undefined;
}

function withValues(text: string, parts: EnvText | undefined, wanted: ReadonlyMap<string, string>): string {
  const edits = (parts?.lines ?? []).flatMap(({ key, from, to, quote }) => {
    const value = wanted.get(key);
    return value === undefined ? [] : [{ from, to, text: quotedOrInvalid(value, quote) }];
  });
  const added = [...wanted]
    .filter(([key]) => !parts?.lines.some((line) => line.key === key))
    .map(([key, value]) => `${key}=${quotedOrInvalid(value)}\n`);
  const gap = added.length > 0 && text !== '' && !text.endsWith('\n') ? '\n' : '';
  return spliced(text, edits) + gap + added.join('');
}

/** What Node reads afterwards is what was wanted, and every other key as before. */
function onlyChanged(
  parts: EnvText | undefined,
  after: ReadonlyMap<string, string>,
  wanted: ReadonlyMap<string, string>,
): boolean {
  const expected = new Map([...(parts?.values ?? []), ...wanted]);
  return expected.size === after.size && [...expected].every(([key, value]) => after.get(key) === value);
}

function quotedOrInvalid(value: string, quote?: string): string {
  const text = quoted(value, quote);
  if (text !== undefined) return text;
  throw unwritable();
}

function unwritable(): LockkeeperError {
  return new LockkeeperError('invalid', 'readers of dotenv texts would disagree about this login (form env)', {
    hint: 'Use the form json, or a user name and a value of letters, digits, - and _.',
  });
}

function stale(text: string, parts: EnvText, { login, keys }: { login: Login; keys: EnvKeys }): readonly string[] {
  const repeats = repeatsOf(login);
  const isMoved = (key: string) => {
    const own = [keys.userKey, keys.passwordKey, keys.urlKey].includes(key);
    return own || derived(parts.values.get(key) ?? '', login, login) !== undefined;
  };
  const holding = parts.lines.filter(({ key }) => !isMoved(key) && repeats(parts.values.get(key) ?? ''));
  const rest = spliced(
    text,
    parts.lines.map(({ from, to }) => ({ from, to, text: '' })),
  );
  const told = holding.map(({ key }) => (repeats(key) ? 'the name of a key' : key));
  return [...new Set([...told, ...(repeats(rest) ? ['a comment or the name of a key'] : [])])];
}
