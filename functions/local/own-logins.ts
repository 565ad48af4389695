import { asLockkeeperError, hasCode, LockkeeperError } from '../../shared/base/error.ts';
import { readGuarded } from '../../shared/base/owner-file.ts';
import type { Sealed } from '../../shared/base/sealed.ts';
import type { AdminConfig } from '../../shared/config/admin.ts';
import { openReference } from '../../shared/config/open-reference.ts';
import type { SecretPlace, SecretReference } from '../../shared/config/references.ts';
import { consumerForm } from '../../shared/rotation/forms/consumer-form.ts';
import type { SecretStore, SecretVersion } from '../../shared/secrets/contract.ts';
import type { AdminLogin, AdminOffer } from '../../shared/services/admin-login.ts';
import type { Login } from '../../shared/services/contract.ts';

/** Where lockkeeper's own secrets are. */
export interface OwnPlaces {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly secrets: Readonly<Record<string, SecretStore>>;
  /** The versions that the secret's own rotation staged and published last; none where nothing rotates it. */
  readonly versionsOf?: (place: SecretPlace) => Promise<readonly string[]>;
}

/**
 * lockkeeper's own login, read anew by every call, so that it can be rotated while lockkeeper runs. Where it is in a
 * secret, the other versions of that secret are offered, too. The errors of openReference; what stands in the
 * configuration is in none.
 */
export function adminLogin(admin: AdminConfig, places: OwnPlaces): () => Promise<AdminOffer> {
  if ('secret' in admin) {
    const first = async () => asAdmin(await loginIn(admin.secret, places.secrets));
    return offered(first, () => versionsIn(admin.secret, places, []));
  }
  const { user, password } = admin;
  const { secret } = password;
  const first = async () => ({ user, password: await opened(password, places, [user]) });
  return secret ? offered(first, () => versionsIn(secret, places, [user])) : first;
}

/** Where no login can be read from what the secret hands out, another version of it may still be valid. */
function offered(
  first: () => Promise<AdminLogin>,
  otherwise: () => Promise<readonly AdminLogin[]>,
): () => Promise<AdminOffer> {
  return async () => {
    try {
      return { ...(await first()), otherwise };
    } catch (thrown) {
      if (!hasCode(thrown, 'invalid') && !hasCode(thrown, 'not-found')) throw thrown;
      const [other] = await otherwise().catch(() => Promise.reject(thrown));
      if (other) return { ...other, otherwise };
      throw thrown;
    }
  };
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
    hint: 'Put the login there first; where a credential rotates it: lockkeeper secret import NAME --user USER.',
  });
}

/**
 * Every login that the secret still holds: what it hands out, what is staged, what its rotation published although the
 * store does not show it yet, and what it handed out before. A text that holds none is left out.
 */
async function versionsIn(
  place: SecretPlace,
  { secrets, versionsOf }: OwnPlaces,
  users: readonly string[],
): Promise<readonly AdminLogin[]> {
  const ids = (await versionsOf?.(place)) ?? [];
  const state = await secrets[place.store]?.read(place.name, ids).catch(unnamed);
  if (!state) return [];
  const asked = ids.map((id) => state.asked.find((version) => version.id === id));
  const versions = [state.current, state.pending, ...asked, state.previous];
  return versions.flatMap((version) => (version ? loginsOf(version, place, users) : []));
}

/** What a store says of a secret has its name in it. */
function unnamed(thrown: unknown): never {
  const { code, hint } = asLockkeeperError(thrown);
  const told = "the secret with lockkeeper's own login cannot be read again";
  throw new LockkeeperError(code, told, hint === undefined ? {} : { hint });
}

function loginsOf({ value }: SecretVersion, place: SecretPlace, users: readonly string[]): readonly AdminLogin[] {
  try {
    return [asAdmin(consumerForm(place).read(value, users))];
  } catch (thrown) {
    if (hasCode(thrown, 'invalid')) return [];
    throw thrown;
  }
}

function asAdmin({ slot, value }: Login): AdminLogin {
  return { user: slot, password: value };
}
