import { LockkeeperError } from '../base/error.ts';
import { Sealed } from '../base/sealed.ts';
import type { Approvals, Notice, Question } from './contract.ts';
import { readAnswerForm } from './page/answer-form.ts';

/** Where the questions of several handles are shown, as a channel is. */
export class MemoryBoard {
  readonly questions = new Map<string, Question>();
  readonly notices: Notice[] = [];
  /** How often somebody was pinged. */
  pings = 0;
}

/**
 * Approvals in this process; gone with it. A message is the page's form with `x-who` and `x-token` headers, the token
 * being that person's in `tokens`.
 */
export function memoryApprovals(tokens: ReadonlyMap<string, Sealed>, board = new MemoryBoard()): Approvals {
  return {
    async ask(question) {
      if (board.questions.has(question.hash)) return;
      board.questions.set(question.hash, question);
      board.pings += 1;
    },
    async notify(notice) {
      board.notices.push(notice);
    },
    async hear({ headers, body }) {
      const who = headers['x-who'] ?? '';
      const token = tokens.get(who);
      if (token === undefined || !token.equals(new Sealed(headers['x-token'] ?? ''))) {
        throw new LockkeeperError('denied', `an answer of ${JSON.stringify(who)} was refused: the token is not theirs`);
      }
      return readAnswerForm(body, who);
    },
  };
}
