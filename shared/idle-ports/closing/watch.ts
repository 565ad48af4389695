import type { AuditEvent } from '../../audit/entry.ts';
import type { LockkeeperError } from '../../base/error.ts';
import { after, formatInstant, instant } from '../../base/time.ts';
import type { FirewallState } from '../../firewalls/contract.ts';
import { deliver } from './ask.ts';
import type { RunReport } from './close.ts';
import { firewallOf, keepGoing, stepOf, timeIsUp, type ClosingDeps, type Step } from './closing-deps.ts';
import { moved, nameOf, notice, type Closure } from './closure.ts';
import { ClosureJournal, type HeldClosure } from './closure-journal.ts';
import { record } from './recorded.ts';
import type { Knock, Refusals } from './refusals.ts';
import { beginReopening, finishReopening } from './reopen.ts';
import { decideWatching, newKnockers } from './watch-decision.ts';

export interface WatchHooks {
  /** What the logs say about a closed opening by now; see refusalsOf. */
  refusals(closure: Closure): Promise<Refusals>;
}

/**
 * Looks after everything that is closed: finishes reopenings that a crashed run began, reopens where a known source is
 * refused, tells who knocks, settles what stayed silent long enough. Run it before closing anything more.
 */
export async function watchClosed(deps: ClosingDeps, hooks: WatchHooks): Promise<RunReport> {
  const run = new Watch(deps, hooks);
  const all = await new ClosureJournal(deps.state).all();
  const reopening = all.filter(({ closure }) => closure.phase === 'reopening');
  for (const held of [...reopening, ...all.filter(({ closure }) => closure.phase === 'quarantined')]) {
    if (timeIsUp(deps.world)) return run.report(true);
    await run.handle(held);
  }
  await run.deliver();
  return run.report(false);
}

class Watch {
  readonly #deps: ClosingDeps;
  readonly #hooks: WatchHooks;
  readonly #journal: ClosureJournal;
  readonly #steps: Step[] = [];
  readonly #problems: LockkeeperError[] = [];
  /** Each firewall is read once a run. */
  readonly #states = new Map<string, FirewallState>();

  constructor(deps: ClosingDeps, hooks: WatchHooks) {
    this.#deps = deps;
    this.#hooks = hooks;
    this.#journal = new ClosureJournal(deps.state);
  }

