import type { RunLog } from '../../shared/audit/log.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { admit } from './audit-admit.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';
import { visible } from '../../shared/base/visible.ts';

/** What sealing takes. */
export interface SealDeps {
  readonly audit: () => Promise<RunLog>;
  readonly stores: () => Promise<{ readonly log: ObjectStore }>;
  readonly account: string;
}

/**
 * `lockkeeper audit seal`: puts what waits into the tree, signs and publishes it, as every run does at its end. Exit
 * code 1 where something in the inbox was refused, or a witness or an anchor did not take the checkpoint. JSON: the
 * SealReport. `names`: batches without a valid proof that the person at the terminal vouches for. Repeatable.
 */
export async function auditSealVerb(
  { audit, stores, account, names = [] }: SealDeps & { readonly names?: readonly string[] | undefined },
  terminal: Terminal,
): Promise<ExitCode> {
  const run = await audit();
  const admitted =
    names.length === 0 ? undefined : await admit(names, { audit: run, log: (await stores()).log, account });
  const report = await run.seal(admitted && { admitted });
  const wrong = [...report.refused.map(({ key, why }) => `${key} stays outside: it ${why}`), ...report.problems];
  if (terminal.json) {
    terminal.out(JSON.stringify({ ...report, root: report.root ?? null }));
  } else {
    terminal.out(
      report.root === undefined
        ? 'nothing was logged yet'
        : `${report.size} ${report.size === 1 ? 'entry' : 'entries'} sealed, root ${report.root}`,
    );
    for (const line of wrong) terminal.err(visible(line));
  }
  return wrong.length === 0 ? exitCode.done : exitCode.failed;
}
