import { withholdText } from '../../shared/audit/entries/withhold.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { formatInstant } from '../../shared/base/time.ts';
import { adopt, type AdoptReport } from '../../shared/rotation/adopt.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import { sessionLines } from '../../shared/rotation/decisions/sessions-left.ts';
import { rehearse, type Rehearsal } from '../../shared/rotation/rehearse.ts';
import type { ReminderDeps } from '../../shared/rotation/manual/manual-plan.ts';
import { rotate, type RotationReport } from '../../shared/rotation/run.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';
import { manualResult } from './rotate-manual.ts';

/** What wire.ts provides: one credential with its drivers, and what all of them share. */
export interface RotateDeps extends Pick<
  RotationDeps,
  'state' | 'audit' | 'world' | 'notify' | 'actor' | 'account' | 'fingerprintKey'
> {
  readonly credentials: readonly Pick<RotationDeps, 'plan' | 'service' | 'stores'>[];
  /** Credentials that people renew. */
  readonly manual?: readonly ReminderDeps[];
}

export interface RotateOptions {
  /** Begin before it is due. */
  readonly now?: boolean;
  /** Read only, and say what would happen. */
  readonly rehearse?: boolean;
  /** With now and a reason: the value is known to others. */
  readonly leaked?: boolean;
  readonly reason?: string;
  /** Every credential of the configuration. */
  readonly all?: boolean;
  /** Check only, and count the credential as lockkeeper's from now on. */
  readonly adopt?: boolean;
  /** With adopt: print the statements that are missing, and nothing else. */
  readonly sql?: boolean;
}

/**
 * `lockkeeper rotate [NAME…] [--all] [--now [--leaked --reason TEXT]] [--rehearse [--leaked]] [--adopt]`. Carries each
 * rotation on as far as it goes now. Exit code 1 where one is blocked or failed, or could not be adopted; 7 where there is
 * nothing to rotate, or nothing of it was adopted.
 */
export async function rotateVerb(
  names: readonly string[],
  options: RotateOptions,
  deps: RotateDeps,
  terminal: Terminal,
): Promise<ExitCode> {
  checkOptions(names, options);
  const chosen = choose(names, options, deps);
  if (chosen.length === 0) return nothingConfigured(terminal);
  const results: Result[] = [];
  for (const one of chosen) {
    if (terminal.signal.aborted) break;
    const result = 'service' in one ? await carryOut(depsOf(deps, one), options) : await manualResult(one, options);
    results.push(result);
    if (!terminal.json) for (const line of result.lines) terminal.out(line);
  }
  if (terminal.json) terminal.out(JSON.stringify({ rotations: results.map((result) => result.plain) }));
  if (results.length < chosen.length) return exitCode.interrupted;
  if (!results.every((result) => result.ok)) return exitCode.failed;
  return results.every((result) => result.isIdle) ? exitCode.nothing : exitCode.done;
}

function nothingConfigured(terminal: Terminal): ExitCode {
  if (terminal.json) terminal.out(JSON.stringify({ rotations: [] }));
  else
    terminal.err('No service in the configuration has a credential, so nothing was rotated. Add `credential` to one.');
  return exitCode.nothing;
}

interface Result {
  readonly ok: boolean;
  /** The credential was never adopted and nobody asked for more, so nothing was done. */
  readonly isIdle: boolean;
  readonly lines: readonly string[];
  /** What --output json prints of it. */
  readonly plain: object;
}

async function carryOut(deps: RotationDeps, options: RotateOptions): Promise<Result> {
  if (options.rehearse) return rehearsalResult(await rehearse(deps, { leaked: options.leaked ?? false }));
  if (options.adopt) return adoptResult(await adopt(deps), options);
  const leaked = options.leaked ? { reason: options.reason ?? '' } : undefined;
  const report = await rotate(deps, { now: options.now ?? false, ...(leaked && { leaked }) });
  return rotationResult(report, leaked?.reason);
}

function checkOptions(names: readonly string[], options: RotateOptions): void {
  const modes = [options.now && '--now', options.rehearse && '--rehearse', options.adopt && '--adopt'].filter(
    (mode) => typeof mode === 'string',
  );
  if (modes.length > 1)
    throw new LockkeeperError('invalid', `${modes.join(' and ')} exclude each other`, { hint: 'Choose one.' });
  if (options.leaked && !options.rehearse && !(options.now && options.reason?.trim())) {
    throw new LockkeeperError('invalid', '--leaked needs --now and --reason', {
      hint: `lockkeeper rotate ${names.join(' ') || 'NAME'} --now --leaked --reason "where it was found"; with --rehearse it only says what would happen.`,
    });
  }
  if (options.reason !== undefined && !options.leaked)
    throw new LockkeeperError('invalid', '--reason belongs to --leaked', { hint: 'Leave it out, or add --leaked.' });
  if (options.leaked && options.all)
    throw new LockkeeperError('invalid', '--leaked never means --all', { hint: 'Name the credentials that leaked.' });
  if (options.all && names.length > 0)
    throw new LockkeeperError('invalid', '--all and names exclude each other', { hint: 'Choose one.' });
  if (options.sql && !options.adopt)
    throw new LockkeeperError('invalid', '--sql belongs to --adopt', { hint: 'lockkeeper rotate NAME --adopt --sql' });
}

