import { inspect } from 'node:util';
import type { Notice } from '../../shared/approvals/contract.ts';
import type { AuditEvent } from '../../shared/audit/entry.ts';
import { MemoryBucket, memoryObjects } from '../../shared/objects/memory.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import { MemoryVault, memorySecrets } from '../../shared/secrets/memory.ts';
import type { Login } from '../../shared/services/contract.ts';
import { refuseSecrets } from '../../shared/audit/entries/refuse-secrets.ts';
import { unanswered } from './killed-log.ts';
import { durableDeps, form, type DurablePlace, type MovedWorld } from './killed-place.ts';
import type { WatchedPlace } from './killed-watch.ts';

/** A rotation whose only part that is real is PostgreSQL: stores, state, log, people and receivers are in memory. */
export interface FaultPlace extends WatchedPlace {
  readonly deps: RotationDeps & { readonly world: MovedWorld };
  readonly events: readonly AuditEvent[];
  /** What people were told. */
  readonly told: readonly Notice[];
}

/** One in which consumers use `initial`; the service is as `place` says. */
export function faultPlace(place: DurablePlace, initial: Login): FaultPlace {
  const base = durableDeps(place, 'faults');
  const bucket = new MemoryBucket();
  const vaults = { one: new MemoryVault(), two: new MemoryVault() };
  const text = form.write(undefined, initial, base.plan.address).open();
  for (const vault of Object.values(vaults)) {
    vault.add('app');
    vault.setByHand('app', text);
  }
  const [events, told, trail]: [AuditEvent[], Notice[], string[]] = [[], [], []];
  const stores = {
    one: noted(memorySecrets(vaults.one), ['stage', 'promote', 'abandon', 'retire'], trail),
    two: noted(memorySecrets(vaults.two), ['stage', 'promote', 'abandon', 'retire'], trail),
  };
  const deps = {
    ...base,
    stores,
    service: noted(base.service, ['change', 'retire'], trail),
    state: memoryObjects(bucket),
    refreshes: { web: { poke: async () => undefined } },
    notify: async (notice: Notice) => void told.push(notice),
    audit: {
      record: async (event: AuditEvent) => {
        refuseSecrets(event);
        events.push(event);
        trail.push(`${event.action} ${event.stage}`);
        return { run: 'faults', n: events.length - 1, hash: '', at: base.world.now() };
      },
    },
  };
  return {
    deps,
    events,
    told,
    stores,
    holes: async () => [...unanswered(events), ...unannounced(trail), ...leftOut(events, told, place)],
    texts: async () => [
      inspect(events, { depth: 9 }),
      JSON.stringify([events, told]),
      ...[...bucket.objects.values()].map(({ bytes }) => Buffer.from(bytes).toString()),
    ],
  };
}

/** Notes each named effect in the trail as it begins. */
function noted<T extends object>(target: T, names: readonly (keyof T & string)[], trail: string[]): T {
  const effects = new Set<PropertyKey>(names);
  return new Proxy(target, {
    get(object, property) {
      const member: unknown = Reflect.get(object, property);
      if (typeof member !== 'function' || !effects.has(property)) return member;
      return (...args: readonly unknown[]): unknown => {
        trail.push(`effect ${String(property)}`);
        return Reflect.apply(member, object, args);
      };
    },
  });
}

function unannounced(trail: readonly string[]): readonly string[] {
  return trail.flatMap((what, at) => {
    const before = trail[at - 1] ?? 'nothing';
    return what.startsWith('effect ') && !before.endsWith(' intent') ? [`${what} came after ${before}`] : [];
  });
}

function leftOut(events: readonly AuditEvent[], told: readonly Notice[], { leaked }: DurablePlace): readonly string[] {
  return [
    ...(events.some(({ action }) => action === 'rotation.done') ? [] : ['the log does not tell that it is done']),
    ...(events.some(({ action }) => action === 'rotation.refresh') ? [] : ['nobody was told to read again']),
    ...(leaked && told.length < 2 ? [`people were told ${told.length} times of an emergency`] : []),
  ];
}
