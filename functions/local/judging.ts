import { LockkeeperError } from '../../shared/base/error.ts';
import { after, hour, instant, type Instant } from '../../shared/base/time.ts';
import type { World } from '../../shared/base/world.ts';
import type { Config } from '../../shared/config/schema.ts';
import type { Firewall } from '../../shared/firewalls/contract.ts';
import type { FlowLog } from '../../shared/flow-logs/contract.ts';
import { judge, type JudgeInput } from '../../shared/idle-ports/judging/judge.ts';
import { withholdFrom } from '../../shared/idle-ports/judging/withheld.ts';
import { judgingName, type Judgement } from '../../shared/idle-ports/closing/proposal.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import type { UsageEvidence, Window } from '../../shared/usage/evidence.ts';
import { readEvidence } from '../../shared/usage/read-evidence.ts';
import { idlePolicyOf } from './policies.ts';

/** What judging one network needs. */
export interface JudgingDeps {
  readonly config: Pick<Config, 'idlePorts'>;
  readonly world: World;
  readonly state: ObjectStore;
  readonly firewall: Firewall;
  readonly flowLogs: readonly FlowLog[];
}

/** A judgement, with the evidence it rests on. */
export interface Judged {
  readonly judgement: Judgement;
  readonly evidence: UsageEvidence;
  readonly asOf: Instant;
}

/**
 * Judges the openings of the network `name` by what was collected so far. The window ends where the flow logs have
 * settled: later rows may still be on their way. Reads only.
 */
export async function judgeNetwork(name: string, deps: JudgingDeps): Promise<Judged> {
  const { config, world, firewall } = deps;
  const policy = idlePolicyOf(config);
  const asOf = world.now();
  const window = windowOf(deps, asOf);
  const state = withholdFrom(await firewall.openings());
  const evidence = await evidenceOf(deps, window);
  const input: JudgeInput = { state, evidence, logs: [], policy, asOf };
  return {
    judgement: { firewall: name, state, verdicts: judge(input), window, policy: judgingName({ ...policy }), input },
    evidence,
    asOf,
  };
}

/** Everything the network's logs say, up to now; the window begins at `from`. For watching what was closed then. */
export async function evidenceSince(deps: JudgingDeps, from: Instant | undefined): Promise<UsageEvidence> {
  const to = deps.world.now();
  return evidenceOf(deps, { from: from ?? windowOf(deps, to).from, to });
}

async function evidenceOf({ state, flowLogs, world }: JudgingDeps, window: Window): Promise<UsageEvidence> {
  if (flowLogs.length === 0) {
    throw new LockkeeperError('invalid', 'a network without flow logs cannot be judged', {
      hint: 'Name its flow logs in the configuration, under networks.',
    });
  }
  return readEvidence({ state, logs: flowLogs.map((log) => log.describe().name), window, world });
}

function windowOf({ config, flowLogs }: JudgingDeps, asOf: Instant): Window {
  const settleMs = Math.max(0, ...flowLogs.map((log) => log.describe().settleMs));
  const end = asOf - settleMs;
  const to = instant(end - (end % hour));
  return { from: after(to, -config.idlePorts.window.ms), to };
}
