import { after, hour } from '../../../shared/base/time.ts';
import { LockkeeperError } from '../../../shared/base/error.ts';
import type { RotateRequest } from '../../../shared/rotation/effects/under-way.ts';
import type { Bench, Snapshot } from './bench.ts';
import { carry, enter, hasInside, isAsk, isRead, type Carried, type Going } from './carry.ts';
import type { Broken, Space, Way } from './explore.ts';
import { flyOn, takeOff, type Flight } from './flight.ts';
import { stateKey } from './key.ts';
import { saidAloud } from './leaks.ts';
import { happenings } from './people.ts';
import type { QuietRuns } from './quiet.ts';
import type { Call } from './replay.ts';
import { everyMs, propagationMs, type Fault } from './setup.ts';
import type { ModelState } from './state.ts';
import { phraseOf, rotatorName } from './story.ts';
import { brokenIn, forgiven, healed, journalOf, watched } from './watch.ts';

type ModelWay = Way<ModelState>;

/** Everything that can follow on everything, on one bench. */
export class ModelSpace implements Space<ModelState> {
  readonly start: ModelState;
  readonly #bench: Bench;
  readonly #quiet: QuietRuns;
  /** States in which a promise did not hold that the drivers cannot keep. */
  weaker = 0;

  constructor(bench: Bench, start: ModelState, quiet: QuietRuns) {
    this.#bench = bench;
    this.start = start;
    this.#quiet = quiet;
  }

  key(state: ModelState): string {
    return stateKey(this.#bench, state.world, state);
  }

  async check({ world, watch, flights }: ModelState): Promise<readonly Broken[]> {
    if (!flights.some((flight) => flight?.isExcused)) return await this.#quiet.check(world, watch);
    this.#bench.load(world);
    return await this.#quiet.check(world, forgiven(this.#bench, watch));
  }

  async *next(state: ModelState, mayMove: boolean): AsyncIterable<ModelWay> {
    for (const flight of state.flights) if (flight) yield* this.#calls(state, flight, mayMove);
    yield* this.#begins(state, mayMove);
    yield* this.#timePasses(state, mayMove);
    if (mayMove) yield* this.#happens(state);
  }

  /** One call of a rotator is carried out, or goes wrong; or its host dies. */
  async *#calls(state: ModelState, flight: Flight, mayMove: boolean): AsyncIterable<ModelWay> {
    const { setup } = this.#bench;
    const [calls, isHeldUp] = dueCalls(state, flight);
    const [call] = calls;
    if (!call) throw new Error(`a run waits for nothing: ${JSON.stringify(flight.pending)}`);
    if (!isHeldUp) yield await this.#goes(state, flight, calls, 'well');
    for (const fault of mayMove ? setup.faults : []) {
      if (fault === 'crash') yield this.#dies(state, flight);
      else if (fault === 'lock-lost') yield* this.#losesLock(state, flight);
      else if (fault === 'no-intent') yield* this.#cannotRecord(state, flight, call);
      else if (canGo(fault, calls) && !isHeldUp) yield await this.#goes(state, flight, calls, fault);
    }
  }

