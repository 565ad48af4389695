import type { Notice } from '../../shared/approvals/contract.ts';
import type { AuditLog } from '../../shared/audit/entry.ts';
import type { World } from '../../shared/base/world.ts';
import type { ManualCredential } from '../../shared/config/manual.ts';
import type { Config, ServiceConfig } from '../../shared/config/schema.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { consumerForm } from '../../shared/rotation/forms/consumer-form.ts';
import type { ManualPlan, ReminderDeps, ValidUntil } from '../../shared/rotation/manual/manual-plan.ts';
import type { SecretStore } from '../../shared/secrets/contract.ts';

/** What reminders need besides the configuration. */
export interface ManualSurroundings {
  readonly config: Config;
  readonly world: World;
  readonly secrets: Readonly<Record<string, SecretStore>>;
  readonly state: ObjectStore;
  readonly audit: AuditLog;
  /** The key of the log's fingerprints; undefined where this machine has none. */
  readonly fingerprintKey: Uint8Array | undefined;
  readonly notify: (notice: Notice) => Promise<void>;
  readonly actor: string;
}

/** The dependencies of every service whose credential people renew, by the service's name. Nothing is opened yet. */
export function reminderDeps(around: ManualSurroundings): ReadonlyMap<string, ReminderDeps> {
  const { config, secrets: stores, state, audit, world, notify, actor, fingerprintKey } = around;
  const shared = { stores, state, audit, world, notify, actor, ...(fingerprintKey && { fingerprintKey }) };
  return new Map(
    config.services.flatMap((service) => {
      const { credential } = service;
      if (credential?.engine !== 'manual') return [];
      return [[service.name, { ...shared, plan: manualPlan(service, credential) }] as const];
    }),
  );
}

function manualPlan({ name, owner, tags }: ServiceConfig, credential: ManualCredential): ManualPlan {
  return {
    name,
    owner,
    tags,
    stores: credential.secrets.map((place) => ({ store: place.store, secret: place.name, form: consumerForm(place) })),
    validUntil: validUntil(credential),
    // Of the default those that would come on the first day are left out.
    remindMs: credential.remind.map(({ ms }) => ms).filter((ms) => ms < (credential.lifetime?.ms ?? Infinity)),
    renew: credential.renew,
  };
}

function validUntil({ expires, lifetime }: ManualCredential): ValidUntil {
  if (expires) return { by: 'date', ...expires };
  return lifetime ? { by: 'lifetime', ms: lifetime.ms } : { by: 'certificate' };
}
