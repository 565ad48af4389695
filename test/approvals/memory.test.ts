import type { Heard, RawMessage } from '../../shared/approvals/contract.ts';
import { MemoryBoard, memoryApprovals } from '../../shared/approvals/memory.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { formatInstant } from '../../shared/base/time.ts';
import { approvalsConformance, hash } from '../conformance/approvals.ts';

const token = (who: string) => `${who}-secret-token`;

approvalsConformance({
  name: 'approvals/memory',
  fresh: async () => {
    const board = new MemoryBoard();
    const tokens = new Map(['ann', 'ben'].map((who) => [who, new Sealed(token(who))]));
    return {
      approvals: memoryApprovals(tokens, board),
      seen: async () => JSON.stringify([[...board.questions.values()], board.notices]),
      pings: () => board.pings,
      press: async (who, answer) => message(who, token(who), form(answer)),
      forgeries: async () => {
        const yes = form({ hash: hash('a'), answer: 'approve', why: '', until: undefined });
        return new Map([
          ['no token', message('ann', undefined, yes)],
          ['another’s token', message('ann', token('ben'), yes)],
          ['an unknown name', message('mallory', token('ann'), yes)],
        ]);
      },
      nonsense: async () =>
        new Map([
          ['no hash', message('ann', token('ann'), 'answer=approve')],
          ['no answer', message('ann', token('ann'), `hash=${hash('a')}`)],
        ]),
      secrets: [token('ann'), token('ben')],
      end: async () => {},
    };
  },
});

function form({ hash: about, answer, why, until }: Omit<Heard, 'who'>): string {
  return new URLSearchParams({
    hash: about,
    answer,
    why,
    until: until === undefined ? '' : formatInstant(until),
  }).toString();
}

function message(who: string, proof: string | undefined, body: string): RawMessage {
  return { headers: { 'x-who': who, 'x-token': proof }, body: Buffer.from(body) };
}
