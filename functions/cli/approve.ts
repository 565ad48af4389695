import { answerQuestion, type AnswerOptions, type AnswerDeps } from './answer.ts';
import type { ExitCode, Terminal } from './io.ts';

/** `lockkeeper approve HASH [--as NAME] [--reason WHY]`: agrees to close what the question with this hash shows. */
export async function approveVerb(
  hash: string,
  options: AnswerOptions,
  deps: AnswerDeps,
  terminal: Terminal,
): Promise<ExitCode> {
  return answerQuestion({ ...options, hash, answer: 'approve', until: undefined }, deps, terminal);
}
