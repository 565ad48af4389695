import type { LogPlaces, LogDeps } from '../../shared/audit/log-deps.ts';
import { partialPrefix, publishedKey } from '../../shared/audit/layout.ts';
import type { Finding } from '../../shared/audit/verify/finding.ts';
import type { VerifyReport } from '../../shared/audit/verify/report.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import { day, hour, minute, second } from '../../shared/base/time.ts';
import type { StoredObject } from '../../shared/objects/contract.ts';
import { memoryObjects } from '../../shared/objects/memory.ts';
import { testWorld, type TestWorld } from '../world.ts';
import { allEntries, place, runOn, type LogPlace } from './place.ts';
import { seeded } from './seeded.ts';
import { SimulatedHost } from './simulated-host.ts';
import { CallsUnderWay, simulatedStore, type Process, type Weather } from './simulated-line.ts';
import { simulatedWitness, type SimulatedWitness } from './simulated-witness.ts';

/** What came of some hosts over some weeks. */
export interface SimulationReport {
  readonly days: number;
  readonly acknowledged: number;
  /** How often calls failed, by how. */
  readonly faults: ReadonlyMap<string, number>;
  /** Every promise that was broken, in words. */
  readonly problems: readonly string[];
}

/** Which weeks, and how many calls of stores they last. */
export interface SimulationOptions {
  readonly seed: number;
  readonly steps: number;
  /**
   * `clock`: one of the clocks is up to twelve days ahead now and then; until the next sealing by a right one, verify
   * misses what it passed over. `state`: the state store is lost or put back now and then, which puts right whatever
   * was wrong in it; so not always.
   */
  readonly trouble?: 'clock' | 'state' | undefined;
}