type Chosen = RotateDeps['credentials'][number] | ReminderDeps;

function choose(names: readonly string[], options: RotateOptions, deps: RotateDeps): readonly Chosen[] {
  const all: readonly Chosen[] = [...deps.credentials, ...(deps.manual ?? [])];
  const known = all.map((one) => one.plan.name);
  const list = known.length > 0 ? known.join(', ') : 'none; add a service with a credential to the configuration';
  if (options.all) return all;
  if (names.length === 0)
    throw new LockkeeperError('invalid', 'no credential was named', {
      hint: `Name one, or use --all. Known: ${list}.`,
    });
  return [...new Set(names)].map((name) => {
    const found = all.find((one) => one.plan.name === name);
    if (found) return found;
    throw new LockkeeperError('invalid', `no credential is called "${name}"`, { hint: `Known: ${list}.` });
  });
}

function depsOf(deps: RotateDeps, one: RotateDeps['credentials'][number]): RotationDeps {
  const { credentials: _credentials, manual: _manual, ...shared } = deps;
  return { ...shared, ...one };
}

function rotationResult(report: RotationReport, given: string | undefined): Result {
  const { error, ...plain } = report;
  const ok = report.outcome !== 'blocked' && report.outcome !== 'failed';
  const until = report.until === undefined ? undefined : formatInstant(report.until);
  const again = until === undefined || report.text.includes(until) ? [] : [`  again from ${until}`];
  const help = error?.hint === undefined ? [] : [`  what to do: ${error.hint}`];
  // Between two rotations there is no phase to tell.
  const phase = report.phase === undefined || report.phase === 'done' ? '' : ` (${report.phase})`;
  // What it stopped at is told already.
  const steps = report.steps.at(-1) === report.text ? report.steps.slice(0, -1) : report.steps;
  const lines = [
    `${report.credential}: ${report.outcome}${phase}: ${indented(report.text, 2)}`,
    ...report.emergency.map((order) => `  emergency, ordered by ${order}`),
    ...withheldReason(given),
    ...steps.map((step) => `  ${indented(step, 4)}`),
    ...sessionLines(report.sessions).map((line) => `  still logged in: ${line}`),
    ...again,
    ...help,
    ...unfinished(report),
  ];
  const told = error && { code: error.code, message: error.message, hint: error.hint };
  return {
    ok,
    isIdle: report.outcome === 'idle' && report.until === undefined,
    lines,
    plain: { ...plain, until, error: told },
  };
}

/** A text of several lines, with the second and all others set off. */
function indented(text: string, by: number): string {
  return text.replaceAll('\n', `\n${' '.repeat(by)}`);
}

/** Who gave the reason is told that the log has another one. */
function withheldReason(given: string | undefined): readonly string[] {
  if (given === undefined || withholdText(given) === given) return [];
  return [
    '  the reason looks like a secret, so it is neither kept nor told: say where it was found, without the value',
  ];
}

/** An order that failed stays: nobody has to give it again. */
function unfinished({ outcome, emergency, credential }: RotationReport): readonly string[] {
  if (emergency.length === 0 || (outcome !== 'failed' && outcome !== 'stopped')) return [];
  return [`  the emergency is not finished; every run goes on with it: lockkeeper rotate ${credential}`];
}

function rehearsalResult(rehearsal: Rehearsal): Result {
  const lines = [
    `${rehearsal.credential}: ${rehearsal.wouldFinish ? 'would finish' : 'would not finish'}. Nothing was changed.`,
    ...rehearsal.steps.map((step, index) => `  ${index + 1}. ${indented(step, 5)}`),
    `  failed logins: ${rehearsal.failedLogins ?? 'not 0'}. ${indented(rehearsal.why, 4)}`,
    ...(rehearsal.sessions.length === 0
      ? ['  nobody is logged in now']
      : sessionLines(rehearsal.sessions).map((line) => `  logged in now: ${line}`)),
  ];
  return { ok: rehearsal.wouldFinish, isIdle: false, lines, plain: rehearsal };
}

/** With `--sql` the statements are all that is wanted, so that there are some is no failure. */
function adoptResult(report: AdoptReport, { sql }: RotateOptions): Result {
  if (sql && report.sql.length > 0) return { ok: true, isIdle: false, lines: report.sql, plain: report };
  const verdict = report.adopted
    ? [`${report.credential}: adopted. Nothing was changed; its first rotation is due one interval from now.`]
    : [
        `${report.credential}: not adopted. Nothing was changed. Fix this first:`,
        ...report.problems.map((problem) => `  - ${problem}`),
      ];
  const lines = [...verdict, ...report.risks.map((risk) => `  risk: ${indented(risk, 4)}`)];
  return { ok: report.adopted, isIdle: false, lines, plain: report };
}
