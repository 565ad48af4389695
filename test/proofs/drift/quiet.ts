import { hour, instant, minute } from '../../../shared/base/time.ts';
import type { World } from '../../../shared/base/world.ts';
import { adopt } from '../../../shared/rotation/adopt.ts';
import { checkDrift, type DriftReport } from '../../../shared/rotation/drift/check.ts';
import type { RotationDeps } from '../../../shared/rotation/plan.ts';
import { rotate } from '../../../shared/rotation/run.ts';
import type { MemoryVaultOptions } from '../../../shared/secrets/memory.ts';
import type { Strategy } from '../../../shared/services/contract.ts';
import { Faults } from '../../broken-writes.ts';
import { makePlace, unlessKilled, type Place } from '../../rotation/place.ts';
import type { Choice } from '../hostile/seeded.ts';
import { endpoints } from './ground.ts';

/** What quiet days brought. */
export interface Quiet {
  readonly days: number;
  checks: number;
  /** Checks in which a rotation went on. */
  moved: number;
  /** Checks while a rotation was under way. */
  during: number;
  rotations: number;
  /** What was found although nothing was wrong, or failed. */
  readonly invented: string[];
}

/** The plan of the days: intervals short enough for many rotations. */
const plan = { everyMs: 12 * hour, propagationMs: 2 * hour, triesEndedValues: true };

/**
 * Days on which nothing is wrong: rotations by several hosts with clocks of their own, some of which die in the middle,
 * stores that settle, a replica that lags for less than an hour, consumers that read again every hour. Checks come at any
 * time, also between any two calls of a rotation, and rotations between any two calls of a check.
 */
export async function quietDays(
  setting: { readonly strategy: Strategy; readonly vault: MemoryVaultOptions },
  days: number,
  choice: Choice,
): Promise<Quiet> {
  const quiet: Quiet = { days, checks: 0, moved: 0, during: 0, rotations: 0, invented: [] };
  const place = await makePlace({ ...setting, endpoints, host: { encrypted: true }, plan });
  await adopt(place.deps());
  for (let hours = 0; hours < days * 24; hours += 1) await oneHour({ place, choice, quiet });
  quiet.rotations = place.log.events.filter(({ action }) => action === 'rotation.done').length;
  for (const { text } of place.told) quiet.invented.push(`told: ${text}`);
  return quiet;
}

interface Days {
  readonly place: Place;
  readonly choice: Choice;
  readonly quiet: Quiet;
}

async function oneHour(days: Days): Promise<void> {
  const { place, choice } = days;
  consume(place);
  if (choice.once(10)) place.host.lag('b:1');
  if (choice.once(2)) await rotation(days);
  place.world.pass(choice.below(30) * minute);
  if (choice.once(6)) await check(days, choice.once(3) ? () => rotation(days) : undefined);
  place.world.pass(choice.below(30) * minute);
  place.host.catchUp();
}

/** Every consumer closes what it opened an hour ago, reads its store and logs in again. */
function consume(place: Place): void {
  const { host, plan: own } = place;
  for (const slot of host.options.slots) for (const session of host.sessionsOf(slot)) session.close();
  for (const store of ['one', 'two']) {
    const { slot, value } = place.consumer(store);
    host.openSession(slot, value.open(), { peer: `${own.name} reader of ${store}`, endpoint: 'a:1' });
  }
}

/** One run of a rotator: whole, killed at one of its writes, or with a check between two of its calls. */
async function rotation(days: Days): Promise<void> {
  const { place, choice } = days;
  const how = choice.below(4);
  const faults =
    how === 0
      ? new Faults(new Map([[choice.below(24), choice.of(['killed-before', 'killed-after'] as const)]]))
      : undefined;
  const deps = onHost(place.deps(faults), choice);
  const watched = how === 1 ? between(deps, choice.below(40), () => check(days, undefined)) : deps;
  await unlessKilled(rotate(watched));
  place.host.lock.loseAll();
}

async function check({ place, choice, quiet }: Days, inside: (() => Promise<void>) | undefined): Promise<void> {
  const deps = onHost(place.deps(), choice);
  const report = await checkDrift(inside ? between(deps, choice.below(12), inside) : deps);
  quiet.checks += 1;
  if (place.journal()?.phase !== 'done') quiet.during += 1;
  if (report.outcome === 'moved') quiet.moved += 1;
  else if (report.outcome !== 'agrees') quiet.invented.push(textOf(report, place));
}

function textOf({ outcome, text, findings, open }: DriftReport, place: Place): string {
  const { phase } = place.journal() ?? {};
  return `${outcome} (${phase}): ${text}: ${[...findings, ...open].map(({ id, what }) => `${id}: ${what}`).join('; ')}`;
}

/** Another host, whose clock is up to 25 minutes ahead or behind. */
function onHost(deps: RotationDeps, choice: Choice): RotationDeps {
  const offMs = (choice.below(51) - 25) * minute;
  const world: World = { ...deps.world, now: () => instant(deps.world.now() + offMs) };
  return { ...deps, world };
}

/** `work` is done once, before the call of this ordinal to the service, a store or the journals. */
function between(deps: RotationDeps, ordinal: number, work: () => Promise<void>): RotationDeps {
  let calls = 0;
  const interrupted = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, property) {
        const member: unknown = Reflect.get(object, property);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]): Promise<unknown> => {
          if (calls++ === ordinal) await work();
          return await Reflect.apply(member, object, args);
        };
      },
    });
  const stores = Object.fromEntries(Object.entries(deps.stores).map(([name, store]) => [name, interrupted(store)]));
  return { ...deps, stores, service: interrupted(deps.service), state: interrupted(deps.state) };
}
