import type { RunLog } from '../../shared/audit/log.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';
import { visible } from '../../shared/base/visible.ts';

/**
 * `lockkeeper audit seal`: puts what waits into the tree, signs and publishes it, as every run does at its end. Exit
 * code 1 where something in the inbox was refused, or a witness or an anchor did not take the checkpoint. JSON: the
 * SealReport. Repeatable.
 */
export async function auditSealVerb(
  { audit }: { readonly audit: () => Promise<RunLog> },
  terminal: Terminal,
): Promise<ExitCode> {
  const report = await (await audit()).seal();
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
