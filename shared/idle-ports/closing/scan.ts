import { toldText } from '../../audit/entries/withhold.ts';
import { asLockkeeperError, isTransient, LockkeeperError } from '../../base/error.ts';
import type { Opening } from '../../firewalls/contract.ts';
import { ask, show, notify } from './ask.ts';
import { firewallOf, stepOf, timeIsUp, type ClosingDeps, type Step } from './closing-deps.ts';
import { moved, notice, type Closure } from './closure.ts';
import { ClosureJournal, type HeldClosure } from './closure-journal.ts';
import type { Claim } from './limits.ts';
import { servicesOf } from './people.ts';
import { proposalFor, type Judgement, type Material } from './proposal.ts';
import { record } from './recorded.ts';
import { othersThan, planOther, planUnused, type Plan } from './scan-plan.ts';
import { withheldIn } from '../judging/withheld.ts';
import type { Verdict } from '../verdict.ts';

/** What a scan did. A caller must fail loudly where there are problems. */
export interface ScanReport {
  readonly steps: readonly Step[];
  /** What kept single openings from being handled, nobody to ask above all; the others were handled all the same. */
  readonly problems: readonly LockkeeperError[];
  /** Unused openings that belong to a tool, with the rule that its owner should take out. */
  readonly patches: readonly { readonly opening: Opening; readonly managedBy: string }[];
  /** True where the run's time was over before every opening was handled; the next run goes on. */
  readonly unfinished: boolean;
}

/**
 * Asks people about unused openings, keeps questions that still hold with their answers, and voids those that do not.
 * The same judgement again changes nothing and pings nobody. Errors of the stores are thrown.
 */
export async function scan(deps: ClosingDeps, judgement: Judgement): Promise<ScanReport> {
  const run = new Scan(deps, judgement, await new ClosureJournal(deps.state).all());
  for (const verdict of judgement.verdicts.toSorted((a, b) => (a.rule < b.rule ? -1 : 1))) {
    if (timeIsUp(deps.world)) return run.report(true);
    await run.handle(verdict);
  }
  await run.tellWithheld();
  return run.report(false);
}

class Scan {
  readonly #deps: ClosingDeps;
  readonly #judgement: Judgement;
  readonly #journal: ClosureJournal;
  readonly #steps: Step[] = [];
  readonly #problems: LockkeeperError[] = [];
  readonly #patches: { opening: Opening; managedBy: string }[] = [];
  /** Every closure by key, as of the beginning of the run, with what the run did since. */
  readonly #all: Map<string, Closure>;
  #asked = 0;

  constructor(deps: ClosingDeps, judgement: Judgement, all: readonly HeldClosure[]) {
    this.#deps = deps;
    this.#judgement = judgement;
    this.#journal = new ClosureJournal(deps.state);
    this.#all = new Map(all.map(({ key, closure }) => [key, closure]));
  }

  report(unfinished: boolean): ScanReport {
    return { steps: this.#steps, problems: this.#problems, patches: this.#patches, unfinished };
  }

  /** One opening; what stands in its way is a problem of its own, unless the stores themselves are out of reach. */
  async handle(verdict: Verdict): Promise<void> {
    const opening = this.#judgement.state.openings.find(({ id }) => id === verdict.rule);
    if (!opening) return;
    try {
      await this.#handle(opening, verdict);
    } catch (thrown) {
      const error = asLockkeeperError(thrown);
      if (isTransient(error.code) || error.code === 'bug') throw thrown;
      if (error.code === 'conflict' || error.code === 'unsupported') return this.#wait(opening.id, error.message);
      this.#problems.push(error);
      if (error.code === 'invalid')
        await this.#deps.approvals.notify({ hash: undefined, level: 'alarm', text: error.message });
    }
  }

  /** A secret that lies open in a rule is a problem of its own, and keeps no question back. */
  async tellWithheld(): Promise<void> {
    const { firewall, state } = this.#judgement;
    const found = state.openings.flatMap((opening) => {
      const places = withheldIn(opening);
      return places.length === 0 ? [] : [`${opening.id} (${places.join(', ')})`];
    });
    if (found.length === 0) return;
    const text = `rules of ${firewall} hold what looks like a secret, for everybody to read who may read rules; lockkeeper withholds it from people and the log: ${found.join(', ')}`;
    this.#problems.push(
      new LockkeeperError('invalid', text, {
        hint: 'Change each secret where it is used, then take it out of the rule.',
      }),
    );
    await this.#deps.approvals.notify({ hash: undefined, level: 'alarm', text });
  }

