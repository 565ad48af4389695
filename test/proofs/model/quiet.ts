import { after, day, hour, instant, minute } from '../../../shared/base/time.ts';
import type { Notice } from '../../../shared/approvals/contract.ts';
import { adopt } from '../../../shared/rotation/adopt.ts';
import type { RotationDeps } from '../../../shared/rotation/plan.ts';
import { rotate, type RotationReport } from '../../../shared/rotation/run.ts';
import type { RotateRequest } from '../../../shared/rotation/effects/under-way.ts';
import { LockkeeperError } from '../../../shared/base/error.ts';
import type { Bench, Snapshot } from './bench.ts';
import type { Broken } from './explore.ts';
import { drawnBytes } from './flight.ts';
import { worldKey } from './key.ts';
import { reportText } from './leaks.ts';
import { calmed, firstLogin } from './people.ts';
import { planOf } from './plan.ts';
import { everyMs, storesOf } from './setup.ts';
import { brokenIn, healed, journalOf, nothingWatched, strays, validIn, watched, type Watch } from './watch.ts';

/** A world between two runs. */
interface Between {
  readonly world: Snapshot;
  readonly watch: Watch;
}

/** More than any rotation needs with pauses of an hour: three values refused thrice, and a window. */
const mostRuns = 60;

/**
 * What becomes of a world if nothing more goes wrong: one rotator runs again and again, when its reports say. It must
 * end done, reverted, or blocked with people told; and the rotation after it must be done with nothing but what is kept.
 */
