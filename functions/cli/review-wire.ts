import type { LocalDeps } from '../local/deps-wire.ts';
import { accountAtTerminal, accountName } from './account.ts';
import type { Terminal } from './io.ts';
import type { ReviewVerbDeps } from './review.ts';
import { noticeText } from './wire.ts';

/** What `review list` and `review sign` need; no service and no secret store is opened. Notices go to stderr. */
export async function reviewDeps(deps: LocalDeps, terminal: Terminal): Promise<ReviewVerbDeps> {
  const { services, approvals } = deps.config;
  return {
    state: (await deps.stores()).state,
    audit: await deps.audit(),
    world: deps.world,
    said: await deps.recent(['rotation']),
    approvers: (credential) =>
      services.find(({ name }) => name === credential)?.approvers ?? approvals?.approvers ?? [],
    notify: async (notice) => terminal.err(noticeText(notice)),
    account: accountAtTerminal(),
    whoami: accountName(),
  };
}
