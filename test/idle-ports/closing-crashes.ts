import { isDeepStrictEqual } from 'node:util';
import { LockkeeperError } from '../../shared/base/error.ts';
import { after, day, hour, minute } from '../../shared/base/time.ts';
import { memoryFirewall, MemoryNetwork } from '../../shared/firewalls/memory.ts';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import { closeApproved } from '../../shared/idle-ports/closing/close.ts';
import type { ClosingDeps } from '../../shared/idle-ports/closing/closing-deps.ts';
import { approversOf } from '../../shared/idle-ports/closing/decision.ts';
import { hashOf } from '../../shared/idle-ports/closing/proposal.ts';
import { ClosureJournal, type HeldClosure } from '../../shared/idle-ports/closing/closure-journal.ts';
import { reopen } from '../../shared/idle-ports/closing/reopen.ts';
import { scan } from '../../shared/idle-ports/closing/scan.ts';
import { watchClosed } from '../../shared/idle-ports/closing/watch.ts';
import { memoryObjects } from '../../shared/objects/memory.ts';
import { Faults, Killed, type Break } from '../broken-writes.ts';
import { ClosingPlace, row, rule } from './closing-world.ts';

/** One story that faults strike; the same steps are run again until they succeed. */
export type Story = 'a known client reopens it' | 'it settles and a person reopens it' | 'a person edits it meanwhile';

export const stories: readonly Story[] = [
  'a known client reopens it',
  'it settles and a person reopens it',
  'a person edits it meanwhile',
];

/** What became of one story: its writes in order, and every promise that was broken, in words. */
export interface Outcome {
  readonly writes: readonly string[];
  readonly violations: readonly string[];
}

/** Tells the story from question to end with these writes broken, checking after every attempt. */
export async function tellStory(story: Story, broken: ReadonlyMap<number, Break>): Promise<Outcome> {
  const run = new Run(new Faults(broken));
  await run.step((deps) => run.scan(deps));
  for (const who of ['ann', 'ben'])
    await run.step(async (deps) => void (await takeAnswer(deps, await run.place.says(who, 'approve', 'r-1'))));
  if (story === 'a person edits it meanwhile') await editMeanwhile(run);
  else await closeAndReopen(run, story);
  await run.expectQuiet();
  return { writes: run.faults.writes, violations: run.violations };
}

const original = rule('r-1');
const edited = rule('r-1', { description: 'please keep' });
const other = rule('other', { ports: { from: 80, to: 80 } });

async function closeAndReopen(run: Run, story: Story): Promise<void> {
  const { place } = run;
  await run.step((deps) => run.close(deps));
  run.expect(!place.network.rules.has('r-1'), 'a run without faults did not close what was approved');
  place.world.pass(hour);
  if (story === 'a known client reopens it') {
    place.rows.push(row('10.1.1.1', after(place.world.now(), -90 * day), { kind: 'answered', largest: 900 }));
    place.rows.push(row('10.1.1.1', after(place.world.now(), -minute), { packets: 3 }));
    await run.step((deps) => run.watch(deps));
  } else {
    place.world.pass(30 * day);
    await run.step((deps) => run.watch(deps));
    run.expect((await run.closure())?.phase === 'settled', 'silence did not settle');
    await run.step(
      async (deps) => void (await reopen(deps, await run.held(deps), { who: 'ann', why: 'the year ends' })),
    );
  }
  run.expect(isDeepStrictEqual(place.network.rules.get('r-1'), original), 'the rule is not back exactly as it was');
  run.expect((await run.closure())?.phase === 'reopened', 'the journal does not say reopened');
}

/** The edit comes after the first attempt to close, wherever that attempt broke, unless the rule was closed by then. */
async function editMeanwhile(run: Run): Promise<void> {
  const { place } = run;
  await run.attempt((deps) => run.close(deps));
  const closedFirst = !place.network.rules.has('r-1');
  if (!closedFirst) place.network.rules.set('r-1', edited);
  await run.step((deps) => run.close(deps));
  if (closedFirst) run.expect(!place.network.rules.has('r-1'), 'what was closed did not stay closed');
  else run.expect(isDeepStrictEqual(place.network.rules.get('r-1'), edited), 'an edited rule was closed');
}

class Run {
  readonly place = new ClosingPlace([original, other]);
  readonly violations: string[] = [];
  readonly faults: Faults;

  constructor(faults: Faults) {
    this.faults = faults;
  }

  async scan(deps: ClosingDeps): Promise<void> {
    this.place.verdicts.set('other', { verdict: 'used' });
    failOn(await scan(deps, await this.place.judgement()));
  }

  async close(deps: ClosingDeps): Promise<void> {
    failOn(await closeApproved(deps, this.place.hooks()));
  }

  async watch(deps: ClosingDeps): Promise<void> {
    failOn(await watchClosed(deps, this.place.hooks()));
  }

  /** Runs a step until it succeeds, each time as a new process. */
  async step(step: (deps: ClosingDeps) => Promise<void>): Promise<void> {
    for (let attempts = 0; attempts < 6; attempts += 1) {
      if (await this.attempt(step)) return;
    }
    this.expect(false, 'a step did not succeed in six runs');
  }

