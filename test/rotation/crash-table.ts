import { inspect } from 'node:util';
import { LockkeeperError } from '../../shared/base/error.ts';
import { minute } from '../../shared/base/time.ts';
import { rotate, type RotationReport } from '../../shared/rotation/run.ts';
import type { RotateRequest } from '../../shared/rotation/effects/under-way.ts';
import { MemoryReceiver, memoryRefresh } from '../../shared/refreshes/memory.ts';
import type { Login } from '../../shared/services/contract.ts';
import { MemoryAuthority, memoryIssuer } from '../../shared/services/memory-issuer.ts';
import { breaks, Faults, Killed, type Break } from '../broken-writes.ts';
import { inspectAll } from '../services/printed.ts';
import { firstValue, loginIn, makePlace, window, type Place, type PlaceOptions } from './place.ts';

/** One table: a whole rotation, broken at every write, in every way, once and twice in a row. */
export interface CrashTable extends PlaceOptions {
  /** Undefined: a rotation that a person asked for. */
  readonly leaked?: { readonly reason: string };
  /** Only every so many of the writes are broken. */
  readonly every?: number;
}

export interface TableResult {
  readonly cases: number;
  readonly writes: readonly string[];
  /** What did not hold, with the case it did not hold in. */
  readonly violations: readonly string[];
}

/** Runs every case: break, recover by simply running again, check every invariant on the way. */
export async function runCrashTable(table: CrashTable): Promise<TableResult> {
  const good = new Faults();
  const violations = [...(await oneCase(table, good, 'unbroken'))];
  let cases = 1;
  for (let at = 0; at < good.writes.length; at += table.every ?? 1) {
    for (const how of breaks) {
      for (const times of [1, 2]) {
        const broken = new Map<number, Break>(Array.from({ length: times }, (_, extra) => [at + extra, how]));
        violations.push(
          ...(await oneCase(table, new Faults(broken), `${how} ×${times} at write ${at} (${good.writes[at] ?? ''})`)),
        );
        cases += 1;
      }
    }
  }
  return { cases, writes: good.writes, violations };
}

const slots = ['app_a', 'app_b'];

function storesOf({ plan }: Place): readonly string[] {
  return plan.stores.map(({ store }) => store);
}

async function oneCase(table: CrashTable, faults: Faults, name: string): Promise<readonly string[]> {
  const place = withOthers(await makePlace(table));
  const watch = new Watch(place, table);
  const request: RotateRequest = table.leaked ? { leaked: table.leaked } : { now: true };
  for (let runs = 1; runs <= 30; runs += 1) {
    faults.restart();
    // A person asks until a journal says that lockkeeper has understood; from then on the schedule is enough.
    const report = await runOnce(place, place.journal() ? {} : request, faults);
    watch.look(report);
    // The very last write may be done although its answer was lost: then the next run finds nothing to do.
    if (report?.outcome === 'done' || (report?.outcome === 'idle' && place.journal()?.phase === 'done'))
      return watch.verdict(name);
    place.world.pass(report?.until === undefined ? minute : Math.max(report.until - place.world.now(), minute));
    watch.look(undefined);
  }
  return [...watch.verdict(name), `${name}: never done, phase ${place.journal()?.phase ?? 'none'}`];
}

/** Consumers that are told to read again, and an authority that issues values where the service wants that. */
function withOthers(place: Place): Place {
  const [receiver, authority] = [new MemoryReceiver(), new MemoryAuthority(place.world)];
  const run: Place['run'] = (request, faults = new Faults()) => {
    const refreshes = { web: faults.wrap(memoryRefresh(receiver), 'web', ['poke']) };
    const issuer = faults.wrap(memoryIssuer(authority), 'issuer', ['issue', 'recall']);
    return rotate({ ...place.deps(faults), refreshes, issuer }, request);
  };
  return { ...place, run };
}

async function runOnce(place: Place, request: RotateRequest, faults: Faults): Promise<RotationReport | undefined> {
  try {
    return await place.run(request, faults);
  } catch (thrown) {
    if (thrown instanceof Killed) return undefined;
    throw thrown;
  }
}

/** The invariants, checked whenever the state can have changed. */
class Watch {
  readonly #place: Place;
  readonly #table: CrashTable;
  readonly #found = new Set<string>();
  /** Every value that a store ever handed out, and when it last did. */
  readonly #handedOut = new Map<string, { readonly slot: string; readonly value: string; last: number }>();
  readonly #values = new Set<string>([firstValue]);
  #failures = 0;
  #heard = 0;

  constructor(place: Place, table: CrashTable) {
    this.#place = place;
    this.#table = table;
    this.look(undefined);
  }

  look(report: RotationReport | undefined): void {
    this.#noteStaged();
    this.#currentLogsIn();
    this.#windowHolds();
    this.#fewFailedLogins();
    this.#nothingLeaks(report);
    if (report?.outcome === 'blocked' || report?.error?.code === 'bug')
      this.#found.add(`${report.outcome}: ${report.text}`);
  }

