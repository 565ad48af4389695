import type { Notice } from '../../../shared/approvals/contract.ts';
import { LockkeeperError } from '../../../shared/base/error.ts';
import { day, instant, type Instant } from '../../../shared/base/time.ts';
import { memoryObjects, MemoryBucket } from '../../../shared/objects/memory.ts';
import { consumerForm, type FormSpec } from '../../../shared/rotation/forms/consumer-form.ts';
import type { ManualPlan, ReminderDeps } from '../../../shared/rotation/manual/manual-plan.ts';
import { remind, type ReminderReport } from '../../../shared/rotation/manual/remind.ts';
import { readRecord, type ReminderRecord } from '../../../shared/rotation/manual/reminder-record.ts';
import { MemoryVault, memorySecrets } from '../../../shared/secrets/memory.ts';
import type { Faults } from '../../broken-writes.ts';
import { testWorld, type TestWorld } from '../../world.ts';
import { heardLog, type HeardLog } from '../place.ts';

/** The end of the day 2027-03-31 in UTC, as the configuration reads it. */
export const march: ManualPlan['validUntil'] = {
  by: 'date',
  at: instant(Date.parse('2027-04-01T00:00:00Z')),
  text: '2027-03-31',
};

/** What does not answer. */
export type Down = 'state' | 'one' | 'two' | 'people' | 'log';

/** A credential that people renew, in two stores; every run is a new process on the same place. */
export interface ManualPlace {
  readonly world: TestWorld;
  readonly vaults: Readonly<Record<string, MemoryVault>>;
  readonly bucket: MemoryBucket;
  readonly log: HeardLog;
  readonly told: Notice[];
  readonly down: Set<Down>;
  readonly plan: ManualPlan;
  deps(faults?: Faults): ReminderDeps;
  run(faults?: Faults): Promise<ReminderReport>;
  /** A person puts a value into every store. */
  renew(text: string): void;
  record(): Promise<ReminderRecord>;
}

export function manualPlace(
  plan: Partial<ManualPlan> = {},
  forms: readonly FormSpec[] = [{ form: 'plain' }],
): ManualPlace {
  const world = testWorld('2026-12-01T00:00:00Z');
  const names = ['one', 'two'].slice(0, forms.length);
  const vaults = Object.fromEntries(names.map((name) => [name, new MemoryVault({ world })]));
  for (const vault of Object.values(vaults)) vault.add('partner');
  const bucket = new MemoryBucket();
  const [log, told, down]: [HeardLog, Notice[], Set<Down>] = [heardLog(world), [], new Set()];
  const full: ManualPlan = {
    name: 'partner-api',
    owner: 'olga',
    stores: forms.map((form, at) => ({ store: names[at] ?? '', secret: 'partner', form: consumerForm(form) })),
    validUntil: march,
    remindMs: [30 * day, 7 * day, day],
    renew: 'ask ben for a new key at partner.example',
    ...plan,
  };
  const refusing = <T extends object>(target: T, name: Down): T =>
    new Proxy(target, {
      get(object, property): unknown {
        if (down.has(name) && typeof property === 'string')
          return async () => Promise.reject(new LockkeeperError('unreachable', `${name} does not answer`));
        return Reflect.get(object, property);
      },
    });
  const deps = (faults?: Faults): ReminderDeps => {
    const wrapped = <T extends object>(target: T, name: Down, writes: readonly (keyof T & string)[]): T => {
      const some = refusing(target, name);
      return faults ? faults.wrap(some, name, writes) : some;
    };
    const people = wrapped({ notify: async (notice: Notice) => void told.push(notice) }, 'people', ['notify']);
    const stores = names.map((name) => {
      const vault = vaults[name] ?? new MemoryVault({ world });
      return [
        name,
        wrapped(memorySecrets(vault), name === 'one' ? 'one' : 'two', ['stage', 'promote', 'abandon']),
      ] as const;
    });
    return {
      plan: full,
      stores: Object.fromEntries(stores),
      state: wrapped(memoryObjects(bucket), 'state', ['create', 'replace']),
      audit: wrapped(log, 'log', ['record']),
      world,
      notify: (notice) => people.notify(notice),
      actor: 'lockkeeper',
    };
  };
  const place: ManualPlace = {
    world,
    vaults,
    bucket,
    log,
    told,
    down,
    plan: full,
    deps,
    run: (faults) => remind(deps(faults)),
    renew(text) {
      for (const vault of Object.values(vaults)) vault.setByHand('partner', text);
    },
    record: async () => (await readRecord(memoryObjects(bucket), 'partner-api')).record,
  };
  place.renew('first-key-of-the-partner-0123456789');
  return place;
}

/** Runs every `paceMs` for so long; on which days since the beginning people were told. */
export async function daysTold(place: ManualPlace, ms: number, paceMs: number): Promise<readonly number[]> {
  const [began, days]: readonly [Instant, number[]] = [place.world.now(), []];
  for (let known = place.told.length; place.world.now() <= began + ms; place.world.pass(paceMs)) {
    await place.run();
    for (; known < place.told.length; known += 1) days.push((place.world.now() - began) / day);
  }
  return days;
}
