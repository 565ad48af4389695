import type { Command } from 'commander';
import { LockkeeperError } from '../../shared/base/error.ts';
import { runs, type Call } from './call.ts';
import type { Frame } from './frame.ts';
import type { ExitCode } from './io.ts';

interface ScanWords {
  readonly snapshot?: string;
  readonly asOf?: string;
  readonly window?: string;
  readonly detailedExitcode?: boolean;
}

/** `lockkeeper scan`, or `lockkeeper scan --snapshot DIR`. */
export function declareScan(scan: Command, frame: Frame): void {
  scan
    .option('--snapshot <directory>', 'judge an AWS account from what the AWS CLI printed there, without credentials')
    .option('--as-of <time>', 'with --snapshot: the time of judgement, as 2026-11-22T00:00:00Z (default: now)')
    .option('--window <duration>', 'with --snapshot: how far back usage is judged (default: 30d)')
    .option('--detailed-exitcode', 'exit 2 where questions wait for people or something cannot be told');
  runs(scan, frame, async (call) => {
    const words = scan.opts<ScanWords>();
    return words.snapshot === undefined ? live(words, call) : snapshot(words.snapshot, words, call);
  });
}

async function snapshot(directory: string, { asOf, window }: ScanWords, { terminal, world }: Call): Promise<ExitCode> {
  const { scanSnapshotVerb } = await import('./scan-snapshot.ts');
  const { snapshotDeps } = await import('./snapshot-wire.ts');
  return scanSnapshotVerb(directory, { asOf, window }, snapshotDeps(await world()), terminal);
}

async function live({ asOf, window, detailedExitcode }: ScanWords, { configFile, terminal }: Call): Promise<ExitCode> {
  if (asOf !== undefined || window !== undefined) {
    const hint = 'Give --snapshot DIR, or leave them out: the window is idlePorts.window in the configuration.';
    throw new LockkeeperError('invalid', '--as-of and --window belong to --snapshot', { hint });
  }
  const { scanVerb } = await import('./scan.ts');
  const { terminalApprovals, withDeps } = await import('./wire.ts');
  return withDeps(await configFile(), terminal, async (deps) => {
    return scanVerb({ detailedExitcode }, { ...deps, approvals: await terminalApprovals(deps, terminal) }, terminal);
  });
}
