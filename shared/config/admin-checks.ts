import { changesItself, isSamePlace } from './itself.ts';
import type { Mistake } from './mistakes.ts';
import type { RoughCredential, RoughPlace } from './rough.ts';
import type { Path } from './source.ts';

/** A credential and where it stands. */
export interface CredentialAt {
  readonly credential: RoughCredential;
  readonly path: Path;
}

/**
 * What is wrong with the login by which a credential is changed: it would lock lockkeeper out. Chains of credentials that
 * change one another end in a login that no credential rotates, or in a single user that changes itself.
 */
export function adminMistakes(one: CredentialAt, all: readonly CredentialAt[]): readonly Mistake[] {
  const { credential, path } = one;
  if (changesItself(credential)) return [];
  const { admin, users = [] } = credential;
  if (admin?.user !== undefined && users.includes(admin.user))
    return [{ path: [...path, 'admin', 'user'], what: 'is one of the users', hint: oneOfUsers }];
  const { place, below } = readFrom(credential);
  if (!place) return [];
  const at = [...path, 'admin', ...below];
  const holders = holdersOf(place, all);
  if (holders.some((holder) => holder.credential === credential))
    return [{ path: at, what: 'holds one of the users', hint: ownHint(credential) }];
  const theirs = holders.flatMap((holder) => holder.credential.users ?? []);
  if (users.some((user) => theirs.includes(user)))
    return [{ path: at, what: 'holds one of the users', hint: oneOfUsers }];
  if (!isInRing(one, all)) return [];
  const what = 'is changed by this credential in the end, so each would need the other one first';
  return [{ path: at, what, hint: ringHint, ...(holders[0] && { see: holders[0].path }) }];
}

const oneOfUsers =
  'Name another login as admin, one that may change the users. A single user may change itself: its one secret is then its own admin.secret, too.';

const ringHint =
  'Let one of the logins change itself (strategy: single, with its one secret as its admin.secret), or give it an admin that no credential rotates. The other one is';

function ownHint({ secrets, users = [], ...others }: RoughCredential): string {
  if (others['strategy'] !== 'single' || users.length !== 1)
    return 'Users that take turns cannot change each other: name a third login as admin. A single user may change itself (strategy: single).';
  if (secrets.length > 1)
    return 'A user that changes itself has one secret, which lockkeeper alone reads: whoever reads another one would be refused. Leave the other secrets out, or name another login as admin.';
  return 'A user that changes itself names its secret as `admin: { secret: … }`, which holds its user and its password.';
}

/** The secret by which a credential is changed; undefined where it is in no secret. */
function readFrom({ admin }: RoughCredential): { readonly place: RoughPlace | undefined; readonly below: Path } {
  if (admin?.secret) return { place: admin.secret, below: ['secret'] };
  return { place: admin?.password?.secret, below: ['password', 'secret'] };
}

function holdersOf(place: RoughPlace | undefined, all: readonly CredentialAt[]): readonly CredentialAt[] {
  return place ? all.filter(({ credential }) => credential.secrets.some((one) => isSamePlace(one, place))) : [];
}

/** True where who changes it, and who changes that one, and so on, comes back to it. */
function isInRing({ credential: first }: CredentialAt, all: readonly CredentialAt[]): boolean {
  const seen = new Set<RoughCredential>();
  let [at] = holdersOf(readFrom(first).place, all);
  while (at && !seen.has(at.credential)) {
    if (at.credential === first) return true;
    seen.add(at.credential);
    [at] = holdersOf(readFrom(at.credential).place, all);
  }
  return false;
}
