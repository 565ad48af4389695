import { formatInstant } from '../../shared/base/time.ts';
import { checkDrift, type DriftReport } from '../../shared/rotation/drift/check.ts';
import type { Finding } from '../../shared/rotation/drift/finding.ts';
import type { KnownFinding } from '../../shared/rotation/drift/record.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';
import { chosenCredentials } from './rotate-choice.ts';
import type { RotateDeps } from './rotate.ts';

export interface DriftOptions {
  /** Also credentials that were never adopted. */
  readonly all?: boolean;
}

/**
 * `lockkeeper drift [NAME…] [--all]`: compares journal, stores and service, and changes nothing of them. Without names
 * every adopted credential. Exit code 1 where something differs or could not be checked; 7 where there is nothing to
 * check.
 */
export async function driftVerb(
  names: readonly string[],
  options: DriftOptions,
  deps: RotateDeps,
  terminal: Terminal,
): Promise<ExitCode> {
  const isChosen = names.length > 0 || options.all === true;
  const chosen = isChosen ? chosenCredentials(names, options, deps.credentials) : deps.credentials;
  const reports: DriftReport[] = [];
  for (const one of chosen) {
    if (terminal.signal.aborted) break;
    const found = await checkDrift(depsOf(deps, one), { onlyAdopted: !isChosen });
    if (found.outcome === 'idle') continue;
    reports.push(found);
    if (!terminal.json) for (const line of linesOf(found)) terminal.out(line);
  }
  if (terminal.json) terminal.out(JSON.stringify({ credentials: reports.map(plainOf) }));
  if (terminal.signal.aborted) return exitCode.interrupted;
  if (reports.length === 0) return nothingToCheck(terminal);
  return reports.every(({ outcome }) => outcome === 'agrees') ? exitCode.done : exitCode.failed;
}

function nothingToCheck(terminal: Terminal): ExitCode {
  if (!terminal.json)
    terminal.err(
      'No credential was adopted, so nothing was checked. Take one over with `lockkeeper rotate NAME --adopt`.',
    );
  return exitCode.nothing;
}

function depsOf(deps: RotateDeps, one: RotateDeps['credentials'][number]): RotationDeps {
  const { credentials: _credentials, manual: _manual, ...shared } = deps;
  return { ...shared, ...one };
}

function linesOf(report: DriftReport): readonly string[] {
  const { credential, outcome, text, findings, fresh, open, over, error } = report;
  return [
    `${credential}: ${outcome}: ${indented(text)}`,
    ...(error?.hint === undefined ? [] : [`  what to do: ${indented(error.hint)}`]),
    ...findings.flatMap((one) => findingLines(one, fresh.includes(one.id))),
    ...open.flatMap(openLines),
    ...over.map(({ id, what }) => `  over: ${id}: ${indented(what)}`),
  ];
}

function findingLines({ id, what, todo }: Finding, isNew: boolean): readonly string[] {
  return [`  ${isNew ? 'new: ' : ''}${id}: ${indented(what)}`, `    what to do: ${indented(todo)}`];
}

function openLines({ id, what, since }: KnownFinding): readonly string[] {
  return [`  not looked into this time: ${id} (found ${formatInstant(since)}): ${indented(what)}`];
}

function indented(text: string): string {
  return text.replaceAll('\n', '\n      ');
}

function plainOf({ error, open, over, ...same }: DriftReport) {
  const told = error && { code: error.code, message: error.message, hint: error.hint };
  return { ...same, open: open.map(plainKnown), over: over.map(plainKnown), error: told };
}

function plainKnown({ id, what, since }: KnownFinding) {
  return { id, what, since: formatInstant(since) };
}