  /** One process: true if the step succeeded in it. Only injected faults, and what follows from them, may stop it. */
  async attempt(step: (deps: ClosingDeps) => Promise<void>): Promise<boolean> {
    this.faults.restart();
    try {
      await step(this.#deps());
      return true;
    } catch (thrown) {
      const expected = thrown instanceof Killed || (thrown instanceof LockkeeperError && thrown.code === 'uncertain');
      if (!expected) this.expect(false, `unexpected: ${String(thrown)}`);
      return false;
    } finally {
      await this.#check();
    }
  }

  expect(holds: boolean, promise: string): void {
    if (!holds) this.violations.push(promise);
  }

  async held(deps: Pick<ClosingDeps, 'state'>): Promise<HeldClosure> {
    const held = await new ClosureJournal(deps.state).load('net', 'r-1');
    if (!held) throw new Error('nothing is held');
    return held;
  }

  async closure(): Promise<HeldClosure['closure'] | undefined> {
    return (await new ClosureJournal(memoryObjects(this.place.bucket)).load('net', 'r-1'))?.closure;
  }

  /** At the end nothing is left untold, unasked or half done, and one more run changes nothing. */
  async expectQuiet(): Promise<void> {
    const { place } = this;
    this.#expectVotesTold();
    await this.step((deps) => this.watch(deps));
    const closure = await this.closure();
    this.expect(closure?.notices.length === 0, 'a notice was never told');
    this.expect(closure !== undefined && place.board.questions.has(closure.hash), 'a question was never shown');
    this.expect(closure?.phase !== 'closing' && closure?.phase !== 'reopening', `it is still ${closure?.phase}`);
    const [rules, objects] = [new Map(place.network.rules), place.bucket.nextVersion()];
    await this.step(async (deps) => {
      await this.watch(deps);
      await this.close(deps);
    });
    this.expect(isDeepStrictEqual(new Map(place.network.rules), rules), 'one more run changed a rule');
    const next = Number(place.bucket.nextVersion().slice(1));
    this.expect(next === Number(objects.slice(1)) + 1, 'one more run wrote to the state store');
  }

  /** Whoever repeated an answer until it was taken has it in the log that it was. */
  #expectVotesTold(): void {
    for (const who of ['ann', 'ben']) {
      const [last] = this.place.entries
        .filter(({ action, actor }) => action === 'decision.approve' && actor === who)
        .toReversed();
      this.expect(last?.result === 'done', `nothing tells how the answer of ${who} went`);
    }
  }

  #deps(): ClosingDeps {
    const deps = this.place.deps();
    const firewall = this.faults.wrap(this.#witnessed(), 'firewall', ['apply', 'restore']);
    return {
      ...deps,
      state: this.faults.wrap(deps.state, 'state', ['create', 'replace', 'delete']),
      audit: this.faults.wrap(deps.audit, 'audit', ['record']),
      evidence: this.faults.wrap(deps.evidence, 'evidence', ['create']),
      approvals: this.faults.wrap(deps.approvals, 'approvals', ['ask', 'notify']),
      firewalls: new Map([['net', firewall]]),
    };
  }

  /** The true firewall; every change is checked against what is durable at that very moment. */
  #witnessed(): ReturnType<typeof memoryFirewall> {
    const firewall = memoryFirewall('net', this.place.network);
    const witness = async (action: string) => {
      const closure = await this.closure();
      const intents = this.place.entries.filter(
        (entry) => entry.action === action && entry.stage === 'intent' && entry.correlation === closure?.hash,
      );
      this.expect(intents.length > 0, `${action} without an intent in the log`);
      this.expect(
        isDeepStrictEqual(closure?.prepared?.before, original),
        `${action} while the journal does not hold what undo needs`,
      );
    };
    return {
      openings: () => firewall.openings(),
      prepare: (change) => firewall.prepare(change),
      apply: async (prepared) => {
        await witness('closure.apply');
        await firewall.apply(prepared);
      },
      restore: async (prepared) => {
        await witness('closure.restore');
        await firewall.restore(prepared);
      },
    };
  }

  async #check(): Promise<void> {
    const { network, entries } = this.place;
    this.expect(isDeepStrictEqual(network.rules.get('other'), other), 'another opening was altered');
    const closure = await this.closure();
    for (const { who } of closure?.votes ?? []) {
      const logged = entries.some(
        ({ action, stage, actor }) => action === 'decision.approve' && stage === 'intent' && actor === who,
      );
      this.expect(logged, `the approval of ${who} took effect before it was in the log`);
    }
    if (network.rules.has('r-1')) return;
    this.expect(
      closure !== undefined && closure.hash === hashOf(closure.proposal),
      'closed without a proposal of that hash',
    );
    this.expect(
      closure !== undefined && approversOf(closure).length >= closure.people.needed,
      'closed without enough approvals of exactly that hash',
    );
    this.expect(
      this.place.bucket.objects.has(`proposals/${closure?.hash ?? ''}.json`),
      'closed without the question being kept',
    );
    this.expect(
      closure?.prepared?.fingerprint === closure?.proposal.fingerprint,
      'closed with another fingerprint than approved',
    );
    if (closure?.prepared) await this.#checkUndo(closure.prepared);
  }

  /** From the journal alone, on a copy of the network: does undo bring back exactly what was? */
  async #checkUndo(prepared: NonNullable<HeldClosure['closure']['prepared']>): Promise<void> {
    const copy = new MemoryNetwork(this.place.network.interfaces, [...this.place.network.rules.values()]);
    await memoryFirewall('net', copy).restore(prepared);
    this.expect(
      isDeepStrictEqual(copy.rules.get('r-1'), original),
      'undo from the journal does not bring back the rule',
    );
  }
}

function failOn({ problems }: { readonly problems: readonly LockkeeperError[] }): void {
  const [first] = problems;
  if (first) throw first;
}
