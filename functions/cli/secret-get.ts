import { LockkeeperError } from '../../shared/base/error.ts';
import type { Sealed } from '../../shared/base/sealed.ts';
import type { ConsumerAddress } from '../../shared/rotation/forms/form.ts';
import { urlForm } from '../../shared/rotation/forms/url.ts';
import type { Login } from '../../shared/services/contract.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';
import {
  credentialCalled,
  handedOut,
  isManual,
  recordRead,
  type HandedOut,
  type SecretCredential,
} from './secret-place.ts';

/** What `--field` takes. */
export const secretFields = ['username', 'password', 'url', 'engine', 'host', 'port', 'dbname'] as const;

export interface SecretGetOptions {
  /** Without it the whole text, as it lies in the store. */
  readonly field?: (typeof secretFields)[number];
}

/** What secret-wire.ts provides. */
export interface SecretGetDeps {
  readonly credentials: readonly SecretCredential[];
  /** Writes it to stdout as it is, with a line end where it has none; with `about` as the `text` of that JSON object. */
  readonly print: (text: Sealed | string, about?: object) => void;
  /** True where a person sees stdout. */
  readonly isScreen: boolean;
}

/**
 * `lockkeeper secret get NAME [--field FIELD]`: prints what consumers read. Who read it is in the log before anything
 * is printed.
 */
export async function secretGetVerb(
  name: string,
  { field }: SecretGetOptions,
  deps: SecretGetDeps,
  terminal: Terminal,
): Promise<ExitCode> {
  const credential = credentialCalled(name, deps.credentials);
  const found = await handedOut(credential, (text) => terminal.err(`warning: ${text}`));
  const asked = field === undefined ? found.text : fieldOf(field, credential, found);
  await recordRead(credential, found, { how: 'get', field });
  if (deps.isScreen && typeof asked !== 'string')
    terminal.err('warning: this is on the screen now. Scripts: X=$(lockkeeper secret get NAME --field password)');
  deps.print(asked, terminal.json ? { name, ...found.place, version: found.version, field } : undefined);
  return exitCode.done;
}

function fieldOf(
  field: NonNullable<SecretGetOptions['field']>,
  { deps }: SecretCredential,
  { login }: HandedOut,
): Sealed | string {
  if (field === 'username' || field === 'password') {
    if (login) return field === 'username' ? login.slot : login.value;
    throw new LockkeeperError('invalid', `the text of ${deps.plan.name} names no ${field}`, {
      hint: 'Leave --field out to print the whole text, or say in the configuration which fields it has.',
    });
  }
  if (isManual(deps) || !login)
    throw new LockkeeperError('invalid', `${deps.plan.name} is a manual credential: it has no ${field}`, {
      hint: 'Leave --field out to print the whole text.',
    });
  return addressField(field, deps.plan.address, login);
}

function addressField(
  field: 'url' | 'engine' | 'host' | 'port' | 'dbname',
  address: ConsumerAddress,
  login: Login,
): Sealed | string {
  switch (field) {
    case 'url':
      return urlForm.write(undefined, login, address);
    case 'engine':
    case 'host':
      return address[field];
    case 'port':
      return String(address.port);
    case 'dbname':
      return address.dbname ?? '';
  }
}
