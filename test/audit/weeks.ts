import type { RunLog } from '../../shared/audit/log.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import { day, hour } from '../../shared/base/time.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { testWorld, type TestWorld } from '../world.ts';
import { allEntries, event, place, runOn, type LogPlace } from './place.ts';
import { seeded } from './seeded.ts';

/** What came of some hosts over some weeks. */
export interface WeeksReport {
  readonly days: number;
  readonly acknowledged: number;
  /** Acknowledged entries that are not in the log just once, once somebody sealed. */
  readonly lost: readonly string[];
  /** What verify found, at any time, in a log that nobody touched. */
  readonly alarms: readonly string[];
  /** Runs that stayed without an end, as their hosts died or slept. */
  readonly open: number;
}

/** What a host may do next, and how often: of a hundred turns. */
const turns = { record: 55, seal: 12, end: 8, die: 3, work: 15, sleep: 7 } as const;

/**
 * Four hosts whose clocks differ by up to a day keep one log over some weeks. They record, seal, end, die, work for an hour or
 * three, and all sleep for up to six days, in an order that the seed decides; of ten answers to a create one is lost.
 */
export async function weeks({ seed, steps }: { readonly seed: number; readonly steps: number }): Promise<WeeksReport> {
  const random = seeded(seed);
  const at = place();
  const hosts = [0, 0.3, 0.7, 1].map((lagDays) => new Host(at, random, lagDays));
  const acknowledged: string[] = [];
  const alarms: string[] = [];
  let days = 0;
  const pass = (ms: number) => {
    days += ms / day;
    for (const { world } of hosts) world.pass(ms);
  };
  for (let step = 0; step < steps; step += 1) {
    const host = hosts[Math.floor(random() * hosts.length)];
    const turn = turnAt(random() * 100);
    if (turn === 'work') pass(random() * 3 * hour);
    else if (turn === 'sleep') pass(random() * 6 * day);
    else acknowledged.push(...((await host?.take(turn)) ?? []));
    if (step % 25 === 24) alarms.push(...(await alarmsIn(at, step)));
  }
  for (const host of hosts) await host.take('end');
  await runOn(at, 'last', hosts[0]?.world).seal();
  const { runs, waiting } = await verifyLog(at);
  const placed = (await allEntries(at)).map(({ hash }) => hash);
  const times = Map.groupBy(placed, (hash) => hash);
  const lost = acknowledged.filter((hash) => times.get(hash)?.length !== 1);
  alarms.push(...(await alarmsIn(at, steps)), ...(waiting.batches > 0 ? [`${waiting.batches} batches wait for ever`] : []));
  return { days: Math.round(days), acknowledged: acknowledged.length, lost, alarms, open: runs.open };
}

async function alarmsIn(at: LogPlace, step: number): Promise<readonly string[]> {
  return (await verifyLog(at)).findings.map(({ key, what }) => `step ${step}: ${key} ${what}`);
}

function turnAt(chance: number): keyof typeof turns {
  let sum = 0;
  for (const turn of ['record', 'seal', 'end', 'die', 'work'] as const) {
    sum += turns[turn];
    if (chance < sum) return turn;
  }
  return 'sleep';
}

let named = 0;

/** One host, with a clock of its own. */
class Host {
  readonly world: TestWorld;
  readonly #at: LogPlace;
  readonly #random: () => number;
  #log: RunLog;

  constructor(at: LogPlace, random: () => number, lagDays: number) {
    named += 1;
    this.#random = random;
    this.world = testWorld(undefined, `host ${named}`);
    this.world.pass((20 - lagDays) * day);
    this.#at = { ...at, log: this.#shaky(at.log) };
    this.#log = runOn(this.#at, 'host', this.world);
  }

  /** Takes one turn, and answers the hash of what was acknowledged; a lost answer is no reason to stop. */
  async take(turn: 'record' | 'seal' | 'end' | 'die'): Promise<readonly string[]> {
    if (turn === 'die') this.#log = runOn(this.#at, 'host', this.world);
    try {
      if (turn === 'record') return [(await this.#log.record(event(named))).hash];
      if (turn === 'seal') await this.#log.seal();
      if (turn === 'end') await this.#log.end();
    } catch (thrown) {
      if (!(thrown instanceof LockkeeperError) || thrown.code !== 'uncertain') throw thrown;
    }
    return [];
  }

  #shaky(store: ObjectStore): ObjectStore {
    const lost = () => new LockkeeperError('uncertain', 'the answer was lost');
    return {
      ...store,
      create: async (key, bytes) => {
        const chance = this.#random();
        if (chance < 0.05) throw lost();
        const answer = await store.create(key, bytes);
        if (chance < 0.1) throw lost();
        return answer;
      },
    };
  }
}
