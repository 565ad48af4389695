import { withholdText } from '../../shared/audit/entries/withhold.ts';
import type { LockkeeperError } from '../../shared/base/error.ts';
import { formatInstant } from '../../shared/base/time.ts';
import type { AdoptReport } from '../../shared/rotation/adopt.ts';
import { sessionLines } from '../../shared/rotation/decisions/sessions-left.ts';
import type { Rehearsal } from '../../shared/rotation/rehearse.ts';
import type { RotationReport } from '../../shared/rotation/run.ts';

/** What became of one credential. */
export interface Result {
  readonly ok: boolean;
  /** The credential was never adopted and nobody asked for more, so nothing was done. */
  readonly isIdle: boolean;
  readonly lines: readonly string[];
  /** What --output json prints of it. */
  readonly plain: object;
}

/** A run of one rotation, for people and as JSON; `given` is the reason of an emergency as it was typed. */
export function rotationResult(report: RotationReport, given: string | undefined): Result {
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

/** What a rotation would do. */
export function rehearsalResult(rehearsal: Rehearsal): Result {
  const lines = [
    `${rehearsal.credential}: ${rehearsal.wouldFinish ? 'would finish' : 'would not finish'}. Nothing was changed.`,
    ...rehearsal.steps.map((step, index) => `  ${index + 1}. ${indented(step, 5)}`),
    `  failed logins: ${rehearsal.failedLogins ?? 'not 0'}. ${indented(rehearsal.why, 4)}`,
    ...(rehearsal.begins === undefined ? [] : [`  by itself it begins later: ${rehearsal.begins}`]),
    ...(rehearsal.sessions.length === 0
      ? ['  nobody is logged in now']
      : sessionLines(rehearsal.sessions).map((line) => `  logged in now: ${line}`)),
  ];
  return { ok: rehearsal.wouldFinish, isIdle: false, lines, plain: rehearsal };
}

/** With `--sql` the statements are all that is wanted, so that there are some is no failure. */
export function adoptResult(report: AdoptReport, { sql }: { readonly sql?: boolean }): Result {
  if (sql && report.sql.length > 0) return { ok: true, isIdle: false, lines: report.sql, plain: report };
  const verdict = report.adopted
    ? [
        `${report.credential}: adopted. Nothing was changed. Its next rotation: ${report.begins ?? 'with the next run'}.`,
      ]
    : [
        `${report.credential}: not adopted. Nothing was changed. Fix this first:`,
        ...report.problems.map((problem) => `  - ${problem}`),
      ];
  const lines = [...verdict, ...report.risks.map((risk) => `  risk: ${indented(risk, 4)}`)];
  return { ok: report.adopted, isIdle: false, lines, plain: report };
}

/** What kept one credential of several from having a report. */
export function failedResult(credential: string, { code, message, hint }: LockkeeperError): Result {
  const help = hint === undefined ? [] : [`  what to do: ${indented(hint, 4)}`];
  return {
    ok: false,
    isIdle: false,
    lines: [`${credential}: failed: ${indented(message, 2)}`, ...help],
    plain: { credential, outcome: 'failed', error: { code, message, hint } },
  };
}

/** A credential that waits for the next run, and why. */
export function leftResult(credential: string, why: string): Result {
  return {
    ok: true,
    isIdle: false,
    lines: [`${credential}: left for the next run: ${why}`],
    plain: { credential, outcome: 'left', text: why },
  };
}
