import { adopt } from '../../../shared/rotation/adopt.ts';
import type { RotationDeps } from '../../../shared/rotation/plan.ts';
import { rehearse } from '../../../shared/rotation/rehearse.ts';
import { rotate, type RotationReport } from '../../../shared/rotation/run.ts';
import { LockkeeperError } from '../../../shared/base/error.ts';
import { Killed } from '../../broken-writes.ts';
import { Choice } from '../hostile/seeded.ts';
import type { Happening, RunEvent } from './events.ts';
import { Ground } from './ground.ts';
import { happens, pick } from './hands.ts';
import { Process } from './process.ts';
import type { Setting } from './setting.ts';
import { Turns, type Running } from './turns.ts';
import { BrokenPromise, Watch, type Broken } from './watch.ts';
import { inWords, runInWords, standOf } from './words.ts';

/** A run that was begun, and how it ended. */
export interface WalkRun extends Running {
  readonly event: RunEvent;
  report: RotationReport | undefined;
}

/** One walk under way. */
export class Walk {
  readonly ground: Ground;
  readonly watch: Watch;
  readonly turns: Turns;
  /** What happened, in words; filled where `tells`. */
  readonly story: string[] = [];
  readonly outcomes = new Map<string, number>();
  broken: Broken | undefined;
  paused: readonly WalkRun[] = [];
  runs = 0;
  readonly #tells: boolean;

  constructor(setting: Setting, tells: boolean) {
    this.ground = new Ground(setting);
    this.watch = new Watch(this.ground);
    this.turns = new Turns(() => this.ground.host.lock.loseHolder());
    this.#tells = tells;
  }

  /** Says what happened and how everything stands now. */
  tell(what: string): void {
    if (this.#tells) this.story.push(`${what}\n      ${standOf(this.ground, this.watch.truth)}`);
  }

  /** Lets one thing happen; throws what broke a promise. */
  async happen(what: Happening): Promise<void> {
    if (await this.#happen(what)) this.tell(inWords(what));
  }

  async #happen(what: Happening): Promise<boolean> {
    switch (what.do) {
      case 'run':
        await this.run(what);
        return false;
      case 'pause':
        await this.#pause(what);
        return false;
      case 'resume':
      case 'kill':
        return await this.#goOn(what);
      case 'together':
        await this.#together(what.runs, what.order);
        return false;
      case 'adopt':
        await this.adopt(what.rotator);
        return false;
      case 'rehearse':
        await this.#rehearse(what.rotator, what.leaked);
        return false;
      case 'pass':
        this.ground.now = this.ground.world(what.ms, 0).now();
        this.watch.byOthers();
        return true;
      default: {
        const did = happens(this.ground, this.watch, what);
        if (did) for (const { process } of this.paused) process.isStale = true;
        return did;
      }
    }
  }

  /** One run from its beginning to its end. */
  async run(event: RunEvent): Promise<WalkRun> {
    // One that stands still may hold the service's lock: only turns find that out.
    const run = this.#begin(event, this.paused.length > 0);
    if (this.paused.length > 0) await this.#drive([run], undefined);
    await run.end;
    this.#throwBroken();
    return run;
  }

  /** Asks for adoption; undefined where it failed. */
  async adopt(rotator: number) {
    return await this.#ask('adopt', rotator, adopt);
  }

  /** Ends every run that stands still: it goes on to its end. */
  async resumeAll(): Promise<void> {
    while (this.paused.length > 0) await this.#goOn({ do: 'resume', which: 0 });
  }

  #process(name: string, breaks: RunEvent['breaks'] = []): Process {
    return new Process(name, breaks, {
      checkReachable: (call) => this.ground.checkReachable(call),
      before: (process, call) => this.#watched(() => this.watch.beforeEffect(process, call)),
      after: (process, call) => this.#watched(() => this.watch.afterEffect(process, call)),
    });
  }

