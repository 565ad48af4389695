import { asLockkeeperError, LockkeeperError } from '../../shared/base/error.ts';
import { readGuarded } from '../../shared/base/owner-file.ts';
import type { Sealed } from '../../shared/base/sealed.ts';
import type { AdminConfig } from '../../shared/config/admin.ts';
import { openReference } from '../../shared/config/open-reference.ts';
import type { SecretPlace, SecretReference } from '../../shared/config/references.ts';
import { consumerForm } from '../../shared/rotation/forms/consumer-form.ts';
import type { SecretStore } from '../../shared/secrets/contract.ts';
import type { Login } from '../../shared/services/contract.ts';

/** Where lockkeeper's own secrets are. */
export interface OwnPlaces {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly secrets: Readonly<Record<string, SecretStore>>;
}

/**
 * lockkeeper's own login, read anew by every call, so that it can be rotated while lockkeeper runs. The errors of
 * openReference; what stands in the configuration is in none.
 */
export function adminLogin(
  admin: AdminConfig,
  places: OwnPlaces,
): () => Promise<{ readonly user: string; readonly password: Sealed }> {
  if ('secret' in admin) {
    return async () => {
      const { slot, value } = await loginIn(admin.secret, places.secrets);
      return { user: slot, password: value };
    };
  }
  const { user, password } = admin;
  return async () => ({ user, password: await opened(password, places, [user]) });
}

/** Opens references to secrets, anew by every call. */
export function openedReference(places: OwnPlaces): (reference: SecretReference) => Promise<Sealed> {
  return (reference) => opened(reference, places, ['']);
}

/** The text of a file with an authority. Who may write it decides which server gets the passwords. */
export async function authority(path: string): Promise<string> {
  const text = await readGuarded(path, 'anyone').catch((cause: unknown) => {
    if (cause instanceof LockkeeperError) throw cause;
    throw new LockkeeperError('denied', `the authority ${path} cannot be read`, {
      cause,
      hint: 'It has to be a file that the user that runs lockkeeper may read.',
    });
  });
  if (text !== undefined) return text;
  throw new LockkeeperError('not-found', `there is no authority at ${path}`, {
    hint: 'Check `tls.ca` in the configuration.',
  });
}

/** `users`: whose the value may be where its text names nobody. */
function opened(reference: SecretReference, places: OwnPlaces, users: readonly string[]): Promise<Sealed> {
  const fromStore = async (place: SecretPlace) =>
    consumerForm(place).read(await currentText(place, places.secrets), users).value;
  return openReference(reference, { environment: places.environment, fromStore });
}

async function loginIn(place: SecretPlace, secrets: OwnPlaces['secrets']): Promise<Login> {
  try {
    return consumerForm(place).read(await currentText(place, secrets), []);
  } catch (thrown) {
    const { code, hint } = asLockkeeperError(thrown);
    throw new LockkeeperError(
      code,
      'the secret that `admin.secret` names gives no login',
      hint === undefined ? {} : { hint },
    );
  }
}

async function currentText({ store, name }: SecretPlace, secrets: OwnPlaces['secrets']): Promise<Sealed> {
  const state = await secrets[store]?.read(name);
  if (state?.current) return state.current.value;
  throw new LockkeeperError('not-found', `secret ${store}/${name} holds nothing`, {
    hint: 'Put the login there first.',
  });
}