  report(unfinished: boolean): RunReport {
    return { steps: this.#steps, problems: this.#problems, unfinished };
  }

  async handle(held: HeldClosure): Promise<void> {
    const step = () => (held.closure.phase === 'reopening' ? this.#finish(held) : this.#watch(held));
    await keepGoing(this.#problems, async () => void this.#steps.push(await step()));
  }

  async deliver(): Promise<void> {
    await keepGoing(this.#problems, () => deliver(this.#deps));
  }

  async #watch(held: HeldClosure): Promise<Step> {
    const { closure } = held;
    const { policy, world } = this.#deps;
    const refusals = await this.#hooks.refusals(closure);
    const decided = decideWatching(
      closure,
      { refusals, isOpen: await this.#isOpen(closure) },
      { policy, now: world.now() },
    );
    switch (decided.kind) {
      case 'reopen':
        return this.#finish(
          await beginReopening(this.#deps, held, { who: 'lockkeeper', why: decided.why, automatic: true }),
        );
      case 'notify':
        return this.#notify(held, decided.knocks);
      case 'back-already':
        return this.#backAlready(held);
      case 'settle':
        return this.#settle(held);
      case 'wait':
      default:
        return stepOf(closure, 'quarantined', decided.why);
    }
  }

  async #finish(held: HeldClosure): Promise<Step> {
    const { closure } = await finishReopening(this.#deps, held);
    return stepOf(closure, 'reopened', closure.reopening?.why ?? '');
  }

  /** True where a rule of this id stands that is not what lockkeeper left behind. */
  async #isOpen({ firewall, opening, prepared }: Closure): Promise<boolean> {
    if (prepared?.after !== undefined) return false;
    const state = this.#states.get(firewall) ?? (await firewallOf(this.#deps, firewall).openings());
    this.#states.set(firewall, state);
    return state.openings.some(({ id }) => id === opening);
  }

  async #notify(held: HeldClosure, knocks: readonly Knock[]): Promise<Step> {
    const { closure } = held;
    const text = `refused at ${nameOf(closure)} since it was closed: ${whoKnocked(knocks)}`;
    const strangers = newKnockers(closure, knocks);
    if (strangers.length > 0)
      await record(this.#deps, closure, { action: 'closure.knock', details: toldKnocks(strangers, knocks) });
    const knockers = [...(closure.knockers ?? []), ...strangers.map((knock) => knock.who)];
    const told = [...knocks.map(({ last }) => last), closure.knocksTold ?? instant(0)].toSorted((a, b) => b - a)[0];
    await this.#journal.save(held, {
      ...closure,
      knocksTold: told,
      knockers,
      notices: [...closure.notices, notice(closure, levelOf(knocks), text)],
    });
    return stepOf(closure, 'quarantined', text);
  }

  async #backAlready(held: HeldClosure): Promise<Step> {
    const { closure } = held;
    const now = this.#deps.world.now();
    const why = 'somebody put the rule back by hand';
    await record(this.#deps, closure, { action: 'closure.found-open', details: { why } });
    const change = { since: now, until: after(now, this.#deps.policy.deniedForMs), problem: why };
    const notices = [...closure.notices, notice(closure, 'warning', `${nameOf(closure)} is open again: ${why}`)];
    await this.#journal.save(held, moved(closure, 'reopened', { ...change, notices }));
    return stepOf(closure, 'reopened', why);
  }

  async #settle(held: HeldClosure): Promise<Step> {
    const { closure } = held;
    await record(this.#deps, closure, {
      action: 'closure.settle',
      details: { closedAt: closure.closedAt && formatInstant(closure.closedAt) },
    });
    const text = `${nameOf(closure)} stayed silent and is settled. It can still be reopened exactly as it was.`;
    const change = { since: this.#deps.world.now(), notices: [...closure.notices, notice(closure, 'info', text)] };
    await this.#journal.save(held, moved(closure, 'settled', change));
    return stepOf(closure, 'settled', text);
  }
}

/** So many are named in one notice, those who use services here first; the log names all. */
const mostNamed = 10;

function whoKnocked(knocks: readonly Knock[]): string {
  const named = knocks.toSorted((a, b) => rank(a) - rank(b)).slice(0, mostNamed);
  const texts = named.map(({ who, last, why, known, insists }) => {
    const once = known && !insists ? ', but only one packet came, which anybody can send in its name' : '';
    return `${who} at ${formatInstant(last)} (${why}${once})`;
  });
  return `${texts.join(', ')}${knocks.length > named.length ? ` and ${knocks.length - named.length} more` : ''}`;
}

function levelOf(knocks: readonly Knock[]): 'alarm' | 'warning' | 'info' {
  if (knocks.some(({ known }) => known)) return 'alarm';
  return knocks.some(({ usesOthers }) => usesOthers) ? 'warning' : 'info';
}

function rank({ known, usesOthers }: Knock): number {
  return known ? 0 : usesOthers ? 1 : 2;
}

/** Who knocks for the first time, one fact for all of a run; `known`: a person must decide about one of them. */
function toldKnocks(strangers: readonly Knock[], knocks: readonly Knock[]): AuditEvent['details'] {
  const sources = strangers.map(({ who, last, known, scanner, insists, why }) => ({
    source: who,
    last: formatInstant(last),
    known,
    scanner,
    insists,
    why,
  }));
  return { sources, known: strangers.some(({ known }) => known), others: knocks.length - strangers.length };
}
