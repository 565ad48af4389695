import { LockkeeperError } from '../../../shared/base/error.ts';
import { after, hour, minute, type Instant } from '../../../shared/base/time.ts';
import type { Notice } from '../../../shared/approvals/contract.ts';
import type { AuditEvent } from '../../../shared/audit/entry.ts';
import type { Journal } from '../../../shared/rotation/journal/journal.ts';
import type { RotationDeps } from '../../../shared/rotation/plan.ts';
import { rotate, type RotationReport } from '../../../shared/rotation/run.ts';
import type { RotateRequest } from '../../../shared/rotation/effects/under-way.ts';
import { Bench, handValue } from './bench.ts';
import { drawnBytes } from './flight.ts';
import { planOf } from './plan.ts';
import { QuietRuns } from './quiet.ts';
import { secret, storesOf, type Setup } from './setup.ts';
import { journalOf, validIn } from './watch.ts';

/** The host of a run died. */
class Died extends Error {}

/** What happens at a call, by its name (`store one promote`): before it, or right after it. */
export interface Interruptions {
  readonly before?: Readonly<Record<string, () => Promise<void> | void>>;
  readonly after?: Readonly<Record<string, () => Promise<void> | void>>;
}

/** The host dies there. */
export function dies(): never {
  throw new Died('the host died');
}

/** The answer is lost there. */
export function loses(): never {
  throw new LockkeeperError('uncertain', 'the answer was lost', { hint: 'Look again.' });
}

/** Nothing is done there. */
export function fails(): never {
  throw new LockkeeperError('unreachable', 'it does not answer', { hint: 'Wait.' });
}

/** One place on the real memory drivers, and a story that is told on it step by step. */
export class Script {
  readonly bench: Bench;
  readonly notices: Notice[] = [];
  readonly events: AuditEvent[] = [];
  /** Calls of the drivers so far, by name. */
  readonly calls = new Map<string, number>();
  /** How far the clock of the host that runs is ahead, in milliseconds. */
  ahead = 0;
  #runs = 100;
  #hands = 0;

  private constructor(bench: Bench) {
    this.bench = bench;
  }

  /** A credential that was adopted and is due. */
  static async begin(setup: Setup): Promise<Script> {
    const bench = new Bench(setup);
    const { world } = await new QuietRuns(bench).begin();
    bench.load(world);
    return new Script(bench);
  }

  /** One run; undefined where its host died. */
  async run(request: RotateRequest = {}, interruptions: Interruptions = {}): Promise<RotationReport | undefined> {
    this.#runs += 1;
    try {
      return await rotate(this.#deps(this.#runs, interruptions), request);
    } catch (thrown) {
      if (thrown instanceof Died) return undefined;
      throw thrown;
    }
  }

  /** Runs as often as the reports say, for `most` runs at most or until `isOver`; answers the last report. */
  async runOn(isOver: (report: RotationReport) => boolean = hasEnded, most = 40): Promise<RotationReport | undefined> {
    let report: RotationReport | undefined;
    for (let runs = 0; runs < most && !(report && isOver(report)); runs += 1) {
      if (runs > 0) this.pass(Math.max((report?.until ?? after(this.now, hour)) - this.now, minute));
      report = await this.run();
    }
    return report;
  }

  pass(ms: number): void {
    this.bench.pass(ms);
  }

  get now(): Instant {
    return this.bench.now;
  }

  /** A person gives a user another value at the service; answers it. */
  resets(slot: string): string {
    this.#hands += 1;
    const value = handValue(this.#hands);
    this.bench.know(value);
    this.bench.host.setByHand(slot, value);
    return value;
  }

  /** A person writes a text into a store. */
  writes(store: string, text: string): void {
    this.bench.vaults[store]?.setByHand(secret, text);
  }

  journal(): Journal | undefined {
    return journalOf(this.bench.save());
  }

  losesJournal(): void {
    const world = this.bench.save();
    this.bench.load({ ...world, objects: new Map() });
  }

  /** What each store hands out: a user and its value. */
  get handedOut(): readonly string[] {
    return storesOf(this.bench.setup).map((store) => {
      const login = this.bench.handedOut(store);
      return login ? `${login.slot} ${login.value.open()}` : 'nothing';
    });
  }

  /** True if everybody who reads a store now gets in everywhere. */
  get consumersLogIn(): boolean {
    return this.handedOut.every((text) => this.logsIn(text));
  }

  logsIn(text: string): boolean {
    const [slot = '', value = ''] = text.split(' ');
    return this.bench.host.clientLogsIn(slot, value);
  }

  /** Everything with which somebody gets in somewhere. */
  get valid(): readonly string[] {
    return validIn(this.bench);
  }

  #deps(run: number, { before = {}, after: afterwards = {} }: Interruptions): RotationDeps {
    const { setup, service, stores, state } = this.bench;
    let drawn = 0;
    const at = <T extends object>(target: T, port: string): T =>
      new Proxy(target, {
        get: (object, property): unknown => {
          const member: unknown = Reflect.get(object, property);
          if (typeof member !== 'function') return member;
          const name = `${port} ${String(property)}`;
          return async (...args: readonly unknown[]): Promise<unknown> => {
            this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
            await before[name]?.();
            const answer: unknown = await Reflect.apply(member, object, args);
            await afterwards[name]?.();
            return answer;
          };
        },
      });
    const now = () => after(this.now, this.ahead);
    return {
      plan: planOf(storesOf(setup), setup.refresh ? ['app'] : []),
      stores: Object.fromEntries(Object.entries(stores).map(([name, store]) => [name, at(store, `store ${name}`)])),
      service: at(service, 'service'),
      state: at(state, 'state'),
      ...(setup.refresh && { refreshes: { app: at({ poke: async () => undefined }, 'refresh') } }),
      audit: {
        record: async (event) => {
          this.events.push(event);
          return { run: 'script', n: this.events.length, hash: '', at: now() };
        },
      },
      world: {
        now,
        random(bytes) {
          drawn += 1;
          return drawnBytes(run * 4_096 + drawn, bytes);
        },
        deadline: () => after(now(), 1e12),
      },
      notify: async (notice) => void this.notices.push(notice),
      actor: 'lockkeeper',
    };
  }
}

function hasEnded({ outcome }: RotationReport): boolean {
  return outcome === 'done' || outcome === 'idle' || outcome === 'blocked' || outcome === 'reverted';
}
