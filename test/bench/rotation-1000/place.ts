import { Sealed } from '../../../shared/base/sealed.ts';
import { day } from '../../../shared/base/time.ts';
import { systemWorld, type World } from '../../../shared/base/world.ts';
import { auditLog } from '../../../shared/audit/log.ts';
import { memoryObjects, MemoryBucket } from '../../../shared/objects/memory.ts';
import { consumerForm } from '../../../shared/rotation/forms/consumer-form.ts';
import type { RotationDeps } from '../../../shared/rotation/plan.ts';
import { MemoryVault, memorySecrets } from '../../../shared/secrets/memory.ts';
import { postgresService } from '../../../shared/services/postgres.ts';
import { scramVerifier } from '../../../shared/services/scram.ts';
import { identity } from '../../audit/place.ts';
import type { PostgresServer } from '../../services/postgres-server.ts';
import { callBare, type BarePlace } from './bare-calls.ts';
import { recordedDeps, recordedObjects, type Calls } from './record-calls.ts';

/** Many alternating credentials of one PostgreSQL, each with a secret store of its own; state and log are shared. */
export interface ManyCredentials {
  readonly names: readonly string[];
  /** The world of every run from now on. */
  world: World;
  deps(names: readonly string[]): ReadonlyMap<string, RotationDeps>;
  /** What was logged is forgotten: a log grows, and what grows with it is not what is measured. */
  forgetLog(): void;
  /** Begins to note calls; `again` puts users, stores and state back and makes the calls of `names` one by one. */
  record(names: readonly string[]): Promise<Recording>;
}

/** What was noted since a recording began. */
export interface Recording {
  readonly deps: ReadonlyMap<string, RotationDeps>;
  /** Puts everything back as it was; then `replay` makes the calls of one credential again. */
  putBack(): Promise<(name: string) => Promise<void>>;
  counts(): { readonly connections: number; readonly statements: number; readonly storeCalls: number };
}

const form = consumerForm();
const admin = { user: 'lockkeeper', password: new Sealed('password-of-lockkeepers-own-role') };
const salt = new Uint8Array(16).fill(5);
const verifier = (value: Sealed) => scramVerifier(value, { iterations: 4096, salt });

/** Makes `count` pairs of users, each with an owner role of its own, on a server that has none yet. */
export async function manyCredentials(server: PostgresServer, count: number): Promise<ManyCredentials> {
  const names = Array.from({ length: count }, (_, at) => `app${at}`);
  const firstValue = (name: string) => new Sealed(`first-value-of-${name}-0123456789`);
  await server.sql(
    `CREATE ROLE lockkeeper LOGIN CREATEROLE PASSWORD '${verifier(admin.password)}'; GRANT pg_signal_backend, pg_read_all_stats TO lockkeeper;`,
  );
  for (let at = 0; at < count; at += 100) {
    const some = names.slice(at, at + 100);
    await server.sql(some.map((name) => pairText(name, verifier(firstValue(name)))).join('\n'));
  }
  const buckets = { state: new MemoryBucket(), log: new MemoryBucket() };
  const state = memoryObjects(buckets.state);
  const world: World = { ...systemWorld(), now: () => many.world.now(), deadline: () => many.world.deadline() };
  const audit = auditLog({
    log: recordedObjects(memoryObjects(buckets.log), 'log'),
    state,
    world,
    run: 'bench',
    version: '0',
    ...identity,
  });
  const vaults = new Map(names.map((name) => [name, vaultWith(name, firstValue(name), server.port)] as const));
  const services = new Map(names.map((name) => [name, serviceOf(name, server, world)] as const));
  const depsOf = (name: string): RotationDeps => ({
    plan: planOf(name, server.port),
    stores: { vault: memorySecrets(found(vaults, name)) },
    service: found(services, name),
    state,
    audit,
    world,
    notify: async ({ text }) => void process.stderr.write(`${text}\n`),
    actor: 'bench',
  });
  const many: ManyCredentials = {
    names,
    world: systemWorld(),
    deps: (some) => new Map(some.map((name) => [name, depsOf(name)])),
    forgetLog: () => buckets.log.objects.clear(),
    async record(some) {
      const calls = new Map(some.map((name): [string, Calls] => [name, []]));
      const before = {
        users: await passwordsOf(server, some),
        state: new Map(buckets.state.objects),
        vaults: new Map(some.map((name) => [name, found(vaults, name).state])),
      };
      return {
        deps: new Map(some.map((name) => [name, recordedDeps(depsOf(name), found(calls, name))])),
        async putBack() {
          await server.sql(before.users);
          const bucket = new MemoryBucket();
          for (const [key, held] of before.state) bucket.objects.set(key, held);
          const place: Omit<BarePlace, 'secrets'> = { state: memoryObjects(bucket), log: memoryObjects() };
          return async (name) => {
            const vault = new MemoryVault();
            vault.restore(found(before.vaults, name));
            await callBare(found(calls, name), { ...place, secrets: memorySecrets(vault) });
          };
        },
        counts: () => countsOf([...calls.values()].flat()),
      };
    },
  };
  return many;
}

