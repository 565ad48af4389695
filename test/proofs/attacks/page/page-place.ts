import type { Heard } from '../../../../shared/approvals/contract.ts';
import { localPage, type LocalPage } from '../../../../shared/approvals/local-page.ts';
import { after, instant } from '../../../../shared/base/time.ts';
import { systemWorld } from '../../../../shared/base/world.ts';
import { openPageServer } from '../../../../functions/local/page-server.ts';

/** The approvals page as `serve` serves it, with one question to ada and ben. */
export interface PagePlace {
  readonly origin: string;
  readonly page: LocalPage;
  /** Every answer that was taken. */
  readonly heard: readonly Heard[];
  /** Lets time pass for links and sessions. */
  pass(ms: number): void;
  end(): Promise<void>;
}

export const questionHash = 'ab'.repeat(32);

/** Opens it on a free port. */
export async function pagePlace(): Promise<PagePlace> {
  const server = await openPageServer(0);
  const real = systemWorld();
  let passed = 0;
  const world = { ...real, now: () => instant(real.now() + passed) };
  const page = localPage({ people: ['ada', 'ben'], origin: server.origin, world });
  const heard: Heard[] = [];
  const question = {
    hash: questionHash,
    title: 'Close orders-db?',
    facts: [{ label: 'Rule', text: 'tcp 5432 from 10.0.0.0/8' }],
    owner: 'olga',
    needed: 1,
    approvers: ['ada', 'ben'],
    expires: after(world.now(), 1e10),
  };
  server.serve({
    authorise: (request) => page.authorise(request),
    outside: (message) => page.outside(message, () => undefined),
    signOut: (message) => page.signOut(message),
    hear: (message) => page.hear(message),
    answer: async (one) => {
      heard.push(one);
      return 'taken';
    },
    show: async (who) =>
      page.html({
        who,
        now: world.now(),
        questions: [{ question, approvedBy: [] }],
        closures: [],
        notices: [],
      }),
  });
  return {
    origin: server.origin,
    page,
    heard,
    pass: (ms) => (passed += ms),
    end: () => server.close(),
  };
}
