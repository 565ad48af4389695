import type { AuditEvent, AuditLog } from '../../shared/audit/entry.ts';
import { refuseSecrets } from '../../shared/audit/entries/refuse-secrets.ts';
import type { Notice } from '../../shared/approvals/contract.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { day, hour, type Instant } from '../../shared/base/time.ts';
import { memoryObjects, MemoryBucket } from '../../shared/objects/memory.ts';
import { consumerForm } from '../../shared/rotation/forms/consumer-form.ts';
import { decodeJournal } from '../../shared/rotation/journal/journal-format.ts';
import type { Journal } from '../../shared/rotation/journal/journal.ts';
import type { CredentialPlan, RotationDeps } from '../../shared/rotation/plan.ts';
import { rotate, type RotationReport } from '../../shared/rotation/run.ts';
import type { RotateRequest } from '../../shared/rotation/effects/under-way.ts';
import { MemoryVault, memorySecrets, type MemoryVaultOptions } from '../../shared/secrets/memory.ts';
import type { Login, Service, Strategy } from '../../shared/services/contract.ts';
import { MemoryHost, memoryService } from '../../shared/services/memory.ts';
import type { MemoryHostOptions } from '../../shared/services/memory-options.ts';
import { Killed, type Faults } from '../broken-writes.ts';
import { testWorld, type TestWorld } from '../world.ts';
import { throughItself } from './own-login.ts';

/** The value that consumers use before the first rotation. */
export const firstValue = 'first-value-of-app-a-0123456789';

/** The key of the log's fingerprints. */
export const fingerprintKey = new Uint8Array(32).fill(7);

export const window = 2 * hour;
export const address = { engine: 'postgres', host: 'db', port: 5432, dbname: 'app' };
export const json = consumerForm();

/** The login in a text of the stores. */
export function loginIn(text: string): Login {
  return json.read(new Sealed(text), []);
}

/** An audit log that keeps what it was told, and refuses what the real one refuses. */
export interface HeardLog extends AuditLog {
  readonly events: AuditEvent[];
}

export function heardLog(world: TestWorld, trail: string[] = []): HeardLog {
  const events: AuditEvent[] = [];
  return {
    events,
    async record(event) {
      refuseSecrets(event);
      events.push(event);
      trail.push(`${event.action} ${event.stage}`);
      return { run: 'heard', n: events.length - 1, hash: '', at: world.now() };
    },
  };
}

/** One credential in two stores and a service, all in memory; every run is a new process on the same place. */
export interface Place {
  readonly world: TestWorld;
  readonly host: MemoryHost;
  readonly bucket: MemoryBucket;
  readonly vaults: Readonly<Record<string, MemoryVault>>;
  readonly log: HeardLog;
  readonly told: Notice[];
  /** Log entries and effects in the order in which they happened. */
  readonly trail: string[];
  readonly plan: CredentialPlan;
  deps(faults?: Faults): RotationDeps;
  run(request?: RotateRequest, faults?: Faults): Promise<RotationReport>;
  /** What a consumer reads in a store now. */
  consumer(store: string): Login;
  /** What a consumer reads, shown at the service: accepted? */
  consumerLogsIn(store: string): boolean;
  journal(): Journal | undefined;
}

export interface PlaceOptions {
  readonly strategy?: Strategy;
  readonly plan?: Partial<CredentialPlan>;
  readonly endpoints?: readonly string[];
  /** More about the service. */
  readonly host?: Partial<MemoryHostOptions>;
  /** What kind of store both are. */
  readonly vault?: MemoryVaultOptions;
  /** What consumers use before the first rotation. */
  readonly first?: string;
  /** One store instead of two. */
  readonly oneStore?: boolean;
  /** It is lockkeeper's own login, which changes itself; with one store. */
  readonly changesItself?: boolean;
}

