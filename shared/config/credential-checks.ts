import { adminMistakes, type CredentialAt } from './admin-checks.ts';
import { calendarMistakes } from './calendar-checks.ts';
import { credentialKinds } from './engines.ts';
import { isSamePlace } from './itself.ts';
import type { Kind } from './kinds.ts';
import type { Mistake } from './mistakes.ts';
import { nearest } from './nearest.ts';
import type { Rough, RoughCredential, RoughPlace } from './rough.ts';
import { secretStoreKinds } from './secret-stores.ts';
import type { Path } from './source.ts';

/** What is wrong between the fields of one credential, of one secret store, and between credentials that share a secret. */
export function credentialMistakes(config: Rough): readonly Mistake[] {
  const { secrets, services } = config;
  const all = services.flatMap(({ credential }, at) =>
    credential ? [{ credential, path: ['services', at, 'credential'] }] : [],
  );
  return [
    ...Object.entries(secrets).flatMap(([name, written]) => storeMistakes(written, ['secrets', name])),
    ...all.flatMap((one) => [
      ...mistakesOf(credentialKinds, one.credential.engine, { written: one.credential, path: one.path }),
      ...formMistakes(one),
      ...adminMistakes(one, all),
      ...calendarMistakes(one.credential, one.path, config),
      ...otherForms(one, all),
    ]),
  ];
}

/** A secret that the credential names, and where below it. */
export interface NamedPlace {
  readonly place: RoughPlace;
  readonly below: Path;
}

/** Every secret that the credential names: those of its consumers, and those that it reads itself. */
export function placesOf(credential: RoughCredential | undefined): readonly NamedPlace[] {
  if (!credential) return [];
  return [...credential.secrets.map((place, at) => ({ place, below: ['secrets', at] })), ...readBy(credential)];
}

function readBy({ admin, refreshes }: RoughCredential): readonly NamedPlace[] {
  const found = [
    { place: admin?.secret, below: ['admin', 'secret'] },
    { place: admin?.password?.secret, below: ['admin', 'password', 'secret'] },
    ...refreshes.map(({ key }, at) => ({ place: key?.secret, below: ['refreshes', at, 'key', 'secret'] })),
  ];
  return found.flatMap(({ place, below }) => (place ? [{ place, below }] : []));
}

function storeMistakes(written: unknown, path: Path): readonly Mistake[] {
  if (typeof written !== 'object' || written === null) return [];
  const fields = Object.fromEntries(Object.entries(written));
  return mistakesOf(secretStoreKinds, fields['kind'], { written: fields, path });
}

/** Of a name that is mistyped the kind that was probably meant. */
function mistakesOf(
  kinds: readonly Kind[],
  name: unknown,
  { written, path }: { readonly written: Readonly<Record<string, unknown>>; readonly path: Path },
): readonly Mistake[] {
  if (typeof name !== 'string') return [];
  const meant = nearest(
    name,
    kinds.map((one) => one.name),
  );
  const kind = kinds.find((one) => one.name === name) ?? kinds.find((one) => one.name === meant);
  return (kind?.mistakes?.(written) ?? []).map(({ field, what, hint }) => ({ path: [...path, field], what, hint }));
}

function formMistakes({ credential, path }: CredentialAt): readonly Mistake[] {
  const { users = [], secrets, admin } = credential;
  const takeTurns = new Set(users).size > 1 || credential['strategy'] === 'alternating';
  const turns = secrets.flatMap((place, at) =>
    takeTurns && !namesUser(place)
      ? [
          {
            path: [...path, 'secrets', at, 'form'],
            what: 'holds no user name, and two users take turns',
            hint: 'Consumers could not tell which one to log in as. Choose json or url, or env with a userKey.',
          },
        ]
      : [],
  );
  if (!admin?.secret || namesUser(admin.secret)) return turns;
  const hint = 'Say user and password apart, or choose json or url, or env with a userKey.';
  return [...turns, { path: [...path, 'admin', 'secret', 'form'], what: 'holds no user name', hint }];
}

function namesUser({ form, userKey, passwordKey }: RoughPlace): boolean {
  if (form === 'env') return userKey !== undefined || passwordKey === undefined;
  return form !== 'plain' && form !== 'pem';
}

/** A secret that one credential rotates and another reads is written in one form. */
function otherForms({ credential, path }: CredentialAt, all: readonly CredentialAt[]): readonly Mistake[] {
  const rotated = all.flatMap((one) =>
    one.credential.secrets.map((place, at) => ({ place, path: [...one.path, 'secrets', at] })),
  );
  return readBy(credential).flatMap(({ place, below }) => {
    const other = rotated.find((one) => isSamePlace(one.place, place));
    if (other === undefined || (other.place.form ?? 'json') === (place.form ?? 'json')) return [];
    return [
      {
        path: [...path, ...below, 'form'],
        what: 'is not the form in which the secret is kept',
        hint: 'Say the same as',
        see: other.path,
      },
    ];
  });
}
