import type { AuditEvent } from '../../../shared/audit/entry.ts';
import { refuseSecrets } from '../../../shared/audit/entries/refuse-secrets.ts';
import type { Notice } from '../../../shared/approvals/contract.ts';
import { LockkeeperError } from '../../../shared/base/error.ts';
import { after, day, instant, minute, parseInstant, type Instant } from '../../../shared/base/time.ts';
import type { World } from '../../../shared/base/world.ts';
import { memoryObjects, MemoryBucket } from '../../../shared/objects/memory.ts';
import type { Refresh } from '../../../shared/refreshes/contract.ts';
import { MemoryReceiver, memoryRefresh } from '../../../shared/refreshes/memory.ts';
import { drawValue } from '../../../shared/rotation/effects/generate.ts';
import { decodeJournal } from '../../../shared/rotation/journal/journal-format.ts';
import type { Journal } from '../../../shared/rotation/journal/journal.ts';
import type { CredentialPlan, RotationDeps } from '../../../shared/rotation/plan.ts';
import { MemoryVault, memorySecrets } from '../../../shared/secrets/memory.ts';
import type { SecretStore } from '../../../shared/secrets/contract.ts';
import { memoryIssuer, MemoryAuthority } from '../../../shared/services/memory-issuer.ts';
import { MemoryHost, memoryService } from '../../../shared/services/memory.ts';
import type { MemoryServiceState } from '../../../shared/services/memory-state.ts';
import type { ValueKind } from '../../../shared/services/contract.ts';
import { Choice } from '../hostile/seeded.ts';
import { observedLog, observedService, observedState, type Hearing } from './observed.ts';
import type { Call, Process } from './process.ts';
import type { Setting } from './setting.ts';
import { greekRule, textOf, walkForm, type PlainLogin } from './values.ts';

const start = parseInstant('2026-10-01T00:00:00Z');

/** The only secret of every store. */
export const secret = 'db';
/** The only credential. */
export const credential = 'app-db';

