import { Sealed } from '../../../../shared/base/sealed.ts';
import { parseInstant } from '../../../../shared/base/time.ts';
import { fastWorld } from '../../../../shared/base/world.ts';
import { memoryObjects } from '../../../../shared/objects/memory.ts';
import { consumerForm } from '../../../../shared/rotation/forms/consumer-form.ts';
import { importLogin } from '../../../../shared/rotation/import.ts';
import type { RotationDeps } from '../../../../shared/rotation/plan.ts';
import { memorySecrets, MemoryVault } from '../../../../shared/secrets/memory.ts';
import type { Login, Service } from '../../../../shared/services/contract.ts';
import { holdSession } from '../../../services/postgres-pair.ts';

const free = async () => undefined;
let turns = 0;

/**
 * Everything that lockkeeper does at a service, once: look, change, log in, see a session, retire and end it, and prove
 * that the old value is refused. Answers the login that is valid now; throws where a step does not do what it must.
 */
export async function turn(service: Service, port: number, users: readonly string[], old: Login): Promise<Login> {
  turns += 1;
  const { problems } = await service.describe();
  if (problems.length > 0) throw new Error(`it is not ready: ${problems.join(' ')}`);
  const slot = users.find((user) => user !== old.slot) ?? '';
  const fresh = { slot, value: new Sealed(`value-of-turn-${turns}-0123456789-abcdef`) };
  await service.change(fresh, old, free);
  if (!(await service.accepts(fresh)).every(({ answer }) => answer === 'accepted'))
    throw new Error('the new value is refused');
  const held = await holdSession(port, old);
  if ((await service.sessions(old.slot)).length === 0) throw new Error('the session is not seen');
  const results = await service.retire(old.slot, fresh, free, { endSessions: true });
  for (const { error } of results) if (error) throw error;
  if (await held.isOpen()) throw new Error('the session was not ended');
  await held.close();
  if (!(await service.accepts(old)).every(({ answer }) => answer === 'refused'))
    throw new Error('the old value is accepted');
  return fresh;
}

/** The story's dependencies on this service, with `login` as what consumers read. */
export async function depsOn(service: Service, port: number, login: Login): Promise<RotationDeps> {
  const world = fastWorld(parseInstant('2026-10-01T00:00:00Z'), 1);
  const vault = new MemoryVault();
  vault.add('shop-db');
  const deps: RotationDeps = {
    plan: {
      name: 'shop-db',
      service: 'shop-db',
      stores: [{ store: 'one', secret: 'shop-db', form: consumerForm() }],
      address: { engine: 'postgres', host: '127.0.0.1', port },
      refreshes: [],
      propagationMs: 1,
      everyMs: 1,
      acceptDowntime: false,
    },
    stores: { one: memorySecrets(vault) },
    service,
    state: memoryObjects(),
    audit: { record: async () => ({ run: 'none', n: 0, hash: '', at: world.now() }) },
    world,
    notify: free,
    actor: 'attack',
  };
  await importLogin(deps, login);
  return deps;
}
