import type { CredentialPlan } from '../../../shared/rotation/plan.ts';
import { modelForm } from './bench.ts';
import { credential, everyMs, propagationMs, secret } from './setup.ts';

/** What the configuration says about the credential of the model. */
export function planOf(stores: readonly string[], refreshes: readonly string[]): CredentialPlan {
  return {
    name: credential,
    service: 'app database',
    stores: stores.map((store) => ({ store, secret, form: modelForm })),
    address: { engine: 'memory', host: 'db', port: 1 },
    propagationMs,
    everyMs,
    refreshes,
    acceptDowntime: true,
  };
}
