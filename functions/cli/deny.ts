import { LockkeeperError } from '../../shared/base/error.ts';
import { answerQuestion, untilOf, type AnswerOptions, type AnswerDeps } from './answer.ts';
import type { ExitCode, Terminal } from './io.ts';

export interface DenyOptions extends AnswerOptions {
  /** Ask again then: `--snooze TIME`. */
  readonly snooze?: string | undefined;
  /** Leave the opening alone until then: `--exempt TIME`. */
  readonly exempt?: string | undefined;
}

/** `lockkeeper deny HASH --reason WHY [--snooze TIME | --exempt TIME] [--as NAME]`: it stays open. */
export async function denyVerb(
  hash: string,
  options: DenyOptions,
  deps: AnswerDeps,
  terminal: Terminal,
): Promise<ExitCode> {
  const { snooze, exempt, ...who } = options;
  if (snooze !== undefined && exempt !== undefined) {
    throw new LockkeeperError('invalid', 'an answer is either a snooze or an exemption', {
      hint: 'Give --snooze TIME or --exempt TIME.',
    });
  }
  if (snooze !== undefined)
    return answerQuestion({ ...who, hash, answer: 'snooze', until: untilOf(snooze) }, deps, terminal);
  if (exempt !== undefined)
    return answerQuestion({ ...who, hash, answer: 'exempt', until: untilOf(exempt) }, deps, terminal);
  return answerQuestion({ ...who, hash, answer: 'deny', until: undefined }, deps, terminal);
}
