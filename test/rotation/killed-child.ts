import { join } from 'node:path';
import { Sealed } from '../../shared/base/sealed.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import { localFileSecrets } from '../../shared/secrets/local-file.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import { rotate } from '../../shared/rotation/run.ts';
import { postgresService } from '../../shared/services/postgres.ts';
import { systemWorld } from '../../shared/base/world.ts';
import { adminPassword } from '../services/postgres-pair.ts';

/** What a process needs to rotate one credential on a real PostgreSQL with everything durable in one directory. */
export interface DurablePlace {
  readonly directory: string;
  readonly endpoint: string;
  readonly users: readonly [string, string];
  readonly owner: string;
}

/** The dependencies on it; every process makes its own. */
export function durableDeps(place: DurablePlace): RotationDeps {
  const world = systemWorld();
  const secrets = (name: string) =>
    localFileSecrets({ directory: join(place.directory, name), keyFile: join(place.directory, 'key'), world });
  const service = postgresService({
    credential: 'app-db',
    strategy: 'alternating',
    users: place.users,
    ownerRole: place.owner,
    database: 'postgres',
    endpoints: [place.endpoint],
    tls: 'off',
    admin: { user: 'lockkeeper', password: new Sealed(adminPassword) },
    world,
  });
  return {
    plan: {
      name: 'app-db',
      service: 'postgres',
      stores: [
        { store: 'one', secret: 'app' },
        { store: 'two', secret: 'app' },
      ],
      propagationMs: 1,
      everyMs: 1,
      acceptDowntime: false,
    },
    stores: { one: secrets('one'), two: secrets('two') },
    service,
    state: fileSystemObjects({ directory: join(place.directory, 'state') }),
    audit: { record: async () => ({ run: 'none', n: 0, hash: '', at: world.now() }) },
    world,
    notify: async () => undefined,
    actor: 'test',
  };
}

/**
 * Run as a program: rotates, and kills itself at the named call: `service.change before 1` is before the first change.
 */
async function main([placeText = '', method = '', when = '', nth = '1']: readonly string[]): Promise<void> {
  const place: unknown = JSON.parse(placeText);
  if (!isPlace(place)) throw new Error('no place');
  const deps = durableDeps(place);
  let left = Number(nth);
  const die = () => process.kill(process.pid, 'SIGKILL');
  const deadly = <T extends object>(target: T, name: string): T =>
    new Proxy(target, {
      get(object, property) {
        const member: unknown = Reflect.get(object, property);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]): Promise<unknown> => {
          const isIt = method === `${name}.${String(property)}` && --left === 0;
          if (isIt && when === 'before') die();
          // Inside the guard the service's own lock is held and nothing is committed.
          const given = isIt && when === 'in-guard' ? [args[0], async () => void die(), ...args.slice(2)] : args;
          const answer: unknown = await Reflect.apply(member, object, given);
          if (isIt && when === 'after') die();
          return answer;
        };
      },
    });
  const { one, two } = deps.stores;
  if (!one || !two) throw new Error('no stores');
  const stores = { one: deadly(one, 'one'), two: deadly(two, 'two') };
  for (let runs = 0; runs < 5; runs += 1)
    await rotate(
      { ...deps, stores, service: deadly(deps.service, 'service'), state: deadly(deps.state, 'state') },
      { now: runs === 0 },
    );
}

function isPlace(value: unknown): value is DurablePlace {
  return (
    typeof value === 'object' &&
    value !== null &&
    'directory' in value &&
    'endpoint' in value &&
    'users' in value &&
    'owner' in value
  );
}

if (process.argv[1] === import.meta.filename) await main(process.argv.slice(2));
