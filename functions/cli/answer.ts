import type { Answer, Heard } from '../../shared/approvals/contract.ts';
import { hasCode, LockkeeperError } from '../../shared/base/error.ts';
import { after, day, parseInstant, type Instant } from '../../shared/base/time.ts';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import type { ClosingDeps } from '../../shared/idle-ports/closing/closing-deps.ts';
import { ClosureJournal } from '../../shared/idle-ports/closing/closure-journal.ts';
import type { Refusal, Ruling } from '../../shared/idle-ports/closing/decision.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';

/** What wire.ts provides to `approve`, `deny` and `reopen`. */
export interface AnswerDeps {
  readonly closing: ClosingDeps;
  /** Who sits at this terminal, as the configuration names people; undefined where it cannot be known. */
  readonly whoami: string | undefined;
}

export interface AnswerOptions {
  /** Who answers; `--as NAME`. Defaults to whoami. */
  readonly as?: string | undefined;
  readonly reason?: string | undefined;
}

/** One answer as the command line has it. */
export interface Said extends AnswerOptions {
  /** Hash of the question, or at least its first 6 digits. */
  readonly hash: string;
  readonly answer: Answer;
  readonly until: Instant | undefined;
}

/**
 * Answers the question whose hash begins so, and prints what became of it. Exit codes: 0 counted (or said before), 3
 * the person may not, 4 too late, 5 another question took its place, 1 everything else. Repeatable.
 */
export async function answerQuestion(said: Said, deps: AnswerDeps, terminal: Terminal): Promise<ExitCode> {
  const who = personOf(said, deps);
  try {
    const { closure } = await new ClosureJournal(deps.closing.state).find(said.hash);
    const heard: Heard = { hash: closure.hash, answer: said.answer, who, why: said.reason ?? '', until: said.until };
    return print({ ...heard, opening: closure.opening }, await takeAnswer(deps.closing, heard), terminal);
  } catch (thrown) {
    if (!hasCode(thrown, 'conflict') || said.answer === 'reopen') throw thrown;
    terminal.err(`${thrown.message}. ${thrown.hint ?? ''}`);
    return exitCode.drifted;
  }
}

/** Who answers: `--as`, or who sits here; `invalid` where neither is known. */
export function personOf(said: AnswerOptions, deps: AnswerDeps): string {
  const who = said.as ?? deps.whoami;
  if (who !== undefined && who !== '') return who;
  throw new LockkeeperError('invalid', 'it is not known who answers', {
    hint: 'Say so: --as NAME, one of the approvers in the configuration.',
  });
}

/** The time of an option: RFC 3339, or a date, which means the end of that day in UTC. */
export function untilOf(text: string): Instant {
  return /^\d{4}-\d\d-\d\d$/.test(text) ? after(parseInstant(`${text}T00:00:00Z`), day) : parseInstant(text);
}

function print(heard: Heard & { readonly opening: string }, ruling: Ruling, terminal: Terminal): ExitCode {
  const { hash, opening, answer, who } = heard;
  const why = ruling.kind === 'refused' ? ruling.why : null;
  if (terminal.json)
    terminal.out(JSON.stringify({ hash, opening, answer, who, outcome: ruling.kind, why, text: ruling.text }));
  else if (ruling.kind === 'refused') terminal.err(`Not counted: ${ruling.text}.`);
  else terminal.out(`${ruling.text}.`);
  return ruling.kind === 'refused' ? exitCodes[ruling.why] : exitCode.done;
}

const exitCodes: Readonly<Record<Refusal, ExitCode>> = {
  'not-asked': exitCode.denied,
  own: exitCode.denied,
  late: exitCode.expired,
  superseded: exitCode.drifted,
  decided: exitCode.failed,
  incomplete: exitCode.failed,
};