  #deps(process: Process, rotator: number): RotationDeps {
    const heard =
      <Args extends unknown[]>(hear: (...args: Args) => void) =>
      (...args: Args) =>
        this.#watched(() => hear(...args));
    return this.ground.deps(process, rotator % this.ground.setting.skews.length, {
      beforeEffect: heard((...args) => this.watch.beforeEffect(...args)),
      afterEffect: heard((...args) => this.watch.afterEffect(...args)),
      noteLogin: heard((login) => this.watch.noteLogin(login)),
      noteAnswers: heard((...args) => this.watch.noteAnswers(...args)),
      noteEntry: heard((...args) => this.watch.noteEntry(...args)),
      beforeRetire: heard((...args) => this.watch.beforeRetire(...args)),
      afterRetire: heard((of) => this.watch.afterRetire(of)),
      noteJournal: heard((of) => this.watch.noteJournal(of)),
    });
  }

  /** A broken promise ends the walk, whatever the code under test makes of what is thrown into it. */
  #watched(look: () => void): void {
    try {
      look();
    } catch (thrown) {
      if (thrown instanceof BrokenPromise) this.broken ??= thrown.broken;
      throw thrown;
    }
  }

  #throwBroken(): void {
    if (this.broken) throw new BrokenPromise(this.broken.promise, this.broken.text);
  }

  #begin(event: RunEvent, join = false): WalkRun {
    const process = this.#process(`run ${this.runs}`, event.breaks);
    this.runs += 1;
    if (join) this.turns.join(process);
    const run: WalkRun = { process, event, report: undefined, end: Promise.resolve() };
    const deps = this.#deps(process, event.rotator);
    const request = { now: event.now, ...(event.leaked !== undefined && { leaked: { reason: event.leaked } }) };
    const end = this.#toItsEnd(run, rotate(deps, request));
    return Object.assign(run, { end });
  }

  async #toItsEnd(run: WalkRun, rotating: Promise<RotationReport>): Promise<void> {
    try {
      run.report = await rotating;
      this.#ended(run);
    } catch (thrown) {
      this.#threw(run, thrown);
    } finally {
      run.process.isEnded = true;
    }
  }

  #ended(run: WalkRun): void {
    const { report, event } = run;
    if (!report) return;
    this.outcomes.set(report.outcome, (this.outcomes.get(report.outcome) ?? 0) + 1);
    this.tell(
      `${runInWords(event, run.process)}: ${report.outcome}${report.phase ? ` at ${report.phase}` : ''}: ${report.text}`,
    );
    if (this.broken) return;
    if (report.error?.code === 'bug') this.broken = { promise: 'bug', text: report.text };
    if (event.leaked !== undefined && report.outcome !== 'stopped') this.#checkOrder(event.leaked, run);
  }

  /** An order is in the journal, or was carried out, or people heard that it could not be recorded. */
  #checkOrder(reason: string, { report }: WalkRun): void {
    const journal = this.ground.journal();
    const orders = [...(journal?.orders ?? []), ...(journal?.emergency?.orders ?? [])];
    const isKnown = orders.some((one) => one.reason === reason) || !this.watch.ordered.has(reason);
    const isTold = this.ground.told.some(({ notice }) => notice.text.includes(reason));
    if (isKnown || isTold || this.ground.outages.has('messenger')) return;
    this.broken = { promise: 'order lost', text: `${reason}: ${report?.text ?? ''}` };
  }

  #threw(run: WalkRun, thrown: unknown): void {
    if (thrown instanceof Killed) return this.tell(`${runInWords(run.event, run.process)}: killed`);
    if (this.broken) return undefined;
    if (thrown instanceof BrokenPromise) this.broken = thrown.broken;
    else
      this.broken = {
        promise: 'throws',
        text: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
      };
    return undefined;
  }

  #crowd(): void {
    const { fence, stores } = this.ground.setting;
    if (fence === 'none' || stores.some(({ writes }) => writes === 'checked')) this.watch.isWeak = true;
  }

  async #pause(what: RunEvent & { readonly until: number }): Promise<void> {
    this.#crowd();
    if (this.paused.length >= 3) return;
    const run = this.#begin(what, true);
    this.paused = [...this.paused, run];
    await this.#drive([run], what.until);
    if (!run.process.isEnded) this.tell(`${runInWords(what, run.process)}: stands still`);
  }

  async #goOn(what: {
    readonly do: 'resume' | 'kill';
    readonly which: number;
    readonly until?: number;
  }): Promise<boolean> {
    if (this.paused.length === 0) return false;
    const run = pick(this.paused, what.which);
    if (what.do === 'kill') await this.turns.kill(run.process);
    else await this.#drive([run], what.until);
    this.#throwBroken();
    this.paused = this.paused.filter(({ process }) => !process.isEnded);
    return !run.process.isEnded;
  }

  async #together(events: readonly RunEvent[], order: number): Promise<void> {
    this.#crowd();
    const runs = events.map((event) => this.#begin(event, true));
    await this.#drive(runs, undefined, order);
  }

  async #drive(runs: readonly WalkRun[], most: number | undefined, order = 0): Promise<void> {
    await this.turns.drive(
      runs.map(({ process }) => process),
      new Choice(order),
      most,
    );
    this.paused = this.paused.filter(({ process }) => !process.isEnded);
    this.#throwBroken();
  }

  async #rehearse(rotator: number, leaked: boolean): Promise<void> {
    const before = JSON.stringify([this.ground.journal(), this.ground.vaults.map(({ state }) => state)]);
    await this.#ask('rehearse', rotator, (deps) => rehearse(deps, { leaked }));
    const after = JSON.stringify([this.ground.journal(), this.ground.vaults.map(({ state }) => state)]);
    if (before !== after) throw new BrokenPromise('rehearsal', 'it changed something');
  }

  async #ask<T>(name: string, rotator: number, ask: (deps: RotationDeps) => Promise<T>): Promise<T | undefined> {
    const process = this.#process(name);
    try {
      const answer = await ask(this.#deps(process, rotator));
      this.tell(`rotator ${rotator}: ${name}: ${JSON.stringify(answer)}`);
      return answer;
    } catch (thrown) {
      this.#throwBroken();
      if (!(thrown instanceof LockkeeperError) || thrown.code === 'bug')
        throw new BrokenPromise(
          'throws',
          `${name}: ${thrown instanceof Error ? (thrown.stack ?? '') : String(thrown)}`,
        );
      this.tell(`rotator ${rotator}: ${name}: ${thrown.code}: ${thrown.message}`);
      return undefined;
    }
  }
}
