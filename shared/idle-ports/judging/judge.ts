import type { Instant } from '../../base/time.ts';
import { LockkeeperError } from '../../base/error.ts';
import type { FirewallState, Opening } from '../../firewalls/contract.ts';
import type { UsageEvidence } from '../../usage/evidence.ts';
import { coverageOf, type Coverage } from './coverage/coverage.ts';
import type { CoverageExpectation } from './coverage/expected.ts';
import { readLog, type ReadLog } from './coverage/seen.ts';
import { withoutScanners } from './initiator/scanners.ts';
import { whoBegan } from './initiator/initiator.ts';
import { credit, type Credit } from './credit.ts';
import type { Findings } from './findings.ts';
import { judgeOne } from './one.ts';
import { Matcher } from './match/match.ts';
import { overlapsOf } from './match/cover.ts';
import type { IdlePolicy } from './policy.ts';
import type { Verdict } from '../verdict.ts';

export interface JudgeInput {
  readonly state: FirewallState;
  /** What the logs say. Its window is what is judged. */
  readonly evidence: UsageEvidence;
  /**
   * The flow logs as the cloud describes them; empty: one log that covers everything. Where logs differ in what they
   * cover or keep, each brings its own evidence, and `evidence` is asked for the window only.
   */
  readonly logs: readonly CoverageExpectation[];
  readonly policy: IdlePolicy;
  /** The judgement's own time: what was attached later is not judged. */
  readonly asOf: Instant;
}

/**
 * One verdict for each opening, by rule set and id. Pure: the same input gives the same verdicts, in whatever order its
 * parts are. Silence is `unused` only where nothing stands in the way of believing it; every doubt is use or
 * cannot-tell.
 * `unsupported` for a firewall in which the first matching rule decides, `invalid` for an address nobody can read.
 */
export function judge(input: JudgeInput): readonly Verdict[] {
  if (input.state.evaluation !== 'union') {
    throw new LockkeeperError(
      'unsupported',
      `openings of ${input.state.cloud}, where the first matching rule decides, cannot be judged yet`,
      {
        hint: 'Judge a firewall in which every matching rule lets packets in.',
      },
    );
  }
  const state = asItWas(input.state, input.asOf);
  const credits = creditAll(state, input);
  const overlaps = overlapsOf(state);
  // Packets that came in, though no opening surely let them in, came through one of those that may have.
  const isIdle = ({ id, direction }: Opening): boolean => {
    const { uses = [], maybes = [] } = credits.get(id) ?? {};
    return direction === 'ingress' && uses.length === 0 && maybes.length === 0;
  };
  const findings: Findings = {
    interfaces: new Map(state.interfaces.map((one) => [one.id, one])),
    evidence: input.evidence,
    policy: input.policy,
    credits,
    overlaps,
    coverage: coverageByInterface(state, input),
    withoutEffect: overlaps.withoutEffect(state.openings.filter(isIdle)),
  };
  return state.openings.toSorted(byRuleSet).map((opening) => judgeOne(opening, findings));
}

function creditAll(state: FirewallState, input: JudgeInput): ReadonlyMap<string, Credit> {
  const matcher = new Matcher(state);
  const { window } = input.evidence;
  const read = new Map(readLogs(input).map(({ evidence, hasFlags }) => [evidence, hasFlags]));
  const parts = [...read].map(([{ rows }, hasFlags]) => ({ rows, hasFlags }));
  const traffic = whoBegan(parts, matcher.ports(window.to));
  const isElsewhereToo = (peer: string, here: string): boolean => matcher.isElsewhereToo(peer, here);
  return credit(withoutScanners(traffic, input.policy.scanners, isElsewhereToo), matcher, window);
}

function coverageByInterface(state: FirewallState, input: JudgeInput): ReadonlyMap<string, Coverage> {
  const question = { logs: readLogs(input), window: input.evidence.window, policy: input.policy };
  return new Map(state.interfaces.map((one) => [one.id, coverageOf(one, question)]));
}

function readLogs({ logs, evidence }: JudgeInput): readonly ReadLog[] {
  if (logs.length > 0) return logs.map((log) => readLog(log, log.evidence ?? evidence));
  const only = {
    name: 'the flow log',
    covers: undefined,
    traffic: 'all',
    createdAt: undefined,
    trouble: undefined,
    hasFlags: undefined,
    evidence,
  } as const;
  return [readLog(only, evidence)];
}

/** Interfaces that were attached after the judgement's time did not exist yet. */
function asItWas(state: FirewallState, asOf: Instant): FirewallState {
  const interfaces = state.interfaces.filter(({ attachedAt }) => attachedAt === undefined || attachedAt <= asOf);
  const there = new Set(interfaces.map(({ id }) => id));
  const openings = state.openings.map((opening) => ({
    ...opening,
    targets: opening.targets.filter((target) => there.has(target)),
  }));
  return { ...state, interfaces, openings };
}

function byRuleSet(one: Opening, other: Opening): number {
  if (one.ruleSet !== other.ruleSet) return one.ruleSet < other.ruleSet ? -1 : 1;
  return one.id < other.id ? -1 : one.id > other.id ? 1 : 0;
}