export async function makePlace(options: PlaceOptions = {}): Promise<Place> {
  const { strategy = 'alternating', first = firstValue } = options;
  const world = testWorld();
  const slots = strategy === 'alternating' ? ['app_a', 'app_b'] : ['app_a'];
  const endpoints = options.endpoints && { endpoints: options.endpoints };
  const host = new MemoryHost({ strategy, slots, world, ...endpoints, ...options.host });
  const bucket = new MemoryBucket();
  const vaultOptions = { world, ...options.vault };
  const vaults = { one: new MemoryVault(vaultOptions), two: new MemoryVault(vaultOptions) };
  const trail: string[] = [];
  const log = heardLog(world, trail);
  const told: Notice[] = [];
  const stores = [
    { store: 'one', secret: 'app-db', form: json },
    ...(options.oneStore ? [] : [{ store: 'two', secret: 'app/db', form: json }]),
  ];
  const base = {
    name: 'app-db',
    service: 'app database',
    stores,
    address,
    refreshes: [],
    propagationMs: window,
    everyMs: 30 * day,
    acceptDowntime: true,
  };
  const itself = options.changesItself ? { changesItself: true, acceptDowntime: false } : {};
  const plan: CredentialPlan = { ...base, ...itself, ...options.plan };
  const deps = (faults?: Faults): RotationDeps =>
    brokenDeps({ plan, host, bucket, vaults, log, told, trail, world }, faults);
  vaults.one.add('app-db');
  vaults.two.add('app/db');
  host.setByHand('app_a', first);
  const text = json.write(undefined, { slot: 'app_a', value: new Sealed(first) }, address).open();
  vaults.one.setByHand('app-db', text);
  vaults.two.setByHand('app/db', text);
  vaults.one.settle('app-db');
  vaults.two.settle('app/db');
  log.events.length = 0;
  trail.length = 0;
  const consumer = (store: string) => consumerOf(store === 'one' ? vaults.one : vaults.two);
  return {
    world,
    host,
    bucket,
    vaults,
    log,
    told,
    trail,
    plan,
    deps,
    consumer,
    run: (request, faults) => rotate(deps(faults), request),
    consumerLogsIn(store) {
      const login = consumer(store);
      return host.holds(login.slot, login.value.open());
    },
    journal() {
      const stored = bucket.objects.get(`rotations/${plan.name}.json`);
      return stored && decodeJournal(stored.bytes, plan.name);
    },
  };
}

/** What became of a run; undefined where its process was killed. */
export async function unlessKilled<T>(run: Promise<T>): Promise<T | undefined> {
  try {
    return await run;
  } catch (thrown) {
    if (thrown instanceof Killed) return undefined;
    throw thrown;
  }
}

/** Runs again and again, letting time pass, until the rotation is done or `most` runs are over. */
export async function runUntilDone(
  place: Place,
  request: RotateRequest = { now: true },
  most = 12,
): Promise<RotationReport> {
  let report = await place.run(request);
  for (let runs = 1; runs < most && report.outcome !== 'done'; runs += 1) {
    const until: Instant | undefined = report.until;
    place.world.pass(until === undefined ? hour : Math.max(until - place.world.now(), 0));
    report = await place.run(request.leaked ? { now: true } : request);
  }
  return report;
}

interface Parts extends Pick<Place, 'host' | 'bucket' | 'log' | 'told' | 'trail' | 'world' | 'plan'> {
  readonly vaults: { readonly one: MemoryVault; readonly two: MemoryVault };
}

function brokenDeps(parts: Parts, faults: Faults | undefined): RotationDeps {
  const notify = async (notice: Notice): Promise<void> => void parts.told.push(notice);
  const writes = ['stage', 'promote', 'abandon', 'retire'] as const;
  const seen = <T extends object>(target: T, names: readonly (keyof T & string)[]) =>
    followed(target, names, parts.trail);
  const state = seen(memoryObjects(parts.bucket), ['create', 'replace']);
  const [one, two] = [seen(memorySecrets(parts.vaults.one), writes), seen(memorySecrets(parts.vaults.two), writes)];
  const bare = memoryService(parts.host);
  const through = parts.plan.changesItself
    ? throughItself(bare, parts.host, { ...parts, stores: { one, two }, state })
    : bare;
  const service = seen(through, ['change', 'retire']);
  const common = { plan: parts.plan, world: parts.world, actor: 'lockkeeper', fingerprintKey };
  if (!faults) return { ...common, service, state, stores: { one, two }, audit: parts.log, notify };
  const approvals = faults.wrap({ notify }, 'approvals', ['notify']);
  return {
    ...common,
    service: faults.wrap(service, 'service', ['change', 'retire']),
    state: faults.wrap(state, 'state', ['create', 'replace', 'delete']),
    stores: { one: faults.wrap(one, 'one', writes), two: faults.wrap(two, 'two', writes) },
    audit: faults.wrap<AuditLog>(parts.log, 'audit', ['record']),
    notify: (notice) => approvals.notify(notice),
  };
}

/** `target` with each named effect noted in the trail as it really happens. */
function followed<T extends object>(target: T, names: readonly (keyof T & string)[], trail: string[]): T {
  const noted = new Set<PropertyKey>(names);
  return new Proxy(target, {
    get(object, property) {
      const member: unknown = Reflect.get(object, property);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        if (noted.has(property)) trail.push(`effect ${String(property)}`);
        return Reflect.apply(member, object, args);
      };
    },
  });
}

function consumerOf(vault: MemoryVault): Login {
  const current = [...vault.shelves.values()][0]?.current;
  if (!current) throw new Error('the store hands out nothing');
  return loginIn(current.text);
}

/** `service` with some of its methods replaced. */
export function withOther(service: Service, other: Partial<Service>): Service {
  return new Proxy(service, {
    get: (object, property): unknown => Reflect.get(property in other ? other : object, property),
  });
}

/** Somebody writes another login into store one, past lockkeeper. */
export function putByHand(place: Place, username: string, password: string): void {
  const vault = place.vaults['one'];
  if (!vault) throw new Error('store one holds no secret');
  vault.setByHand('app-db', JSON.stringify({ username, password }));
  vault.settle('app-db');
}