  async #handle(opening: Opening, verdict: Verdict): Promise<void> {
    const held = await this.#journal.load(this.#judgement.firewall, opening.id);
    const told = held && (await notify(this.#deps, held));
    if (verdict.verdict !== 'unused') return this.#carryOut(planOther(told?.closure, verdict.verdict), undefined, told);
    if (opening.managedBy !== undefined) this.#patches.push({ opening, managedBy: opening.managedBy });
    if (opening.managedBy !== undefined)
      return this.#carryOut(planOther(told?.closure, `owned by ${opening.managedBy}`), undefined, told);
    const prepared = await firewallOf(this.#deps, this.#judgement.firewall).prepare({
      kind: 'close',
      opening: opening.id,
    });
    if (prepared.fingerprint !== opening.fingerprint) return this.#wait(opening.id, 'somebody changes it right now');
    const material: Material = { judgement: this.#judgement, opening, verdict, prepared };
    return this.#carryOut(await this.#plan(material, told), material, told);
  }

  async #plan(material: Material, held: HeldClosure | undefined): Promise<Plan> {
    const { opening, verdict, judgement } = material;
    const { ruleSet, protocol, ports } = opening;
    const claim: Claim = {
      firewall: judgement.firewall,
      opening: opening.id,
      ruleSet,
      protocol,
      ports,
      alsoAllowedBy: verdict.alsoAllowedBy,
      services: servicesOf(this.#deps.people(judgement.firewall, opening)),
    };
    return planUnused({
      policy: this.#deps.policy,
      now: this.#deps.world.now(),
      proposalOf: (round) => proposalFor(material, round),
      claim,
      closure: held?.closure,
      others: othersThan(claim, [...this.#all.values()]),
      asked: this.#asked,
    });
  }

  async #carryOut(
    plan: Plan | undefined,
    material: Material | undefined,
    held: HeldClosure | undefined,
  ): Promise<void> {
    if (plan?.kind === 'ask' && material) {
      const asked = await notify(this.#deps, await ask(this.#deps, material, { held, why: plan.why }));
      this.#asked += 1;
      this.#all.set(asked.key, asked.closure);
      this.#steps.push(stepOf(asked.closure, 'asked', plan.why));
    } else if (plan?.kind === 'keep' && held) {
      this.#steps.push(stepOf((await show(this.#deps, held)).closure, 'kept', 'nothing changed'));
    } else if (plan?.kind === 'void' && held) {
      this.#steps.push(await this.#void(held, plan.why));
    } else if (plan?.kind === 'wait') {
      this.#wait(material?.opening.id ?? '', plan.why, held?.closure.hash);
    }
  }

  #wait(opening: string, text: string, hash = ''): void {
    this.#steps.push({ firewall: this.#judgement.firewall, opening, hash, outcome: 'waiting', text });
  }

  async #void(held: HeldClosure, why: string): Promise<Step> {
    const { closure } = held;
    await record(this.#deps, closure, { action: 'proposal.void', details: { why: toldText(why) } });
    const text = `the question about ${closure.opening} is void: ${why}`;
    const change = { since: this.#deps.world.now(), problem: why, notices: [notice(closure, 'info', text)] };
    const next = await this.#journal.save(held, moved(closure, 'drifted', change));
    this.#all.set(next.key, next.closure);
    return stepOf((await notify(this.#deps, next)).closure, 'void', why);
  }
}
