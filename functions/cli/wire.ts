import type { Notice } from '../../shared/approvals/contract.ts';
import { systemWorld } from '../../shared/base/world.ts';
import { loadConfig } from '../../shared/config/load.ts';
import type { ConfigFile } from '../../shared/config/read-text.ts';
import { localDeps, type LocalDeps } from '../local/deps-wire.ts';
import { accountAtTerminal, accountName } from './account.ts';
import type { AnswerDeps } from './answer.ts';
import type { ExitCode, Terminal } from './io.ts';
import type { RotateDeps } from './rotate.ts';

/** The dependencies of the configuration in `file`, for one command; `work` ends them whatever becomes of it. */
export async function withDeps(
  file: ConfigFile,
  terminal: Terminal,
  work: (deps: LocalDeps) => Promise<ExitCode>,
): Promise<ExitCode> {
  const deps = localDeps({
    loaded: await loadConfig(file),
    world: systemWorld(),
    environment: process.env,
    run: 'cli',
    warn: (text) => terminal.err(`warning: ${text}`),
  });
  try {
    return await work(deps);
  } finally {
    await deps.close();
  }
}

/** What `rotate` needs. Notices go to stderr. */
export async function rotateDeps(deps: LocalDeps, terminal: Terminal): Promise<RotateDeps> {
  const notify: RotateDeps['notify'] = async (notice) => terminal.err(noticeText(notice));
  const actor = accountName() ?? 'lockkeeper';
  const credentials = [...(await deps.rotations({ notify, actor })).values()];
  const account = accountAtTerminal();
  const manual = [...(await deps.reminders({ notify, actor })).values()].map((one) => ({ ...one, account }));
  return {
    credentials,
    manual,
    state: (await deps.stores()).state,
    audit: await deps.audit(),
    world: deps.world,
    notify,
    actor,
    account,
  };
}

/** What `approve`, `deny` and `reopen` need. */
export async function answerDeps(deps: LocalDeps, terminal: Terminal): Promise<AnswerDeps> {
  const closing = await deps.closing(await terminalApprovals(deps, terminal));
  return { closing: { ...closing, account: accountAtTerminal() }, whoami: accountName() };
}

/**
 * People are asked on the page of `lockkeeper serve`, which reads the state store; notices of this run go to stderr.
 */
export async function terminalApprovals(deps: LocalDeps, terminal: Terminal) {
  const { localPage } = await import('../../shared/approvals/local-page.ts');
  const page = localPage({ people: [], origin: 'http://127.0.0.1', world: deps.world });
  return {
    ...page,
    notify: async (notice: Notice) => terminal.err(noticeText(notice)),
  };
}

/** A notice as lines; what others wrote into it begins no line of its own. */
export function noticeText({ level, text }: Notice): string {
  return `${level}: ${text.replaceAll('\n', '\n    ')}`;
}
