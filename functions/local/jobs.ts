import type { Approvals, Notice } from '../../shared/approvals/contract.ts';
import type { ClosingHooks } from '../../shared/idle-ports/closing/closing-deps.ts';
import { closeApproved } from '../../shared/idle-ports/closing/close.ts';
import type { Step } from '../../shared/idle-ports/closing/closing-deps.ts';
import { refusalsOf } from '../../shared/idle-ports/closing/refusals.ts';
import { scan } from '../../shared/idle-ports/closing/scan.ts';
import { watchClosed } from '../../shared/idle-ports/closing/watch.ts';
import { asLockkeeperError, LockkeeperError } from '../../shared/base/error.ts';
import { remind, type ReminderReport } from '../../shared/rotation/manual/remind.ts';
import { rotateMany } from '../../shared/rotation/many/rotate-many.ts';
import type { RotationReport } from '../../shared/rotation/run.ts';
import { collect, type CollectReport } from '../../shared/usage/collect.ts';
import { evidenceSince, judgeNetwork, type Judged, type JudgingDeps } from './judging.ts';
import type { LocalDeps } from './deps-wire.ts';

/** What a job did for one network or credential. */
export interface Done<Report> {
  readonly name: string;
  readonly report: Report;
}

/** Reports, and what kept single logs or networks from having one; the others were handled all the same. */
export interface AllDone<Report> {
  readonly done: readonly Done<Report>[];
  readonly problems: readonly LockkeeperError[];
}

/** Reads the new objects of every flow log once. */
export async function collectAll(deps: LocalDeps): Promise<AllDone<CollectReport>> {
  const { state } = await deps.stores();
  const audit = await deps.audit();
  const logs = [...(await deps.flowLogs()).values()].flat();
  const named = new Map(logs.map((flowLog) => [flowLog.describe().name, flowLog]));
  return each(named, (flowLog) => collect({ flowLog, state, audit, world: deps.world }));
}

/** A network's verdicts and what was asked. */
export interface Scanned {
  readonly judged: Judged;
  readonly steps: readonly Step[];
  readonly problems: readonly LockkeeperError[];
  readonly unfinished: boolean;
}

/** Judges every network that has a firewall and flow logs, and asks people about what is unused. */
export async function scanAll(deps: LocalDeps, approvals: Approvals): Promise<AllDone<Scanned>> {
  const closing = await deps.closing(approvals);
  const { done, problems } = await each(closing.firewalls, async (_firewall, name) => {
    const judged = await judgeNetwork(name, await judgingDeps(deps, name));
    return { judged, ...(await scan(closing, judged.judgement)) };
  });
  return { done, problems: [...problems, ...done.flatMap(({ report }) => report.problems)] };
}

/** One after the other; what one fails with, a defect too, is its own. */
async function each<Thing, Report>(
  things: ReadonlyMap<string, Thing>,
  work: (thing: Thing, name: string) => Promise<Report>,
): Promise<AllDone<Report>> {
  const done: Done<Report>[] = [];
  const problems: LockkeeperError[] = [];
  for (const [name, thing] of things) {
    try {
      done.push({ name, report: await work(thing, name) });
    } catch (thrown) {
      problems.push(asLockkeeperError(thrown));
    }
  }
  return { done, problems };
}

/** Looks after everything that is closed, then closes what was approved. */
export async function closeAll(
  deps: LocalDeps,
  approvals: Approvals,
  probe?: ClosingHooks['probe'],
): Promise<Pick<Scanned, 'steps' | 'problems' | 'unfinished'>> {
  const closing = await deps.closing(approvals);
  const watched = await watchClosed(closing, {
    refusals: async (closure) =>
      refusalsOf(
        closure,
        await evidenceSince(await judgingDeps(deps, closure.firewall), closure.closedAt),
        closing.policy,
      ),
  });
  const closed = await closeApproved(closing, {
    judge: async (firewall) => (await judgeNetwork(firewall, await judgingDeps(deps, firewall))).judgement,
    ...(probe === undefined ? {} : { probe }),
  });
  return {
    steps: [...watched.steps, ...closed.steps],
    problems: [...watched.problems, ...closed.problems],
    unfinished: watched.unfinished || closed.unfinished,
  };
}

/** Carries every rotation on that is due or under way. */
export async function rotateAll(
  deps: LocalDeps,
  notify: (notice: Notice) => Promise<void>,
): Promise<AllDone<RotationReport>> {
  const { reports, problems } = await rotateMany(await deps.rotations({ notify, actor: 'lockkeeper' }));
  return {
    done: [...reports].map(([name, report]) => ({ name, report })),
    problems: [...problems.values()],
  };
}

/** Reminds people of every credential that they renew, where that is due. */
export async function remindAll(
  deps: LocalDeps,
  notify: (notice: Notice) => Promise<void>,
): Promise<AllDone<ReminderReport>> {
  return each(await deps.reminders({ notify, actor: 'lockkeeper' }), (one) => remind(one));
}

/** What judging the network `name` needs; `not-found` where the configuration has no such network with a firewall. */
export async function judgingDeps(deps: LocalDeps, name: string): Promise<JudgingDeps> {
  const firewall = (await deps.firewalls()).get(name);
  if (firewall === undefined)
    throw new LockkeeperError('not-found', `no network ${name} with a firewall is configured`, {
      hint: 'Put it back under `networks`.',
    });
  const flowLogs = (await deps.flowLogs()).get(name) ?? [];
  return { config: deps.config, world: deps.world, state: (await deps.stores()).state, firewall, flowLogs };
}
