import type { Approvals } from '../../shared/approvals/contract.ts';
import { scanAll, type Done, type Scanned } from '../local/jobs.ts';
import type { LocalDeps } from '../local/deps-wire.ts';
import { problemText } from './collect.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';
import { judgedJson, printVerdicts } from './print-verdicts.ts';

export interface ScanOptions {
  /** Exit code 2 where questions wait for people or something cannot be told. */
  readonly detailedExitcode?: boolean | undefined;
}

/**
 * `lockkeeper scan`: judges every opening of every configured network by what was collected, prints the verdicts, and
 * asks people about what is unused. The same evidence again asks nothing new. Exit code 1 where an opening could not be
 * handled.
 */
export async function scanVerb(
  options: ScanOptions,
  deps: LocalDeps & { readonly approvals: Approvals },
  terminal: Terminal,
): Promise<ExitCode> {
  const { done: scanned, problems } = await scanAll(deps, deps.approvals);
  if (terminal.json) terminal.out(JSON.stringify({ networks: scanned.map(networkJson) }));
  else for (const { name, report } of scanned) printNetwork(name, report, terminal);
  for (const problem of problems) terminal.err(problemText(problem));
  if (problems.length > 0) return exitCode.failed;
  const isSettled = scanned.every(
    ({ report }) =>
      report.steps.length === 0 && report.judged.judgement.verdicts.every(({ verdict }) => verdict !== 'cannot-tell'),
  );
  return options.detailedExitcode && !isSettled ? exitCode.changes : exitCode.done;
}

function printNetwork(name: string, { judged, steps }: Scanned, terminal: Terminal): void {
  const { window, verdicts } = judged.judgement;
  terminal.out(`network ${name}`);
  printVerdicts({ asOf: judged.asOf, window, verdicts, damaged: judged.evidence.damaged }, terminal);
  for (const { opening, outcome, hash, text } of steps) {
    terminal.out(`${opening}: ${outcome}${text === '' ? '' : ` (${text})`}`);
    if (outcome === 'asked' || outcome === 'kept') terminal.out(`  lockkeeper approve ${hash.slice(0, 12)} --as NAME`);
  }
}

function networkJson({ name, report }: Done<Scanned>) {
  const { judged, steps, unfinished } = report;
  const { window, verdicts } = judged.judgement;
  return {
    network: name,
    ...judgedJson({ asOf: judged.asOf, window, verdicts, damaged: judged.evidence.damaged }),
    steps,
    unfinished,
  };
}
