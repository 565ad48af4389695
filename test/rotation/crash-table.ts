import { inspect } from 'node:util';
import { LockkeeperError } from '../../shared/base/error.ts';
import { minute } from '../../shared/base/time.ts';
import type { RotationReport } from '../../shared/rotation/run.ts';
import type { RotateRequest } from '../../shared/rotation/under-way.ts';
import type { Strategy } from '../../shared/services/contract.ts';
import { breaks, Faults, Killed, type Break } from '../broken-writes.ts';
import { inspectAll } from '../services/printed.ts';
import { firstValue, loginIn, makePlace, window, type Place } from './place.ts';

/** One table: a whole rotation, broken at every write, in every way, once and twice in a row. */
export interface CrashTable {
  readonly strategy: Strategy;
  /** Undefined: a rotation that a person asked for. */
  readonly leaked?: { readonly reason: string };
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
  for (let at = 0; at < good.writes.length; at += 1) {
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

async function oneCase(table: CrashTable, faults: Faults, name: string): Promise<readonly string[]> {
  const place = await makePlace({ strategy: table.strategy });
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
    const old = this.#place.host.holds('app_a', firstValue);
    if (old) this.#found.add('done, and the old value is still accepted');
    if (this.#values.size !== 2) this.#found.add(`${this.#values.size - 1} new values were staged instead of one`);
    const left = Object.values(this.#place.vaults)
      .flatMap((vault) => [...vault.shelves.values()])
      .filter((shelf) => shelf.pending !== null || shelf.earlier.length > 0);
    if (left.length > 0) this.#found.add('done, and a store still holds a staged or a previous value');
    return [...this.#found].map((what) => `${name}: ${what}`);
  }

  /** I1: what consumers read logs in, always. I3: with a single user, at least the staged value does. */
  #currentLogsIn(): void {
    for (const store of ['one', 'two']) {
      if (this.#place.consumerLogsIn(store)) continue;
      if (this.#table.strategy === 'single') this.#somethingLogsIn();
      else this.#found.add(`what store ${store} hands out is refused`);
    }
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
    for (const store of ['one', 'two']) {
      const { slot, value } = this.#place.consumer(store);
      this.#handedOut.set(value.open(), { slot, value: value.open(), last: now });
    }
    if (this.#table.leaked || this.#table.strategy === 'single') return;
    for (const { slot, value, last } of this.#handedOut.values()) {
      if (now < last + window && !this.#place.host.holds(slot, value))
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

  /** At most one failed login a candidate a run: two candidates can fail in one run. */
  #fewFailedLogins(): void {
    const failures = [...this.#place.host.failedLogins.values()].reduce((sum, count) => sum + count, 0);
    if (failures - this.#failures > 2) this.#found.add(`${failures - this.#failures} failed logins in one run`);
    this.#failures = failures;
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

  /** I6: directly before every effect there is its intent; journals move only after an outcome or a login. */
  #intentsFirst(): void {
    const { trail } = this.#place;
    for (const [at, what] of trail.entries()) {
      const isEffect = /^effect (stage|promote|abandon|retire|change)$/.test(what);
      if (isEffect && !trail[at - 1]?.endsWith(' intent'))
        this.#found.add(`${what} came after ${trail[at - 1] ?? 'nothing'} and not after its intent`);
    }
  }

  /**
   * Whatever broke, in the end the log tells how every effect went. That a rotation was ordered or planned shows in what follows.
   */
  #intentsAnswered(): void {
    const open = new Set<string>();
    for (const { action, stage, correlation, details } of this.#place.log.events) {
      const what = `${action} ${correlation} ${JSON.stringify(details['store'] ?? details['slot'] ?? null)}`;
      if (stage === 'intent' && action !== 'rotation.plan' && action !== 'rotation.order') open.add(what);
      else if (stage === 'outcome') open.delete(what);
    }
    for (const what of open) this.#found.add(`nothing tells how ${what} went`);
  }
}