  verdict(name: string): readonly string[] {
    this.#intentsFirst();
    this.#intentsAnswered();
    const { host } = this.#place;
    const handedOut = storesOf(this.#place).map((store) => this.#place.consumer(store).value.open());
    const others = [...this.#values].filter((value) => !handedOut.includes(value));
    if (slots.some((slot) => others.some((value) => host.clientLogsIn(slot, value))))
      this.#found.add('done, and an earlier value is still accepted');
    const valid = slots.reduce((sum, slot) => sum + (host.options.slots.includes(slot) ? host.count(slot) : 0), 0);
    if (valid !== 1) this.#found.add(`done, and the service holds ${valid} values`);
    if (this.#values.size !== 2) this.#found.add(`${this.#values.size - 1} new values were staged instead of one`);
    const left = Object.values(this.#place.vaults)
      .flatMap((vault) => [...vault.shelves.values()])
      .filter((shelf) => shelf.pending !== null || shelf.earlier.length > 0);
    if (left.length > 0) this.#found.add('done, and a store still holds a staged or a previous value');
    return [...this.#found].map((what) => `${name}: ${what}`);
  }

  /**
   * I1: what consumers read logs in, always. I3: with a single user, at least the staged value does. An emergency does not
   * wait for a store that settles.
   */
  #currentLogsIn(): void {
    for (const store of storesOf(this.#place)) {
      const logins = [this.#place.consumer(store), ...(this.#table.leaked ? [] : [this.#shown(store)])];
      if (logins.every(({ slot, value }) => this.#place.host.clientLogsIn(slot, value.open()))) continue;
      if (this.#table.strategy === 'single') this.#somethingLogsIn();
      else this.#found.add(`what store ${store} hands out is refused`);
    }
  }

  /** What a consumer reads now: a store that settles shows it what was before. */
  #shown(store: string): Login {
    const text = this.#place.vaults[store]?.consumer(store === 'one' ? 'app-db' : 'app/db');
    if (text === undefined) throw new Error('the store hands out nothing');
    return loginIn(text);
  }

  #somethingLogsIn(): void {
    const any = [...this.#values].some((value) => this.#place.host.holds('app_a', value));
    if (!any) this.#found.add('no durable value logs in');
  }

  /**
   * I2: whatever a consumer was given within the window still logs in. An emergency and a single user promise no such
   * thing.
   */
  #windowHolds(): void {
    const now = this.#place.world.now();
    for (const store of storesOf(this.#place)) {
      const { slot, value } = this.#shown(store);
      this.#handedOut.set(value.open(), { slot, value: value.open(), last: now });
    }
    if (this.#table.leaked || this.#table.strategy === 'single') return;
    for (const { slot, value, last } of this.#handedOut.values()) {
      if (now < last + window && !this.#place.host.clientLogsIn(slot, value))
        this.#found.add('a value was refused inside the window');
    }
  }

  #noteStaged(): void {
    for (const shelf of Object.values(this.#place.vaults).flatMap((vault) => [...vault.shelves.values()])) {
      for (const version of [shelf.pending, shelf.current, ...shelf.earlier]) {
        if (version) this.#values.add(loginIn(version.text).value.open());
      }
    }
  }

  /** At most one failed login a candidate a run. Candidates are told apart by the fingerprints in the log. */
  #fewFailedLogins(): void {
    const { events } = this.#place.log;
    const tried = events
      .slice(this.#heard)
      .filter(({ action, stage }) => action === 'rotation.login' && stage === 'intent');
    const candidates = new Set(JSON.stringify(tried).match(/(?<="fingerprint":")[^"]+/g));
    const failures = [...this.#place.host.failedLogins.values()].reduce((sum, count) => sum + count, 0);
    if (failures - this.#failures > candidates.size)
      this.#found.add(`${failures - this.#failures} failed logins of ${candidates.size} candidates in one run`);
    this.#failures = failures;
    this.#heard = events.length;
  }

  /** I7: no value in the log, the journal, a notice, a report or an error. */
  #nothingLeaks(report: RotationReport | undefined): void {
    const journal = [...this.#place.bucket.objects.values()].map((object) => Buffer.from(object.bytes).toString());
    const error = report?.error instanceof LockkeeperError ? inspectAll(report.error) : '';
    const everything = [
      inspect(this.#place.log.events, { depth: 9 }),
      JSON.stringify(this.#place.log.events),
      ...journal,
      inspect(this.#place.told),
      inspect(report, { depth: 9 }),
      error,
    ].join('\n');
    for (const value of this.#values) if (everything.includes(value)) this.#found.add('a value leaked');
  }

  /**
   * I6: directly before every effect there is its intent. A store that only checks is written to after the journal was
   * claimed and inside the service's lock, into which a change to what is valid already leads.
   */
  #intentsFirst(): void {
    const isChecked = this.#table.vault?.writes === 'checked';
    const trail = isChecked ? withoutClaims(this.#place.trail) : this.#place.trail;
    for (const [at, what] of trail.entries()) {
      const isEffect = /^effect (stage|promote|abandon|retire|change)$/.test(what);
      if (isEffect && !trail[at - 1]?.endsWith(' intent'))
        this.#found.add(`${what} came after ${trail[at - 1] ?? 'nothing'} and not after its intent`);
    }
  }

  /**
   * Whatever broke, in the end the log tells how every effect went. That a rotation was ordered or planned shows in what
   * follows, and who was given up has an entry of its own.
   */
  #intentsAnswered(): void {
    const open = new Set<string>();
    for (const { action, stage, correlation, details } of this.#place.log.events) {
      const what = `${action} ${correlation} ${JSON.stringify(details['store'] ?? details['slot'] ?? null)}`;
      if (stage === 'intent' && action !== 'rotation.plan' && action !== 'rotation.order') open.add(what);
      else if (stage === 'outcome') open.delete(what);
      else if (action === 'rotation.refresh-failed') open.delete(`rotation.refresh ${correlation} null`);
    }
    for (const what of open) this.#found.add(`nothing tells how ${what} went`);
  }
}

/** What belongs to a promotion, as far as it came, is left out. */
function withoutClaims(trail: readonly string[]): readonly string[] {
  const isClaim = (what: string | undefined) => what === 'effect replace' || what === 'effect change';
  return trail.filter((what, at) => {
    const before = isClaim(trail[at - 1]) && what === 'effect change' ? at - 2 : at - 1;
    return !(isClaim(what) && trail[before] === 'rotation.promote intent');
  });
}