export class QuietRuns {
  readonly #bench: Bench;
  readonly #known = new Map<string, readonly Broken[]>();
  readonly #last = new WeakMap<Snapshot, WeakMap<Watch, readonly Broken[]>>();
  #runs = 0;

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  /** How many worlds were followed to their end, and by how many runs. */
  get figures(): { readonly worlds: number; readonly runs: number } {
    return { worlds: this.#known.size, runs: this.#runs };
  }

  /** A credential that was adopted and is due. */
  async begin(): Promise<Between> {
    const { setup } = this.#bench;
    const empty: Snapshot = {
      now: instant(Date.parse('2026-10-01T00:00:00Z')),
      host: this.#bench.host.state,
      vaults: Object.fromEntries(
        storesOf(setup).map((store) => [store, this.#bench.vaults[store]?.state ?? missing(store)]),
      ),
      objects: new Map(),
      down: [],
      strict: false,
      runs: 1,
      hands: 0,
    };
    this.#bench.load(empty);
    firstLogin(this.#bench, setup);
    const { adopted, problems } = await adopt(this.#deps(empty, []));
    if (!adopted) throw new Error(`not adopted: ${problems.join(' ')}`);
    const world = { ...this.#bench.save(), now: after(empty.now, everyMs) };
    return { world, watch: watched(setup, nothingWatched, world) };
  }

  /** Promises that are broken if nothing more goes wrong from here on. */
  async check(world: Snapshot, watch: Watch): Promise<readonly Broken[]> {
    const before = this.#last.get(world)?.get(watch);
    if (before) return before;
    const calm = calmed(this.#bench, world);
    const broken = [...(await this.#ending({ world: calm, watch }, 'first'))];
    if (world.down.length > 0 || isPartlySilent(this.#bench, world))
      broken.push(...(await this.#stormy({ world, watch })));
    const of = this.#last.get(world) ?? new WeakMap<Watch, readonly Broken[]>();
    this.#last.set(world, of.set(watch, broken));
    return broken;
  }

  async #ending(from: Between, which: 'first' | 'next'): Promise<readonly Broken[]> {
    const passed: string[] = [];
    const story: string[] = [];
    let at = from;
    let verdict: readonly Broken[] | undefined;
    let isHeard = false;
    for (let runs = 0; verdict === undefined; runs += 1) {
      const key = `${which}${isHeard}${worldKey(this.#bench, at.world, at.watch)}`;
      verdict = this.#known.get(key);
      if (verdict) break;
      passed.push(key);
      const ran = await this.#run(at, which === 'next' && runs === 0);
      // Whoever runs it by hand reads its report.
      isHeard ||= ran.notices.length > 0 || ran.request.now === true;
      at = ran.next;
      story.push(lineOf(ran));
      const found = ran.broken.length > 0 ? ran.broken : await this.#verdict(ran, which, isHeard || at.watch.heard);
      verdict = found && withStory(found, story);
      if (verdict === undefined && runs >= mostRuns) verdict = withStory(['quiet runs come to an end'], story);
    }
    for (const key of passed) this.#known.set(key, verdict);
    return verdict;
  }

  /** Undefined: not at an end yet. */
  async #verdict(
    ran: Ran,
    which: 'first' | 'next',
    isHeard: boolean,
  ): Promise<readonly (string | Broken)[] | undefined> {
    const { report, next } = ran;
    const phase = journalOf(next.world)?.phase;
    if (report.outcome === 'blocked') return isHeard ? [] : ['people are told of a block'];
    if (phase !== 'done' || !/^(done|reverted|idle)$/.test(report.outcome)) return undefined;
    this.#bench.load(next.world);
    const broken = this.#atDone(next.watch, which);
    if (broken.length > 0 || which === 'next') return broken;
    const { finishedAt } = journalOf(next.world) ?? {};
    const due = after(finishedAt ?? next.world.now, everyMs);
    const begun = { ...next.watch, heard: false, touched: false };
    return await this.#ending({ world: { ...next.world, now: later(next.world.now, due) }, watch: begun }, 'next');
  }

  /** What must hold once a rotation is done. What a person changed meanwhile is seen by the next one. */
  #atDone(watch: Watch, which: 'first' | 'next'): readonly string[] {
    const isMine = which === 'next' || (!watch.touched && watch.spoilt.length === 0);
    const broken: string[] = [];
    if (isMine && strays(this.#bench).length > 0) broken.push('at done nothing but what is kept is valid');
    if (isMine && !handsOutWhatLogsIn(this.#bench, watch)) broken.push('at done what is handed out logs in');
    const valid = validIn(this.#bench);
    if (watch.orders === 0 && watch.leaked.some((login) => valid.includes(login)))
      broken.push('an emergency ends with every leaked value refused');
    return broken;
  }

  /** Three days in which what is down stays down: people hear of it, or it ends all the same. */
  async #stormy(from: Between): Promise<readonly Broken[]> {
    const story: string[] = [];
    const key = `stormy${worldKey(this.#bench, from.world, from.watch)}`;
    const known = this.#known.get(key);
    if (known) return known;
    let at = from;
    let verdict: readonly Broken[] | undefined;
    let isHeard = from.watch.heard;
    const ends = after(from.world.now, 3 * day);
    while (verdict === undefined && at.world.now < ends) {
      const ran = await this.#run(at, false);
      isHeard ||= ran.notices.length > 0;
      at = ran.next;
      story.push(lineOf(ran));
      const isOver = /^(done|reverted|idle)$/.test(ran.report.outcome);
      if (ran.broken.length > 0) verdict = withStory(ran.broken, story);
      else if (isOver || isHeard) verdict = [];
    }
    const answer = verdict ?? withStory(['what is down for three days is told to people'], story);
    this.#known.set(key, answer);
    return answer;
  }

  async #run(at: Between, isDue: boolean): Promise<Ran> {
    this.#runs += 1;
    const { world } = at;
    this.#bench.load(world);
    const notices: Notice[] = [];
    const broken: string[] = [];
    const before = failedLogins(this.#bench);
    const request: RotateRequest = isDue || journalOf(world)?.adopted === true ? {} : { now: true };
    const report = await this.#rotated(world, notices, request);
    if (report.error?.code === 'bug') broken.push(`a defect: ${report.error.message}`);
    if (leaks(this.#bench, [reportText(report), JSON.stringify(notices)]))
      broken.push('no value leaves the stores and the service');
    if (failedLogins(this.#bench) - before > 2 * this.#bench.host.fleet.setup.endpoints.length)
      broken.push('a candidate is tried once a run');
    const until = report.until === undefined ? undefined : after(report.until, -(this.#bench.setup.clocks[0] ?? 0));
    const next = later(after(world.now, minute), until ?? after(world.now, hour));
    const saved = { ...this.#bench.save(), runs: world.runs + 1 };
    const watch = healed(this.#bench, watched(this.#bench.setup, at.watch, saved));
    if (this.#bench.setup.weaker.length === 0) broken.push(...brokenIn(this.#bench, watch));
    const settled = { ...saved, now: report.outcome === 'done' || report.outcome === 'reverted' ? saved.now : next };
    return {
      request,
      report,
      notices,
      broken,
      next: { world: settled, watch: watched(this.#bench.setup, watch, settled) },
    };
  }

  async #rotated(world: Snapshot, notices: Notice[], request: RotateRequest): Promise<RotationReport> {
    return await rotate(this.#deps(world, notices), request);
  }

  #deps(world: Snapshot, notices: Notice[]): RotationDeps {
    const { setup, service, stores, state } = this.#bench;
    let drawn = 0;
    const now = () => after(world.now, setup.clocks[0] ?? 0);
    const down = (port: string) => world.down.includes(port);
    return {
      plan: planOf(storesOf(setup), setup.refresh ? ['app'] : []),
      stores: Object.fromEntries(
        Object.entries(stores).map(([name, store]) => [name, down(name) ? silenced(store) : store]),
      ),
      service,
      state: down('state') ? silenced(state) : state,
      ...(setup.refresh && { refreshes: { app: { poke: async () => undefined } } }),
      audit: { record: async () => ({ run: 'model', n: 0, hash: '', at: now() }) },
      world: {
        now,
        random(bytes) {
          drawn += 1;
          return drawnBytes(world.runs * 4_096 + drawn, bytes);
        },
        deadline: () => after(now(), 1e12),
      },
      notify: async (notice) => void notices.push(notice),
      actor: 'lockkeeper',
    };
  }
}

/** What follows a state, told after the path to it. The story of a verdict that is used again is the first one's. */
function withStory(found: readonly (string | Broken)[], story: readonly string[]): readonly Broken[] {
  return found.map((one) =>
    typeof one === 'string' ? { promise: one, after: story } : { ...one, after: [...story, ...(one.after ?? [])] },
  );
}

function lineOf({ report, notices, request }: Ran): string {
  const told = notices.map(({ text }) => `; people are told: ${text}`).join('');
  const asked = request.now === true ? ' with --now' : '';
  return `quiet run${asked}: ${report.steps.join(' → ')} → ${report.outcome}: ${report.text}${told}`;
}

interface Ran {
  readonly request: RotateRequest;
  readonly report: RotationReport;
  readonly notices: readonly Notice[];
  readonly broken: readonly string[];
  readonly next: Between;
}

function silenced<T extends object>(target: T): T {
  const silent = async () => {
    throw new LockkeeperError('unreachable', 'it does not answer', { hint: 'Wait.' });
  };
  return new Proxy(target, {
    get(object, property): unknown {
      const member: unknown = Reflect.get(object, property);
      return typeof member === 'function' ? silent : member;
    },
  });
}

function isPartlySilent(bench: Bench, { host }: Snapshot): boolean {
  return bench.host.fleet.setup.endpoints.some((name) => host.endpoints[name]?.isUp === false);
}

function handsOutWhatLogsIn(bench: Bench, { handedOut }: Watch): boolean {
  return handedOut.every(({ store }) => {
    const login = bench.handedOut(store);
    return login !== undefined && bench.logsIn(login);
  });
}

function leaks(bench: Bench, said: readonly string[]): boolean {
  const text = said.join('\n');
  return validIn(bench).some((login) => text.includes(login.split(' ')[1] ?? login));
}

function failedLogins({ host }: Bench): number {
  const counts = Object.values(host.state.failedLogins).flatMap((slots) => Object.values(slots));
  return counts.reduce((sum, count) => sum + count, 0);
}

function later(one: Snapshot['now'], other: Snapshot['now']): Snapshot['now'] {
  return one > other ? one : other;
}

function missing(store: string): never {
  throw new Error(`the bench has no store ${store}`);
}
