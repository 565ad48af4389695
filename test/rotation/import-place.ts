import { refuseSecrets } from '../../shared/audit/entries/refuse-secrets.ts';
import type { AuditEvent, AuditLog } from '../../shared/audit/entry.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { MemoryBucket, memoryObjects } from '../../shared/objects/memory.ts';
import { consumerForm, type FormSpec } from '../../shared/rotation/forms/consumer-form.ts';
import type { CredentialPlan, RotationDeps } from '../../shared/rotation/plan.ts';
import { MemoryVault, memorySecrets, type MemoryVaultOptions } from '../../shared/secrets/memory.ts';
import type { Login } from '../../shared/services/contract.ts';
import { MemoryHost, memoryService } from '../../shared/services/memory.ts';
import type { MemoryHostOptions } from '../../shared/services/memory-options.ts';
import type { Faults } from '../broken-writes.ts';
import { PlantedSecret } from '../planted-secret.ts';
import { testWorld } from '../world.ts';

/** The value that consumers use. */
export const value = new PlantedSecret();
export const login: Login = { slot: 'app_a', value: value.sealed() };
export const address = { engine: 'postgres', host: 'db', port: 5432, dbname: 'app' };

/** Two stores with one empty secret each, and a service that accepts `login`. */
export function makeEmptyPlace(more: {
  forms?: readonly FormSpec[];
  vaults?: readonly MemoryVaultOptions[];
  service?: Partial<MemoryHostOptions>;
}) {
  const world = testWorld();
  const slots = more.service?.slots ?? ['app_a', 'app_b'];
  const host = new MemoryHost({ strategy: slots.length > 1 ? 'alternating' : 'single', slots, world, ...more.service });
  host.setByHand('app_a', value.bare());
  const vaults = [0, 1].map((at) => new MemoryVault({ world, ...more.vaults?.[at] }));
  for (const vault of vaults) vault.add('app-db');
  const events: AuditEvent[] = [];
  const audit: AuditLog = {
    async record(event) {
      refuseSecrets(event);
      events.push(event);
      return { run: 'heard', n: events.length - 1, hash: '', at: world.now() };
    },
  };
  const forms = (more.forms ?? [{}, { form: 'url' }]).map((spec) => consumerForm(spec));
  const plan: CredentialPlan = {
    name: 'app-db',
    service: 'app database',
    stores: forms.map((form, at) => ({ store: `s${at}`, secret: 'app-db', form })),
    address,
    propagationMs: 1,
    everyMs: 1,
    refreshes: [],
    acceptDowntime: false,
  };
  const bucket = new MemoryBucket();
  const deps = (faults?: Faults): RotationDeps => {
    const wrapped = <T extends object>(target: T, name: string, writes: readonly (keyof T & string)[]) =>
      faults ? faults.wrap(target, name, writes) : target;
    const stores = vaults.map((vault, at) => {
      return [`s${at}`, wrapped(memorySecrets(vault), `s${at}`, ['stage', 'promote', 'abandon'])] as const;
    });
    return {
      plan,
      stores: Object.fromEntries(stores),
      service: wrapped(memoryService(host), 'service', ['change', 'retire']),
      state: memoryObjects(bucket),
      audit: wrapped(audit, 'audit', ['record']),
      world,
      notify: async () => undefined,
      actor: 'ada',
      fingerprintKey: new Uint8Array(32).fill(7),
    };
  };
  const handedOut = () =>
    vaults.map((vault, at) => {
      const text = vault.shelves.get('app-db')?.current?.text;
      return text === undefined ? undefined : forms[at]?.read(new Sealed(text), slots);
    });
  return { host, vaults, events, plan, deps, world, handedOut, bucket };
}
