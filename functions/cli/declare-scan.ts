import type { Command } from 'commander';
import { LockkeeperError } from '../../shared/base/error.ts';
import { runs } from './call.ts';
import type { Frame } from './frame.ts';

interface ScanWords {
  readonly snapshot?: string;
  readonly asOf?: string;
  readonly window?: string;
}

/** `lockkeeper scan [--snapshot DIR]`. */
export function declareScan(scan: Command, frame: Frame): void {
  scan
    .option('--snapshot <directory>', 'judge an AWS account from what the AWS CLI printed there, without credentials')
    .option('--as-of <time>', 'with --snapshot: the time of judgement, as 2026-11-22T00:00:00Z (default: now)')
    .option('--window <duration>', 'with --snapshot: how far back usage is judged (default: 30d)');
  runs(scan, frame, async ({ terminal, world }) => {
    const { snapshot, ...options } = scan.opts<ScanWords>();
    if (snapshot === undefined) throw noSnapshot();
    const { scanSnapshotVerb } = await import('./scan-snapshot.ts');
    const { snapshotRooms } = await import('./snapshot-wire.ts');
    return scanSnapshotVerb(snapshot, options, snapshotRooms(await world()), terminal);
  });
}

function noSnapshot(): LockkeeperError {
  return new LockkeeperError('invalid', 'nothing says what to scan', { hint: 'Give --snapshot DIR.' });
}