/**
 * Four hosts whose clocks differ by up to a day keep one log over some weeks, each call of each store in an order that
 * the seed decides. They record one by one and in bursts, seal, end, read, die and start again; calls fail, pause or
 * lose their answer; the anchor and the witness come and go; all sleep for days; clocks are put back.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const calls = new CallsUnderWay(seeded(options.seed));
  return await new Simulation({ ...options, calls, witness: await simulatedWitness(calls) }).run();
}

const lagDays = [0, 0.19, 0.57, 0.95];

class Simulation {
  readonly #steps: number;
  readonly #trouble: SimulationOptions['trouble'];
  readonly #calls: CallsUnderWay;
  readonly #at: LogPlace;
  readonly #anchor = memoryObjects();
  readonly #witness: SimulatedWitness;
  readonly #worlds: readonly TestWorld[];
  readonly #weather: Weather;
  readonly #acknowledged: string[] = [];
  readonly #problems: string[] = [];
  readonly #copies: ReadonlyMap<string, StoredObject>[] = [];
  #days = 0;
  #anchorIsAway = false;
  #harms = 0;
  #aheadMs = 0;
  #shown: { readonly object: StoredObject | undefined; readonly size: number } = { object: undefined, size: 0 };

  constructor({
    seed,
    steps,
    trouble,
    calls,
    witness,
  }: SimulationOptions & { readonly calls: CallsUnderWay; readonly witness: SimulatedWitness }) {
    this.#steps = steps;
    this.#trouble = trouble;
    this.#calls = calls;
    this.#at = place();
    this.#witness = witness;
    this.#worlds = lagDays.map((lag, host) => {
      const world = testWorld('2026-10-20T00:00:00Z', `seed ${seed} host ${host}`);
      world.pass(-lag * day);
      return world;
    });
    // Some time after the hosts stopped their work, the faults end too.
    this.#weather = {
      calls: this.#calls,
      isCalm: () => this.#calls.step > this.#steps + 2_000,
      now: () => this.#at.world.now(),
      faults: new Map(),
      late: new Map(),
    };
  }

  async run(): Promise<SimulationReport> {
    const unhandled = (thrown: unknown) => void this.#problems.push(`nobody took the error ${String(thrown)}`);
    process.on('unhandledRejection', unhandled);
    try {
      await this.#witness.answering(true, () => this.#live());
      await this.#lookAfterwards();
    } finally {
      process.off('unhandledRejection', unhandled);
    }
    return {
      days: Math.round(this.#days),
      acknowledged: this.#acknowledged.length,
      faults: this.#weather.faults,
      problems: this.#problems,
    };
  }

  async #live(): Promise<void> {
    const living = new Set(this.#worlds);
    for (const [number, world] of this.#worlds.entries()) {
      const open = (process: Process) => runOn(this.#seenBy(process), `host-${number}`, world);
      const host = new SimulatedHost({
        name: `host ${number}`,
        calls: this.#calls,
        open,
        acknowledged: this.#acknowledged,
        problems: this.#problems,
        harms: () => this.#harms,
      });
      void host.live(() => this.#isOver()).finally(() => living.delete(world));
    }
    while (living.size > 0) {
      const goesOn = await this.#calls.next();
      if ((!goesOn && living.size > 0) || this.#calls.step > this.#steps * 10 + 20_000)
        return void this.#problems.push(`step ${this.#calls.step}: ${living.size} hosts wait for ever`);
      if (!this.#isOver()) await this.#happen();
      this.#lookAtPublished();
    }
  }

  #isOver(): boolean {
    return this.#calls.step > this.#steps;
  }

  #seenBy(process: Process): LogPlace {
    const line = { process, weather: this.#weather };
    const anchor = simulatedStore(this.#anchor, { ...line, isAway: () => this.#anchorIsAway });
    return {
      ...this.#at,
      log: simulatedStore(this.#at.log, line),
      state: simulatedStore(this.#at.state, line),
      ...this.#vouching(),
      anchors: [{ name: 'anchor', store: anchor }],
    };
  }

  #vouching(): Pick<LogDeps, 'anchors' | 'witnesses'> {
    return { anchors: [{ name: 'anchor', store: this.#anchor }], witnesses: [this.#witness] };
  }

  /** What befalls everybody between two calls. */
  async #happen(): Promise<void> {
    const { random, step } = this.#calls;
    this.#passTime(random());
    if (random() < 0.005) this.#anchorIsAway = random() < 0.5;
    if (random() < 0.005) this.#witness.isAway = random() < 0.5;
    if (random() < 0.000_3) this.#worlds[this.#calls.dice(this.#worlds.length)]?.pass(-random() * 0.5 * day);
    if (this.#trouble === 'clock') this.#setWrongClock(random());
    if (this.#trouble === 'state') this.#harmState(random());
    if (step % 400 === 0)
      await this.#verify({ ...this.#at, ...this.#vouching() }, (finding) => this.#isPutRightLater(finding));
  }

  #passTime(chance: number): void {
    const longest =
      chance < 0.6 ? 2 * second : chance < 0.98 ? minute : chance < 0.9965 ? 3 * hour : chance < 0.9997 ? 5 * day : 0;
    const ms = this.#calls.dice(longest);
    this.#days += ms / day;
    for (const world of [this.#at.world, ...this.#worlds]) world.pass(ms);
  }

  #setWrongClock(chance: number): void {
    if (this.#aheadMs === 0 ? chance > 0.001 : chance > 0.003) return;
    const ahead = this.#aheadMs === 0 ? this.#calls.random() * 12 * day : 0;
    this.#worlds[1]?.pass(ahead - this.#aheadMs);
    this.#aheadMs = ahead;
  }

  /** It is copied, lost, or put back to an older copy. */
  #harmState(chance: number): void {
    const { heads } = this.#at;
    if (chance < 0.001) this.#copies.push(new Map(heads.objects));
    if (chance < 0.001 || chance > 0.002) return;
    const copy =
      chance < 0.0013 ? new Map<string, StoredObject>() : this.#copies[this.#calls.dice(this.#copies.length)];
    if (!copy) return;
    this.#harms += 1;
    heads.objects.clear();
    for (const [key, { bytes }] of copy) heads.objects.set(key, { bytes, version: heads.nextVersion() });
    this.#shown = { object: undefined, size: 0 };
  }

  #lookAtPublished(): void {
    const object = this.#at.heads.objects.get(publishedKey);
    if (!object || object === this.#shown.object) return;
    const size = Number(Buffer.from(object.bytes).toString().split('\n')[1]);
    if (size < this.#shown.size)
      this.#problems.push(
        `step ${this.#calls.step}: ${size} entries are published, and ${this.#shown.size} were before`,
      );
    this.#shown = { object, size };
  }

  async #verify(at: LogPlaces, isExcused: (finding: Finding) => boolean): Promise<VerifyReport> {
    const report = await verifyLog(at);
    for (const { kind, key, what } of report.findings.filter((finding) => !isExcused(finding)))
      this.#problems.push(`step ${this.#calls.step}: verify finds ${kind}: ${key} ${what}`);
    return report;
  }

  /**
   * What reached the inbox too late, and tiles that are not full of a state store that was lost in the middle of a
   * sealing: the next sealing knows.
   */
  #isPutRightLater({ kind, key }: Finding): boolean {
    return (
      (kind === 'omitted' && (this.#trouble === 'clock' || this.#weather.late.has(key))) ||
      (kind === 'missing' && key.startsWith(partialPrefix) && this.#harms > 0)
    );
  }

  /** One more sealing, and everything that was acknowledged has its place just once. */
  async #lookAfterwards(): Promise<void> {
    this.#witness.isAway = false;
    const at = { ...this.#at, ...this.#vouching() };
    const { refused, problems, witnessed } = await this.#witness.answering(false, () =>
      runOn(at, 'last', this.#worlds[0]).seal(),
    );
    for (const { key, why } of refused) this.#problems.push(`${key} is refused: ${why}`);
    for (const problem of [...problems, ...(witnessed ? [] : ['the witness did not cosign'])])
      this.#problems.push(`at the end: ${problem}`);
    const forgotten = new Set([...this.#weather.late].filter(([, { isDead }]) => isDead).map(([key]) => key));
    const isForgotten = ({ kind, key }: Finding) => kind === 'omitted' && forgotten.has(key);
    const { size, entries, waiting } = await this.#verify(at, isForgotten);
    if (size !== entries) this.#problems.push(`${size} of ${entries} entries are signed`);
    if (waiting.batches > forgotten.size)
      this.#problems.push(`${waiting.batches} batches since ${waiting.since} wait for ever`);
    const placed = (await allEntries(at)).filter(({ index }) => index !== undefined);
    const times = Map.groupBy(placed, ({ hash }) => hash);
    for (const hash of this.#acknowledged)
      if (times.get(hash)?.length !== 1)
        this.#problems.push(`the acknowledged entry ${hash} has ${times.get(hash)?.length ?? 0} places`);
  }
}
