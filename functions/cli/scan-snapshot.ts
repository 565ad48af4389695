import { after, parseInstant, type Instant } from '../../shared/base/time.ts';
import type { World } from '../../shared/base/world.ts';
import { parseDuration } from '../../shared/config/duration.ts';
import type { FirewallState } from '../../shared/firewalls/contract.ts';
import { judge } from '../../shared/idle-ports/judging/judge.ts';
import { defaultIdlePolicy } from '../../shared/idle-ports/judging/policy.ts';
import type { UsageEvidence, Window } from '../../shared/usage/evidence.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';
import { printVerdicts } from './print-verdicts.ts';
import { readSnapshotFiles, type SnapshotFiles } from './snapshot-files.ts';
import { readFlowLogs, timeOf } from './snapshot-flow-logs.ts';
import { expectations, type LogEvidence } from './snapshot-logs.ts';

/** What snapshot-wire.ts provides. */
export interface SnapshotDeps {
  readonly world: World;
  /** The openings that the descriptions tell. */
  readonly openings: (files: SnapshotFiles) => Promise<FirewallState>;
  /** Reads every flow-log object of the snapshot once. Progress goes to `tell`. */
  readonly evidence: (request: EvidenceRequest) => Promise<readonly LogEvidence[]>;
}

export interface EvidenceRequest {
  readonly directory: string;
  readonly window: Window;
  readonly state: FirewallState;
}

export interface SnapshotOptions {
  /** RFC 3339; the world's now where it is not given. */
  readonly asOf?: string | undefined;
  /** As in the configuration: 30d. */
  readonly window?: string | undefined;
}

/**
 * `lockkeeper scan --snapshot DIR`: judges the security groups of an AWS account from what the AWS CLI printed and from
 * flow-log objects, without credentials. Prints a table, or with --output json one object. Reads only; the same
 * directory and time give the same answer. Errors: not-found and invalid, with the file and what makes it.
 */
export async function scanSnapshotVerb(
  directory: string,
  options: SnapshotOptions,
  deps: SnapshotDeps,
  terminal: Terminal,
): Promise<ExitCode> {
  const asOf = options.asOf === undefined ? deps.world.now() : parseInstant(options.asOf);
  const window = windowBefore(asOf, options.window ?? '30d');
  const files = await readSnapshotFiles(directory);
  const described = readFlowLogs(files.flowLogs);
  const state = await deps.openings(files);
  const read = (await deps.evidence({ directory, window, state })).map((one) => ({
    ...one,
    evidence: inWindow(one.evidence),
  }));
  const nothing: UsageEvidence = { window, rows: [], coverage: [], damaged: [], sampled: false, digest: '' };
  const evidence = { ...nothing, damaged: read.flatMap((one) => one.evidence.damaged) };
  const verdicts = judge({
    state,
    evidence,
    logs: expectations(described, read, nothing),
    policy: defaultIdlePolicy,
    asOf,
  });
  printVerdicts({ asOf, window, verdicts, damaged: evidence.damaged }, terminal);
  return exitCode.done;
}

function windowBefore(asOf: Instant, length: string): Window {
  return { from: after(asOf, -parseDuration(length).ms), to: asOf };
}

/** A damaged object whose name tells a time outside the window cannot have hidden anything inside it. */
function inWindow(evidence: UsageEvidence): UsageEvidence {
  const { from, to } = evidence.window;
  const lateMs = 3_600_000;
  const damaged = evidence.damaged.filter(({ key }) => {
    const at = timeOf(key);
    return at === undefined || (at >= from - lateMs && at <= to + lateMs);
  });
  return { ...evidence, damaged };
}
