import { LockkeeperError } from '../../base/error.ts';
import { Sealed } from '../../base/sealed.ts';
import type { Login, Slot } from '../../services/contract.ts';
import { credentialsIn, percentEncoded, withCredentials } from './connection-url.ts';
import type { ConsumerAddress, ConsumerForm } from './form.ts';
import { onlySlot } from './only-slot.ts';
import { proven } from './proven.ts';
import { repeatsOf } from './repeats.ts';

/**
 * The form `url`: one connection URL, such as postgres://user:password@host:5432/db?sslmode=verify-full, also with
 * several hosts. User and password are percent-encoded, so every character of them survives.
 */
export const urlForm: ConsumerForm = { name: 'url', read, write, stale };

/**
 * A new URL of a service; `invalid` where the login has half a character, which no URL can hold. The scheme is the one
 * that clients of the engine expect.
 */
export function connectionUrl(address: ConsumerAddress, login: Login): string {
  const host = address.host.includes(':') && !address.host.startsWith('[') ? `[${address.host}]` : address.host;
  const path = address.dbname === undefined ? '' : `/${percentEncoded(address.dbname) ?? ''}`;
  const bare = `${schemes[address.engine] ?? address.engine}://${host}:${address.port}${path}`;
  const url = withCredentials(bare, login.slot, login.value.open());
  if (url !== undefined) return url;
  throw new LockkeeperError('invalid', `no URL can hold this login at ${address.engine}`, {
    hint: 'Use the form json, or a user name and a value of letters, digits, - and _.',
  });
}

const schemes: Readonly<Record<string, string | undefined>> = { rabbitmq: 'amqp', valkey: 'redis' };

function read(text: Sealed, slots: readonly Slot[]): Login {
  const credentials = credentialsIn(split(text.open()).url);
  if (credentials) {
    return { slot: credentials.user ?? onlySlot('url', slots), value: new Sealed(credentials.password) };
  }
  throw new LockkeeperError('invalid', 'the secret is no URL with a user and a password (form url)', {
    hint: 'Store a URL like postgres://app_a:PASSWORD@db:5432/app, with every special character percent-encoded.',
  });
}

function write(basis: Sealed | undefined, login: Login, address: ConsumerAddress): Sealed {
  const { url, end } = split(basis?.open() ?? '');
  const changed = withCredentials(url, login.slot, login.value.open());
  return proven(urlForm, changed === undefined ? connectionUrl(address, login) : changed + end, login);
}

function stale(text: Sealed): readonly string[] {
  const { url } = split(text.open());
  const credentials = credentialsIn(url);
  if (!credentials) return [];
  const login = { slot: credentials.user ?? '', value: new Sealed(credentials.password) };
  const rest = withCredentials(url, '', '') ?? '';
  return repeatsOf(login)(rest) ? ['another part of the URL'] : [];
}

/** A line end after the URL is kept. */
function split(text: string): { readonly url: string; readonly end: string } {
  const end = /\r?\n$/.exec(text)?.[0] ?? '';
  return { url: text.slice(0, text.length - end.length), end };
}