  async #goes(state: ModelState, flight: Flight, calls: readonly Call[], going: Going): Promise<ModelWay> {
    const label = `${rotatorName(flight)}: ${calls.map(phraseOf).join(', ')}${how[going]}`;
    const broken = intentMissing(flight, calls);
    const [call] = calls;
    if (going === 'well' && call?.stage === 'made' && hasInside(this.#bench, call)) {
      const carried = await this.#enters(state, flight, call);
      return await this.#lands(state, { carried, label: `${label}: begins`, broken });
    }
    const carried = await carry(this.#bench, { world: state.world, flight }, calls, going);
    const isHeard = call?.port === 'people' && (going === 'well' || going === 'lost-applied');
    const watch = { ...state.watch, heard: state.watch.heard || isHeard };
    return await this.#lands({ ...state, watch }, { carried, label, broken, cost: going === 'well' ? 0 : 1 });
  }

  async #enters({ world }: ModelState, flight: Flight, call: Call): Promise<Carried> {
    const entered = enter(this.#bench, world, flight, call);
    const landing = await flyOn(this.#bench.setup, entered.flight);
    if (!('flight' in landing)) return entered;
    // Nothing but the reading of the journal comes first under the guard: the lock and the look are one.
    const reads = landing.flight.pending.filter(isRead);
    if (reads.length === 0 || reads.length < landing.flight.pending.length) return entered;
    return await carry(this.#bench, { world, flight: landing.flight }, reads);
  }

  /** The flight's own code goes on with what it was answered. */
  async #lands(
    state: ModelState,
    done: {
      readonly carried: Carried;
      readonly label: string;
      readonly broken: readonly string[];
      readonly cost?: 0 | 1;
    },
  ): Promise<ModelWay> {
    const { carried, label, cost = 0 } = done;
    const landing = await flyOn(this.#bench.setup, carried.flight);
    const said = [...done.broken, ...saidAloud(this.#bench, carried.world, landing)];
    if ('thrown' in landing) said.push(`rotate() throws: ${inWords(landing.thrown)}`);
    if ('report' in landing && landing.report.error?.code === 'bug')
      said.push(`a defect: ${landing.report.error.message}`);
    const flights = state.flights.map((one, at) =>
      at === carried.flight.rotator ? ('flight' in landing ? landing.flight : undefined) : one,
    );
    const ended = 'report' in landing ? `; the run ends: ${landing.report.outcome}, ${landing.report.text}` : '';
    const later = this.#seen(
      { ...state, flights, world: carried.world },
      state.flights.some((flight) => flight?.isExcused),
    );
    return {
      label: `${label}${ended}`,
      cost,
      broken: [...said.map((promise) => ({ promise })), ...later.broken],
      state: later.state,
    };
  }

  /** What the promises remember, and those that do not hold. */
  #seen(state: ModelState, isExcused: boolean): { readonly state: ModelState; readonly broken: readonly Broken[] } {
    const { setup } = this.#bench;
    this.#bench.load(state.world);
    const seen = healed(this.#bench, watched(setup, state.watch, state.world));
    // An answer is worth one run: what a person changes while it is under way is found by the next.
    const watch = isExcused ? forgiven(this.#bench, seen) : seen;
    const all = isExcused ? [] : brokenIn(this.#bench, watch);
    const weaker = all.filter((promise) => setup.weaker.some((one) => one === promise));
    if (weaker.length > 0) this.weaker += 1;
    return {
      state: { ...state, watch: { ...watch, weaker } },
      broken: all.filter((promise) => !weaker.includes(promise)).map((promise) => ({ promise })),
    };
  }

  #dies(state: ModelState, flight: Flight): ModelWay {
    const flights = state.flights.map((one) => (one === flight ? undefined : one));
    return { label: `the host of ${rotatorName(flight)} dies`, cost: 1, broken: [], state: { ...state, flights } };
  }

  async *#losesLock(state: ModelState, flight: Flight): AsyncIterable<ModelWay> {
    if (!flight.holdsLock) return;
    const flights = state.flights.map((one) =>
      one === flight ? { ...flight, holdsLock: false, lostLock: true } : one,
    );
    yield {
      label: `the connection that holds the lock of ${rotatorName(flight)} is gone`,
      cost: 1,
      broken: [],
      state: { ...state, flights },
    };
  }

  async *#cannotRecord(state: ModelState, flight: Flight, call: Call): AsyncIterable<ModelWay> {
    const { lastIntent } = flight;
    if (lastIntent === undefined || isRead(call) || call.stage === 'inside' || call.port === 'audit') return;
    const thrown = new LockkeeperError('unreachable', 'the log does not answer', { hint: 'Wait.' });
    const answer = { index: lastIntent, at: state.world.now, kind: 'thrown', thrown } as const;
    const carried = { world: state.world, flight: { ...flight, answers: [...flight.answers, answer], pending: [] } };
    const label = `${rotatorName(flight)}: the intent for ${phraseOf(call)} cannot be recorded`;
    yield await this.#lands(state, { carried, label, broken: [], cost: 1 });
  }

  /**
   * A run begins: the scheduled one, or one that a person wants. One that begins while another is under way is a move of
   * the adversary. Rotators whose clocks agree are alike: the first that is free stands for all.
   */
  async *#begins(state: ModelState, mayMove: boolean): AsyncIterable<ModelWay> {
    const { setup } = this.#bench;
    const isAlone = state.flights.every((flight) => flight === undefined || flight.slept);
    if (!isAlone && !(mayMove && setup.secondRotator)) return;
    const free = [...state.flights.keys()].filter((rotator) => !state.flights[rotator]);
    const different = free.filter((rotator, at) => at === 0 || setup.clocks[rotator] !== setup.clocks[free[0] ?? 0]);
    for (const rotator of different) {
      yield await this.#runs(state, rotator, { request: {}, cost: isAlone ? 0 : 1 });
      if (mayMove && isAlone && setup.acts.includes('force'))
        yield await this.#runs(state, rotator, { request: { now: true }, cost: 1 });
      if (mayMove && (isAlone || setup.racingEmergency) && setup.acts.includes('emergency'))
        yield await this.#runs(state, rotator, { request: { leaked: { reason: 'found in a chat' } }, cost: 1 });
    }
  }

  async #runs(
    state: ModelState,
    rotator: number,
    { request, cost }: { readonly request: RotateRequest; readonly cost: 0 | 1 },
  ): Promise<ModelWay> {
    const { world } = state;
    const flight = takeOff({ rotator, request, run: world.runs, began: world.now });
    const carried = { world: { ...world, runs: world.runs + 1 }, flight };
    const label = `${rotatorName(flight)} begins a run${askedFor(request)}`;
    return await this.#lands(state, { carried, label, broken: [], cost });
  }

  async *#timePasses(state: ModelState, mayMove: boolean): AsyncIterable<ModelWay> {
    const { world, flights } = state;
    const sleepers = flights.filter((flight) => flight !== undefined);
    const now = nextMoment(this.#bench, world);
    const cost = sleepers.every((flight) => flight.slept) ? 0 : 1;
    if (now === undefined || (cost > 0 && !(mayMove && this.#bench.setup.pauses))) return;
    const slept = flights.map((flight) => flight && { ...flight, slept: true });
    const later = this.#seen(
      { ...state, world: { ...world, now }, flights: slept },
      flights.some((flight) => flight?.isExcused),
    );
    const label = `time passes: ${inHours(now - world.now)}`;
    yield { label, cost, broken: later.broken, state: later.state };
  }

  async *#happens(state: ModelState): AsyncIterable<ModelWay> {
    for (const { label, world, watch, touches } of happenings(this.#bench, state.world, state.watch)) {
      const flights = touches ? state.flights.map((flight) => flight && { ...flight, isExcused: true }) : state.flights;
      yield { label, cost: 1, broken: [], state: { world, watch, flights } };
    }
  }
}

const how: Readonly<Record<Going, string>> = {
  well: '',
  failed: ' fails',
  'lost-applied': ' is done, and the answer is lost',
  'lost-not-applied': ' is not done, and the answer is lost',
  rejected: ' is refused by policy',
};

/** The calls that are answered together, and whether they have to wait for a lock. */
function dueCalls({ flights }: ModelState, flight: Flight): readonly [readonly Call[], boolean] {
  const reads = flight.pending.filter(isRead);
  if (reads.length > 0) return [reads, false];
  const calls = flight.pending.slice(0, 1);
  const wantsLock = calls.some(
    ({ port, method, stage }) => stage === 'made' && port === 'service' && (method === 'change' || method === 'retire'),
  );
  return [calls, wantsLock && flights.some((other) => other !== flight && other?.holdsLock)];
}

function canGo(fault: Fault, calls: readonly Call[]): fault is Going & Fault {
  const [call] = calls;
  if (!call) return false;
  if (fault === 'rejected') return call.method === 'change' && call.stage === 'made';
  if (isRead(call) || isAsk(call)) return fault === 'failed';
  if (call.port === 'people' || call.port === 'refresh') return fault === 'failed' || fault === 'lost-applied';
  return fault === 'failed' || fault === 'lost-applied' || fault === 'lost-not-applied';
}

/** Before each effect there is its intent. */
function intentMissing({ lastEvent }: Flight, calls: readonly Call[]): readonly string[] {
  const effects = calls.filter(
    ({ port, method }) =>
      (port === 'service' && /^(change|retire)$/.test(method)) || (port.startsWith('store ') && method !== 'read'),
  );
  if (effects.length === 0 || lastEvent?.stage === 'intent') return [];
  return effects.map((call) => `${phraseOf(call)} without an intent in the log before it`);
}

/**
 * The next moment at which something may be different by the journal, by the stores or by who is logged in. Undefined:
 * time changes nothing.
 */
export function nextMoment({ setup }: Bench, world: Snapshot): Snapshot['now'] | undefined {
  const journal = journalOf(world);
  const { trouble, drain, finishedAt } = journal ?? {};
  const isResting = (journal?.phase ?? 'done') === 'done';
  const settlesMs = Math.max(...setup.stores.map((store) => store.settlesMs ?? 0));
  const windows = [propagationMs, propagationMs + settlesMs];
  const byHosts = [
    trouble?.notBefore,
    ...windows.map((ms) => drain && after(drain.host, ms)),
    finishedAt && isResting ? after(finishedAt, everyMs) : undefined,
  ].flatMap((at) => (at ? setup.clocks.map((ahead) => after(at, -ahead)) : []));
  const byService = windows.flatMap((ms) => (drain?.service ? [after(drain.service, ms)] : []));
  const settled = Object.values(world.vaults).flatMap((vault) =>
    Object.values(vault.secrets).flatMap(({ unsettled }) => unsettled.map(({ until }) => until)),
  );
  const later = [...byHosts, ...byService, ...settled].filter((at) => at > world.now);
  if (later.length > 0) return after(world.now, Math.min(...later) - world.now);
  // Whoever is still logged in leaves some time.
  return isResting || world.host.sessions.length === 0 ? undefined : after(world.now, hour);
}

function askedFor({ now, leaked }: RotateRequest): string {
  if (leaked) return ' because the value leaked';
  return now ? ' because a person wants it now' : '';
}

function inHours(ms: number): string {
  return ms < 2 * hour ? `${Math.round(ms / 60_000)} minutes` : `${Math.round(ms / hour)} hours`;
}

function inWords(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}