/** Everything that there is in a walk: a service, stores, a state store, a log, a messenger, receivers, and the time. */
export class Ground {
  readonly setting: Setting;
  readonly host: MemoryHost;
  readonly vaults: readonly MemoryVault[];
  readonly bucket = new MemoryBucket();
  readonly receivers: readonly MemoryReceiver[];
  readonly plan: CredentialPlan;
  readonly events: AuditEvent[] = [];
  readonly told: { readonly at: Instant; readonly notice: Notice }[] = [];
  /** What cannot be reached now, by the names of calls. */
  readonly outages = new Set<string>();
  /** Earlier states of the service, to which an endpoint may go back. */
  readonly past: MemoryServiceState[] = [];
  /** The true time. */
  now: Instant = start;
  readonly #authority: MemoryAuthority;
  readonly #random = new Choice(1);
  #read: { readonly version: string | undefined; readonly journal: Journal | undefined } = {
    version: undefined,
    journal: undefined,
  };

  constructor(setting: Setting) {
    this.setting = setting;
    const world = this.world(0, 0);
    this.host = new MemoryHost(hostOptions(setting, world));
    this.#authority = new MemoryAuthority(world);
    this.vaults = setting.stores.map((store) => new MemoryVault({ ...store, world }));
    this.receivers = Array.from({ length: setting.refreshes }, () => new MemoryReceiver());
    this.plan = planOf(setting);
    const first = { slot: 'app_a', value: this.freshValue() };
    this.host.setByHand(first.slot, first.value);
    for (const vault of this.vaults) {
      vault.add(secret);
      vault.setByHand(secret, textOf(first));
      vault.settle(secret);
    }
    this.past.push(this.host.state);
  }

  /** A clock that is off by `skewMs`, and the randomness of the walk. */
  world(skewMs: number, livesMs: number): World {
    const ends = livesMs === 0 ? instant(Number.MAX_SAFE_INTEGER / 4) : after(this.now, skewMs + livesMs);
    return {
      now: () => after(this.now, skewMs),
      deadline: () => ends,
      random: (bytes) => Uint8Array.from({ length: bytes }, () => this.#random.below(256)),
    };
  }

  /** A value that no other is like, of the service's kind. */
  freshValue(): string {
    if (this.setting.kind === 'key-pair') return drawValue({ kind: 'key-pair' }, this.world(0, 0)).open();
    return Array.from({ length: greekRule.length }, () => this.#random.of(greekRule.alphabet.split(''))).join('');
  }

  /** The journal as it lies there. */
  journal(): Journal | undefined {
    const stored = this.bucket.objects.get(`rotations/${credential}.json`);
    if (stored?.version !== this.#read.version)
      this.#read = { version: stored?.version, journal: stored && decodeJournal(stored.bytes, credential) };
    return this.#read.journal;
  }

  /** What consumers of a store are handed out, settled or not; undefined where it is no login. */
  live(vault: MemoryVault): string | undefined {
    return vault.find(secret)?.shelf.current?.text;
  }

  /** What a process of rotator `number` works with. */
  deps(process: Process, rotator: number, hearing: Hearing): RotationDeps {
    const { skews, deadlines } = this.setting;
    const world = this.world(skews[rotator % skews.length] ?? 0, deadlines ? 15 * minute : 0);
    const messenger = process.wrap({ notify: async (notice: Notice) => this.#tell(notice) }, 'messenger');
    const stores = this.vaults.map((vault, at): readonly [string, SecretStore] => [
      `store${at}`,
      process.wrap(memorySecrets(between(vault, () => process.stand())), `store${at}`),
    ]);
    const refreshes = this.receivers.map((receiver, at): readonly [string, Refresh] => [
      `receiver${at}`,
      process.wrap(memoryRefresh(receiver), `receiver${at}`),
    ]);
    return {
      plan: this.plan,
      stores: Object.fromEntries(stores),
      service: process.wrap(observedService(memoryService(this.host), process, hearing), 'service'),
      ...(this.setting.kind === 'issued' && { issuer: process.wrap(memoryIssuer(this.#authority), 'issuer') }),
      refreshes: Object.fromEntries(refreshes),
      state: process.wrap(observedState(memoryObjects(this.bucket), process, hearing), 'state'),
      audit: process.wrap(observedLog({ record: async (event) => this.#record(event) }, process, hearing), 'log'),
      world,
      notify: (notice) => messenger.notify(notice),
      actor: `rotator${rotator}`,
      ...(this.setting.fingerprints && { fingerprintKey: new Uint8Array(32).fill(7) }),
    };
  }

  /** Throws where what is called cannot be reached. */
  checkReachable({ of, method }: Call): void {
    if (!this.outages.has(of) || (of === 'service' && method === 'accepts')) return;
    throw new LockkeeperError('unreachable', `${of} does not answer`);
  }

  #tell(notice: Notice): void {
    this.told.push({ at: this.now, notice });
  }

  #record(event: AuditEvent) {
    refuseSecrets(event);
    this.events.push(event);
    return { run: 'walk', n: this.events.length - 1, hash: '', at: this.now };
  }
}

function hostOptions(setting: Setting, world: World) {
  const { strategy, fence, capacity, counts, sessionsSeen, kind, fleet, lockWaits, clock } = setting;
  const value: ValueKind = kind === 'text' ? { kind, rule: greekRule } : { kind };
  return {
    strategy,
    fence,
    counts,
    sessionsSeen,
    fleet,
    lockWaits,
    clock,
    world,
    value,
    capacity: capacity === 0 ? Infinity : capacity,
    slots: strategy === 'alternating' ? ['app_a', 'app_b'] : ['app_a'],
    endpoints: ['primary', 'second', 'third'].slice(0, setting.endpoints),
  };
}

function planOf(setting: Setting): CredentialPlan {
  return {
    name: credential,
    service: 'app database',
    stores: setting.stores.map((_, at) => ({ store: `store${at}`, secret, form: walkForm })),
    address: { engine: 'memory', host: 'db', port: 5432 },
    propagationMs: setting.propagationMs,
    everyMs: 30 * day,
    refreshes: Array.from({ length: setting.refreshes }, (_, at) => `receiver${at}`),
    acceptDowntime: true,
  };
}

/** The vault as one process holds it: others may come between its look and its write. */
function between(vault: MemoryVault, wait: () => Promise<void>): MemoryVault {
  if (vault.options.writes === 'conditional') return vault;
  const options = { ...vault.options, between: wait };
  return new Proxy(vault, {
    get(object, property): unknown {
      if (property === 'options') return options;
      const member: unknown = Reflect.get(object, property, object);
      return typeof member === 'function'
        ? (...args: unknown[]): unknown => Reflect.apply(member, object, args)
        : member;
    },
  });
}

/** A login of a text, as the watch compares it. */
export function keyOf({ slot, value }: PlainLogin): string {
  return `${slot} ${value}`;
}
