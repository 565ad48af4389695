import { asLockkeeperError, LockkeeperError } from '../../shared/base/error.ts';
import type { Sealed } from '../../shared/base/sealed.ts';
import type { CopyPlace, PlannedCopy, RotationDeps } from '../../shared/rotation/plan.ts';
import { record } from '../../shared/rotation/effects/recorded.ts';
import { readOrNothing } from '../../shared/rotation/forms/proven.ts';
import type { ReminderDeps } from '../../shared/rotation/manual/manual-plan.ts';
import { placeOf, tellVersion } from '../../shared/rotation/effects/told.ts';
import type { Login, Slot } from '../../shared/services/contract.ts';
import type { AuditEvent } from '../../shared/audit/entry.ts';

/** One credential of the configuration, as the verbs of `secret` need it: rotated, or renewed by people. */
export interface SecretCredential<Deps extends RotationDeps | ReminderDeps = RotationDeps | ReminderDeps> {
  readonly deps: Deps;
  /** The users that the configuration names; the service itself is not asked. */
  readonly slots: readonly Slot[];
}

/** True for one that people renew. */
export function isManual(deps: RotationDeps | ReminderDeps): deps is ReminderDeps {
  return 'renew' in deps.plan;
}

/** What a store hands out to consumers now. */
export interface HandedOut {
  readonly place: CopyPlace;
  readonly version: string;
  readonly text: Sealed;
  /** Undefined only where people renew it, and its text holds more than a login, or less. */
  readonly login: Login | undefined;
}

/** The credential that a person named; `invalid` where there is none of that name. */
export function credentialCalled(name: string, credentials: readonly SecretCredential[]): SecretCredential {
  const found = credentials.find(({ deps }) => deps.plan.name === name);
  if (found) return found;
  const known = credentials.map(({ deps }) => deps.plan.name).join(', ');
  throw new LockkeeperError('invalid', `no credential is called ${JSON.stringify(name)}`, {
    hint: known === '' ? 'Add a service with a credential to the configuration.' : `Known: ${known}.`,
  });
}

/**
 * What consumers read now, from the first store that hands out a login; `warn` is told about those before it. Throws
 * what the first store said where none does.
 */
export async function handedOut({ deps, slots }: SecretCredential, warn: (text: string) => void): Promise<HandedOut> {
  const troubles: LockkeeperError[] = [];
  for (const place of deps.plan.stores) {
    try {
      const found = await readFrom(deps, place, slots);
      for (const trouble of troubles) warn(trouble.message);
      return found;
    } catch (thrown) {
      troubles.push(asLockkeeperError(thrown));
    }
  }
  throw troubles[0] ?? new LockkeeperError('bug', `${deps.plan.name} has no store`);
}

/** Of one store: `not-found` where it hands out nothing, `invalid` where no login is in its text. */
export async function readFrom(
  deps: RotationDeps | ReminderDeps,
  place: PlannedCopy,
  slots: readonly Slot[],
): Promise<HandedOut> {
  const { store, secret, form } = place;
  const { current } = (await deps.stores[store]?.read(secret)) ?? {};
  if (current) {
    return {
      place: { store, secret },
      version: current.id,
      text: current.value,
      login: isManual(deps)
        ? readOrNothing(form, current.value, { slot: deps.plan.name })
        : form.read(current.value, slots),
    };
  }
  const user = isManual(deps) ? '' : ' --user USER';
  throw new LockkeeperError('not-found', `${store}/${secret} hands out no login`, {
    hint: `Put in the one that consumers use now: lockkeeper secret import ${deps.plan.name}${user}`,
  });
}

/** That somebody was given the login, durable on return; nothing is given before. Never the value. */
export async function recordRead(
  { deps }: SecretCredential,
  { place, version, login }: HandedOut,
  how: AuditEvent['details'],
): Promise<void> {
  const details = { ...placeOf(place), ...tellVersion(deps, { id: version, login }), ...how };
  await record({ deps }, { action: 'secret.read', details });
}
