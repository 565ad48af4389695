import { after, parseInstant, type Instant } from '../../../shared/base/time.ts';
import { Sealed } from '../../../shared/base/sealed.ts';
import type { StoredObject } from '../../../shared/objects/contract.ts';
import { memoryObjects, MemoryBucket } from '../../../shared/objects/memory.ts';
import type { ConsumerForm } from '../../../shared/rotation/forms/form.ts';
import { memorySecrets, MemoryVault } from '../../../shared/secrets/memory.ts';
import type { VaultState } from '../../../shared/secrets/memory.ts';
import type { SecretStore } from '../../../shared/secrets/contract.ts';
import type { Login, Service } from '../../../shared/services/contract.ts';
import { MemoryHost, memoryService } from '../../../shared/services/memory.ts';
import type { MemoryServiceState } from '../../../shared/services/memory-state.ts';
import { LockkeeperError } from '../../../shared/base/error.ts';
import { secret, slotsOf, storesOf, type Setup } from './setup.ts';

/** The whole durable world as plain values that nothing ever changes: to keep one costs a reference. */
export interface Snapshot {
  readonly now: Instant;
  readonly host: MemoryServiceState;
  readonly vaults: Readonly<Record<string, VaultState>>;
  readonly objects: ReadonlyMap<string, StoredObject>;
  /** Stores, or `state`, that answer nothing. */
  readonly down: readonly string[];
  /** The service takes no value that is drawn now. */
  readonly strict: boolean;
  /** Runs that began so far: each draws its own random numbers. */
  readonly runs: number;
  /** Values that people made up so far. */
  readonly hands: number;
}

/** The form of the model's texts: user and value, nothing else. */
export const modelForm: ConsumerForm = {
  name: 'plain',
  read(text) {
    const [, slot, value] = /^(app_[ab]) ([\w-]{32})$/.exec(text.open()) ?? [];
    if (slot !== undefined && value !== undefined) return { slot, value: new Sealed(value) };
    throw new LockkeeperError('invalid', 'the secret holds no login', { hint: 'Write a user and a value.' });
  },
  write: (_basis, login) => new Sealed(`${login.slot} ${login.value.open()}`),
  stale: () => [],
};

/** A value that a person makes up, the how-many-eth. */
export function handValue(number: number): string {
  return `hand${'-'.repeat(20)}${String(number).padStart(8, '0')}`;
}

/**
 * The real memory drivers on one service and its stores, which can be set to any snapshot and read as one. Each worker
 * has one for its setup.
 */
export class Bench {
  readonly setup: Setup;
  readonly host: MemoryHost;
  readonly service: Service;
  readonly vaults: Readonly<Record<string, MemoryVault>>;
  readonly stores: Readonly<Record<string, SecretStore>>;
  readonly state = memoryObjectsOf(new MemoryBucket());
  /** What a checked store does between its read and its write; set for one call. */
  between: (() => Promise<void>) | undefined;
  #snapshot: Snapshot | undefined;
  /** The value of every digest that the service ever kept. */
  readonly #values = new Map<string, string>();
  #now: Instant = parseInstant('2026-10-01T00:00:00Z');

  constructor(setup: Setup) {
    this.setup = setup;
    const world = { now: () => this.#now, random: () => new Uint8Array(32), deadline: () => after(this.#now, 1e12) };
    this.host = new MemoryHost({ ...setup.service, slots: slotsOf(setup), world, clock: setup.serviceClock });
    this.service = this.#learning(memoryService(this.host));
    const between = async (): Promise<void> => await this.between?.();
    const vaults = storesOf(setup).map((name, at) => {
      const vault = new MemoryVault({ ...setup.stores[at], world, between });
      vault.add(secret);
      // No two stores give the same ids, so that ids can be renamed without knowing whose they are.
      vault.restore({ ...vault.state, versions: at * 1_000_000 });
      return [name, vault] as const;
    });
    this.vaults = Object.fromEntries(vaults);
    this.stores = Object.fromEntries(vaults.map(([name, vault]) => [name, memorySecrets(vault)]));
  }

  /** Sets everything to what it was then. */
  load(snapshot: Snapshot): void {
    this.#now = snapshot.now;
    this.host.restore(snapshot.host);
    this.host.policy = snapshot.strict ? () => 'no value is good enough today' : undefined;
    for (const [name, vault] of Object.entries(this.vaults)) {
      const state = snapshot.vaults[name];
      if (state) vault.restore(state);
    }
    this.state.restore(snapshot.objects);
    this.#snapshot = snapshot;
  }

  /** Everything as it is now. */
  save(): Snapshot {
    const loaded = this.#snapshot;
    if (!loaded) throw new Error('the bench was never loaded');
    const vaults = Object.entries(this.vaults).map(([name, vault]) => [name, vault.state] as const);
    const isSame =
      loaded.now === this.#now &&
      loaded.host === this.host.state &&
      vaults.every(([name, state]) => loaded.vaults[name] === state) &&
      this.state.isAs(loaded.objects);
    if (isSame) return loaded;
    return {
      ...loaded,
      now: this.#now,
      host: this.host.state,
      vaults: Object.fromEntries(vaults),
      objects: this.state.save(),
    };
  }

  /** Lets time pass. */
  pass(ms: number): void {
    this.#now = after(this.#now, ms);
  }

  /** The true time. */
  get now(): Instant {
    return this.#now;
  }

  /** The value that the service keeps as `digest`. */
  valueOf(digest: string): string {
    return this.#values.get(digest) ?? digest;
  }

  /** Remembers what the service keeps `value` as. */
  know(value: string): void {
    const digest = this.host.fleet.digest(value);
    if (digest !== undefined) this.#values.set(digest, value);
  }

  /** Every value that goes to the service is known by what the service keeps of it. */
  #learning(service: Service): Service {
    return {
      ...service,
      change: async (login, keep, guard) => {
        this.know(login.value.open());
        return await service.change(login, keep, guard);
      },
    };
  }

  /** The login that a store hands out now; undefined where it hands out none that can be read. */
  handedOut(store: string): Login | undefined {
    const text = this.vaults[store]?.shelves.get(secret)?.current?.text;
    return text === undefined ? undefined : loginIn(text);
  }

  /** True if a client that shows this login gets in on every endpoint. */
  logsIn({ slot, value }: Login): boolean {
    return this.host.clientLogsIn(slot, value.open());
  }
}

/** The login in a text of a store; undefined where there is none. */
export function loginIn(text: string): Login | undefined {
  const [, slot, value] = /^(app_[ab]) ([\w-]{32})$/.exec(text) ?? [];
  return slot === undefined || value === undefined ? undefined : { slot, value: new Sealed(value) };
}

function memoryObjectsOf(bucket: MemoryBucket) {
  return Object.assign(memoryObjects(bucket), {
    restore(objects: ReadonlyMap<string, StoredObject>): void {
      bucket.objects.clear();
      for (const [key, object] of objects) bucket.objects.set(key, object);
    },
    isAs: (objects: ReadonlyMap<string, StoredObject>): boolean =>
      objects.size === bucket.objects.size && [...objects].every(([key, object]) => bucket.objects.get(key) === object),
    save: (): ReadonlyMap<string, StoredObject> => new Map(bucket.objects),
  });
}
