import type { Sealed } from '../../base/sealed.ts';
import type { Login } from '../../services/contract.ts';
import type { CopyPlace, RotationDeps } from '../plan.ts';
import { sameLogin, type CopySeen } from '../decisions/seen.ts';

/** One version of a secret, by the id that its own store gave it. */
export type ToldVersion = { readonly store: string; readonly secret: string; readonly version: string };

/** A login as the log tells it: whose, where it lies, and the keyed fingerprint of its value. Never the value. */
export type ToldLogin = {
  readonly slot: string;
  /** HMAC under the log's own key: an auditor who knows a value can test it. Left out where the host has no key. */
  readonly fingerprint?: string;
  /** Every version in every store that held this very login when the stores were last read; empty where none did. */
  readonly versions: readonly ToldVersion[];
};

/** What the log tells of a login, given what the stores show. */
export function tellLogin(
  deps: Pick<RotationDeps, 'fingerprintKey'>,
  copies: readonly CopySeen[],
  login: Login,
): ToldLogin {
  return {
    slot: login.slot,
    ...fingerprintOf(deps, login.value),
    versions: copies.flatMap((copy) => versionsIn(copy, login)),
  };
}

/** What the log tells of one version of one secret; nothing but the id where its text holds no login. */
export function tellVersion(
  deps: Pick<RotationDeps, 'fingerprintKey'>,
  version: { readonly id: string | undefined; readonly login: Login | undefined } | undefined,
) {
  const { id, login } = version ?? {};
  return { version: id, ...(login && { slot: login.slot, ...fingerprintOf(deps, login.value) }) };
}

/** The address of a copy and nothing else of it. */
export function placeOf({ store, secret }: CopyPlace): CopyPlace & { readonly [member: string]: string } {
  return { store, secret };
}

function fingerprintOf(
  { fingerprintKey }: Pick<RotationDeps, 'fingerprintKey'>,
  value: Sealed,
): { readonly fingerprint?: string } {
  return fingerprintKey ? { fingerprint: value.fingerprint(fingerprintKey) } : {};
}

function versionsIn(copy: CopySeen, login: Login): readonly ToldVersion[] {
  const holding = [copy.current, copy.previous, copy.pending].filter(
    (version) => version?.login && sameLogin(version.login, login),
  );
  return holding.flatMap((version) =>
    version ? [{ store: copy.store, secret: copy.secret, version: version.id }] : [],
  );
}
