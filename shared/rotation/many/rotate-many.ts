import { asLockkeeperError, LockkeeperError } from '../../base/error.ts';
import { after, second } from '../../base/time.ts';
import type { World } from '../../base/world.ts';
import type { RotateRequest } from '../effects/under-way.ts';
import { journals } from '../journal/journals.ts';
import type { RotationDeps } from '../plan.ts';
import { rotate, type RotationReport } from '../run.ts';
import { atOnce } from './at-once.ts';
import { BeginLimit } from './begin-limit.ts';
import { inOrder, standingOf, type Standing } from './order.ts';
import { readTurns, roundAfter, writeTurns } from './turns.ts';

/** How a run over many credentials is bounded, and who hears how far it is. */
export interface ManyOptions {
  readonly request?: RotateRequest;
  /** How many credentials at once; 8 unless given. */
  readonly concurrency?: number;
  /** How many may begin a rotation in this run; what is under way goes on all the same. Left out: all. */
  readonly limit?: number | undefined;
  /** No further credential is taken up once it is aborted; those at work come to their own end. */
  readonly signal?: AbortSignal;
  /** Called whenever a credential is taken up, and when it is done. */
  readonly onProgress?: (progress: Progress) => void;
}

/** How far a run over many credentials is. */
export interface Progress {
  readonly total: number;
  readonly done: number;
  readonly atWork: readonly string[];
  /** The report of the credential that is done now; undefined where one was taken up, or failed with a defect. */
  readonly report: RotationReport | undefined;
}

/** What became of each credential, by its name, in the order in which they were given. */
export interface ManyReport {
  readonly reports: ReadonlyMap<string, RotationReport>;
  /** Defects, each of its own credential. */
  readonly problems: ReadonlyMap<string, LockkeeperError>;
  /** Not reached before the deadline, or the stop. The next run begins with them. */
  readonly left: readonly string[];
  /** Would have begun a rotation, but as many as the limit allows had begun. The next run begins with them. */
  readonly held: readonly string[];
}

const usual = 8;
/** As long as one call to a service may take. */
const longestMarginMs = 15 * second;

/**
 * Carries many rotations on, several at once, each as `rotate` does; what one fails with, a defect too, is its own.
 * Nothing begins, and no step either, in the last 15 seconds before the deadline, or in the last tenth of a time that is
 * short. For the order see inOrder: of n credentials of which k fit into a run all are reached in n / k runs, rounded up.
 */
export async function rotateMany(
  all: ReadonlyMap<string, RotationDeps>,
  options: ManyOptions = {},
): Promise<ManyReport> {
  return await new ManyRun(all, options).run();
}

class ManyRun {
  readonly #all: ReadonlyMap<string, RotationDeps>;
  readonly #options: ManyOptions;
  readonly #reports = new Map<string, RotationReport>();
  readonly #problems = new Map<string, LockkeeperError>();
  readonly #held = new Set<string>();
  readonly #atWork = new Set<string>();
  readonly #limit: BeginLimit;

  constructor(all: ReadonlyMap<string, RotationDeps>, options: ManyOptions) {
    this.#all = new Map([...all].map(([name, deps]) => [name, { ...deps, world: withMargin(deps.world) }]));
    this.#options = options;
    this.#limit = new BeginLimit(options.limit ?? Infinity);
  }

  async run(): Promise<ManyReport> {
    const { concurrency = usual } = this.#options;
    const [first] = this.#all.values();
    if (first) await this.#rotateAll(first, concurrency);
    const names = [...this.#all.keys()];
    return {
      reports: ordered(names, this.#reports),
      problems: ordered(names, this.#problems),
      left: names.filter((name) => !this.#hasEnded(name) && !this.#held.has(name)),
      held: names.filter((name) => this.#held.has(name)),
    };
  }

  async #rotateAll({ state }: RotationDeps, concurrency: number): Promise<void> {
    const turns = await readTurns(state);
    const order = inOrder(await this.#standings(concurrency), turns.reached);
    await atOnce(this.#untilOver(order), concurrency, (one) => this.#one(one));
    const chosen = [...this.#all.keys()];
    const now = new Set(chosen.filter((name) => this.#hadItsTurn(name)));
    await writeTurns(state, turns, roundAfter(turns.reached, chosen, now));
  }

  /** For the order alone: every run reads its own journal again, for another process may have gone on meanwhile. */
  async #standings(concurrency: number): Promise<readonly Standing[]> {
    const standings: Standing[] = [];
    const { request = {} } = this.#options;
    await atOnce(this.#all.values(), concurrency, async ({ plan, state, world }) => {
      const journal = await journals(state, world).read(plan.name).catch(unread);
      const known = journal === 'unread' ? journal : journal?.journal;
      standings.push(standingOf(known, { plan, now: world.now(), request }));
    });
    return standings;
  }

  *#untilOver(order: readonly Standing[]): Generator<Standing> {
    for (const one of order) {
      if (this.#isOver(one.name)) return;
      yield one;
    }
  }

  #isOver(name: string): boolean {
    const world = this.#all.get(name)?.world;
    return this.#options.signal?.aborted === true || (world !== undefined && world.now() >= world.deadline());
  }

  async #one({ name, kind, rotation }: Standing): Promise<void> {
    if (kind !== 'due') return await this.#rotate(name);
    if (!(await this.#limit.take())) return void this.#held.add(name);
    // The place may have come late.
    if (!this.#isOver(name)) await this.#rotate(name);
    const report = this.#reports.get(name);
    this.#limit.give({ hasBegun: report ? report.rotation !== rotation : this.#problems.has(name) });
  }

  async #rotate(name: string): Promise<void> {
    const deps = this.#all.get(name);
    if (!deps) return;
    this.#atWork.add(name);
    this.#tell(undefined);
    try {
      this.#reports.set(name, await rotate(deps, this.#options.request));
    } catch (thrown) {
      this.#problems.set(name, asLockkeeperError(thrown));
    }
    this.#atWork.delete(name);
    this.#tell(this.#reports.get(name));
  }

  #hasEnded(name: string): boolean {
    return this.#reports.has(name) || this.#problems.has(name);
  }

  /** One that the deadline stopped at once has its turn in the next run. */
  #hadItsTurn(name: string): boolean {
    const report = this.#reports.get(name);
    return report ? report.outcome !== 'stopped' || report.steps.length > 0 : this.#problems.has(name);
  }

  #tell(report: RotationReport | undefined): void {
    const done = this.#reports.size + this.#problems.size;
    this.#options.onProgress?.({ total: this.#all.size, done, atWork: [...this.#atWork], report });
  }
}

/** The same world, whose deadline comes earlier: what begins just before it has time to come to its end. */
function withMargin(world: World): World {
  const marginMs = Math.max(0, Math.min(longestMarginMs, (world.deadline() - world.now()) / 10));
  return { ...world, deadline: () => after(world.deadline(), -marginMs) };
}

/** What keeps it from being read is told by its own run. */
function unread(thrown: unknown): 'unread' {
  if (thrown instanceof LockkeeperError) return 'unread';
  throw thrown;
}

function ordered<T>(names: readonly string[], by: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  return new Map(
    names.flatMap((name) => {
      const found = by.get(name);
      return found === undefined ? [] : [[name, found] as const];
    }),
  );
}
