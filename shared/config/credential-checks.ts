import { credentialKinds } from './engines.ts';
import type { Kind } from './kinds.ts';
import type { Mistake } from './mistakes.ts';
import { nearest } from './nearest.ts';
import type { Rough, RoughCredential, RoughPlace } from './rough.ts';
import { secretStoreKinds } from './secret-stores.ts';
import type { Path } from './source.ts';

/** What is wrong between the fields of one credential, of one secret store, and between credentials that share a secret. */
export function credentialMistakes({ secrets, services }: Rough): readonly Mistake[] {
  const all = services.flatMap(({ credential }, at) =>
    credential ? [{ credential, path: ['services', at, 'credential'] }] : [],
  );
  return [
    ...Object.entries(secrets).flatMap(([name, written]) => storeMistakes(written, ['secrets', name])),
    ...all.flatMap((one) => [
      ...mistakesOf(credentialKinds, one.credential.engine, { written: one.credential, path: one.path }),
      ...formMistakes(one),
      ...adminMistakes(one, all),
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

interface Credential {
  readonly credential: RoughCredential;
  readonly path: Path;
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

function formMistakes({ credential, path }: Credential): readonly Mistake[] {
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

/** A login that is changed by what it itself opens locks lockkeeper out. */
function adminMistakes({ credential, path }: Credential, all: readonly Credential[]): readonly Mistake[] {
  const { admin, users = [] } = credential;
  const hint = 'lockkeeper changes the users with a login of its own, which it does not change with itself.';
  if (admin?.user !== undefined && users.includes(admin.user))
    return [{ path: [...path, 'admin', 'user'], what: 'is one of the users', hint }];
  const { secret } = admin ?? {};
  if (!secret) return [];
  const what = 'holds one of the users';
  const at = [...path, 'admin', 'secret'];
  const holders = all.filter((one) => one.credential.secrets.some((place) => isSame(place, secret)));
  const isOwn = holders.some(
    (one) => one.credential === credential || (one.credential.users ?? []).some((user) => users.includes(user)),
  );
  return isOwn ? [{ path: at, what, hint }] : [];
}

/** A secret that one credential rotates and another reads is written in one form. */
function otherForms({ credential, path }: Credential, all: readonly Credential[]): readonly Mistake[] {
  const rotated = all.flatMap((one) =>
    one.credential.secrets.map((place, at) => ({ place, path: [...one.path, 'secrets', at] })),
  );
  return readBy(credential).flatMap(({ place, below }) => {
    const other = rotated.find((one) => isSame(one.place, place));
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

function isSame(one: RoughPlace, other: RoughPlace): boolean {
  return one.store !== undefined && one.name !== undefined && one.store === other.store && one.name === other.name;
}
