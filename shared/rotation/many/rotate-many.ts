import { asLockkeeperError, LockkeeperError } from '../../base/error.ts';
import { second } from '../../base/time.ts';
import { isEmergency } from '../decisions/trouble.ts';
import type { RotateRequest } from '../effects/under-way.ts';
import type { Journal } from '../journal/journal.ts';
import { journals } from '../journal/journals.ts';
import type { RotationDeps } from '../plan.ts';
import { rotate, type RotationReport } from '../run.ts';
import { atOnce } from './at-once.ts';
import { inTurn, readTurn, triedTurn, writeTurn } from './turns.ts';

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
  /** Not under way, and not looked at: as many as the limit allows had begun. */
  readonly held: readonly string[];
}

/** No credential is taken up so shortly before the deadline: one call to a service may take as long. */
const marginMs = 15 * second;
const usual = 8;

/**
 * Carries many rotations on, several at once, each as `rotate` does; what one fails with, a defect too, is its own.
 * Emergencies come first. The others take turns: a run that is cut short says in the state store where the next one begins,
 * so that n credentials of which k fit into a run are all reached in n / k runs.
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
  readonly #held: string[] = [];
  readonly #atWork = new Set<string>();
  #begun = 0;
  /** Runs at work that may begin a rotation; each holds one of the places that the limit gives. */
  #mayBegin = 0;
  #someEnded = Promise.withResolvers<void>();

  constructor(all: ReadonlyMap<string, RotationDeps>, options: ManyOptions) {
    this.#all = all;
    this.#options = options;
  }

  async run(): Promise<ManyReport> {
    const first = [...this.#all.values()][0];
    if (first) await this.#rotateAll(first);
    const names = [...this.#all.keys()];
    const reports = new Map(
      names.flatMap((name) => {
        const report = this.#reports.get(name);
        return report ? [[name, report] as const] : [];
      }),
    );
    const left = names.filter((name) => !this.#isReached(name));
    return { reports, problems: this.#problems, left, held: this.#held };
  }

  async #rotateAll({ state }: RotationDeps): Promise<void> {
    const { concurrency = usual } = this.#options;
    const standing = await this.#standing(concurrency);
    const turn = await triedTurn(() => readTurn(state));
    const names = inTurn([...this.#all.keys()], turn);
    const urgent = names.filter((name) => isUrgent(standing.get(name)));
    const order = [...urgent, ...names.filter((name) => !urgent.includes(name))];
    await atOnce(this.#untilOver(order), concurrency, (name) => this.#one(name, standing.get(name)));
    const next = order.find((name) => !this.#isReached(name) || this.#reports.get(name)?.outcome === 'stopped');
    if (next !== undefined) await triedTurn(() => writeTurn(state, next));
  }

  #isReached(name: string): boolean {
    return this.#reports.has(name) || this.#problems.has(name) || this.#held.includes(name);
  }

  *#untilOver(names: readonly string[]): Generator<string> {
    for (const name of names) {
      const world = this.#all.get(name)?.world;
      if (this.#options.signal?.aborted || (world && world.now() + marginMs >= world.deadline())) return;
      yield name;
    }
  }

  /** The journals as they stand. One that cannot be read is the trouble of its own run. */
  async #standing(concurrency: number): Promise<ReadonlyMap<string, Journal>> {
    const found = new Map<string, Journal>();
    await atOnce(this.#all, concurrency, async ([name, { state, world, plan }]) => {
      const held = await triedTurn(() => journals(state, world).read(plan.name));
      if (held) found.set(name, held.journal);
    });
    return found;
  }

  async #one(name: string, before: Journal | undefined): Promise<void> {
    const deps = this.#all.get(name);
    if (!deps) return;
    const { limit = Infinity, request } = this.#options;
    const mayBegin = request?.leaked === undefined && !isUnderWay(before) && limit !== Infinity;
    if (mayBegin && !(await this.#place(limit))) return void this.#held.push(name);
    this.#atWork.add(name);
    this.#tell(undefined);
    try {
      const report = await rotate(deps, request);
      this.#reports.set(name, report);
      if (mayBegin && report.rotation !== before?.rotation && report.phase !== undefined) this.#begun += 1;
    } catch (thrown) {
      this.#problems.set(name, asLockkeeperError(thrown));
    }
    this.#atWork.delete(name);
    if (mayBegin) this.#free();
    this.#tell(this.#reports.get(name));
  }

  /** Waits for one of the places in which a rotation may begin; false where all of them have begun one. */
  async #place(limit: number): Promise<boolean> {
    while (this.#begun + this.#mayBegin >= limit) {
      if (this.#begun >= limit) return false;
      await this.#someEnded.promise;
    }
    this.#mayBegin += 1;
    return true;
  }

  #free(): void {
    this.#mayBegin -= 1;
    this.#someEnded.resolve();
    this.#someEnded = Promise.withResolvers();
  }

  #tell(report: RotationReport | undefined): void {
    const done = this.#reports.size + this.#problems.size;
    this.#options.onProgress?.({ total: this.#all.size, done, atWork: [...this.#atWork], report });
  }
}

function isUrgent(journal: Journal | undefined): boolean {
  return journal !== undefined && isEmergency(journal);
}

function isUnderWay(journal: Journal | undefined): boolean {
  return journal !== undefined && (journal.phase !== 'done' || journal.orders.length > 0);
}