function pairText(name: string, value: string): string {
  const [a, b, owner] = [`${name}_a`, `${name}_b`, `${name}_owner`];
  return `CREATE ROLE ${owner} NOLOGIN; CREATE ROLE ${a} LOGIN PASSWORD '${value}'; CREATE ROLE ${b} LOGIN;
    GRANT ${owner} TO ${a}, ${b}; GRANT ${a}, ${b} TO lockkeeper WITH ADMIN OPTION;
    ALTER ROLE ${a} SET role = '${owner}'; ALTER ROLE ${b} SET role = '${owner}';`;
}

function vaultWith(name: string, value: Sealed, port: number): MemoryVault {
  const vault = new MemoryVault();
  vault.add(name);
  vault.setByHand(name, form.write(undefined, { slot: `${name}_a`, value }, addressAt(port)).open());
  return vault;
}

function serviceOf(name: string, server: PostgresServer, world: World): RotationDeps['service'] {
  return postgresService({
    credential: name,
    strategy: 'alternating',
    users: [`${name}_a`, `${name}_b`],
    ownerRole: `${name}_owner`,
    database: 'postgres',
    endpoints: [server.endpoint],
    tls: 'off',
    admin: async () => admin,
    world,
  });
}

/** The window is over at once, so that one run is a whole rotation. */
function planOf(name: string, port: number): RotationDeps['plan'] {
  return {
    name,
    service: name,
    stores: [{ store: 'vault', secret: name, form }],
    address: addressAt(port),
    propagationMs: 0,
    everyMs: 30 * day,
    refreshes: [],
    acceptDowntime: false,
  };
}

const addressAt = (port: number) => ({ engine: 'postgres', host: '127.0.0.1', port, dbname: 'postgres' });

/** Statements that give the users of `names` the passwords that they have now. */
async function passwordsOf(server: PostgresServer, names: readonly string[]): Promise<string> {
  const rows = await server.sql<{ readonly statement: string }>(
    `SELECT pg_catalog.format('ALTER ROLE %I PASSWORD %L;', rolname, rolpassword) AS statement FROM pg_catalog.pg_authid WHERE rolname = ANY($1)`,
    [names.flatMap((name) => [`${name}_a`, `${name}_b`])],
  );
  return rows.map(({ statement }) => statement).join('\n');
}

function countsOf(calls: Calls): ReturnType<Recording['counts']> {
  const count = (...to: readonly Calls[number]['to'][]) => calls.filter((call) => to.includes(call.to)).length;
  return { connections: count('connect'), statements: count('query'), storeCalls: count('state', 'log', 'secrets') };
}

function found<T>(by: ReadonlyMap<string, T>, name: string): T {
  const value = by.get(name);
  if (value !== undefined) return value;
  throw new Error(`there is no ${name}`);
}
