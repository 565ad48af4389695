import { systemWorld } from '../../shared/base/world.ts';
import { loadConfig } from '../../shared/config/load.ts';
import { localRooms, type LocalRooms } from '../local/rooms-wire.ts';
import { accountAtTerminal, accountName } from './account.ts';
import type { AnswerRooms } from './answer.ts';
import type { ExitCode, Terminal } from './io.ts';
import type { RotateRooms } from './rotate.ts';

/** The rooms of the configuration in `file`, for one command; `work` ends them whatever becomes of it. */
export async function withRooms(file: string, work: (rooms: LocalRooms) => Promise<ExitCode>): Promise<ExitCode> {
  const rooms = localRooms({
    loaded: await loadConfig(file),
    world: systemWorld(),
    environment: process.env,
    run: 'cli',
  });
  try {
    return await work(rooms);
  } finally {
    await rooms.close();
  }
}

/** What `rotate` needs. Notices go to stderr. */
export async function rotateRooms(rooms: LocalRooms, terminal: Terminal): Promise<RotateRooms> {
  const tell: RotateRooms['tell'] = async ({ level, text }) => terminal.err(`${level}: ${text}`);
  const actor = accountName() ?? 'lockkeeper';
  const credentials = [...(await rooms.rotations({ tell, actor })).values()];
  return {
    credentials,
    state: (await rooms.stores()).state,
    audit: await rooms.audit(),
    world: rooms.world,
    tell,
    actor,
    account: accountAtTerminal(),
  };
}

/** What `approve`, `deny` and `reopen` need. */
export async function answerRooms(rooms: LocalRooms, terminal: Terminal): Promise<AnswerRooms> {
  const closing = await rooms.closing(await terminalApprovals(rooms, terminal));
  return { closing: { ...closing, account: accountAtTerminal() }, whoami: accountName() };
}

/**
 * People are asked on the page of `lockkeeper serve`, which reads the state store; notices of this run go to stderr.
 */
export async function terminalApprovals(rooms: LocalRooms, terminal: Terminal) {
  const { localPage } = await import('../../shared/approvals/local-page.ts');
  const page = localPage({ tokens: new Map(), origin: 'http://127.0.0.1', world: rooms.world });
  return {
    ...page,
    tell: async (notice: { readonly level: string; readonly text: string }) =>
      terminal.err(`${notice.level}: ${notice.text}`),
  };
}
