import { rotatedCredential } from '../../shared/config/schema.ts';
import type { Slot } from '../../shared/services/contract.ts';
import type { LocalDeps } from '../local/deps-wire.ts';
import { accountAtTerminal, accountName } from './account.ts';
import type { Stream, Terminal } from './io.ts';
import { readValue } from './read-value.ts';
import type { SecretGetDeps } from './secret-get.ts';
import type { SecretImportDeps } from './secret-import.ts';
import type { SecretCredential } from './secret-place.ts';
import { whole } from './terminal.ts';
import { noticeText } from './wire.ts';

/** Every credential of the configuration; no service is asked yet. Notices go to stderr. */
export async function secretCredentials(deps: LocalDeps, terminal: Terminal): Promise<readonly SecretCredential[]> {
  const actor = accountName() ?? 'lockkeeper';
  const notify = async (notice: Parameters<typeof noticeText>[0]) => terminal.err(noticeText(notice));
  const all = new Map<string, SecretCredential['deps']>([
    ...(await deps.rotations({ notify, actor })),
    ...(await deps.reminders({ notify, actor })),
  ]);
  return deps.config.services.flatMap(({ name, credential }) => {
    const one = all.get(name);
    if (!one || !credential) return [];
    return [{ deps: { ...one, account: accountAtTerminal() }, slots: slotsOf(credential) }];
  });
}

/** What `secret import` needs. */
export async function secretImportDeps(deps: LocalDeps, terminal: Terminal): Promise<SecretImportDeps> {
  return {
    credentials: await secretCredentials(deps, terminal),
    input: (text) =>
      readValue(process.stdin, {
        text,
        show: whole(process.stderr, true),
        interrupt: () => process.kill(process.pid, 'SIGINT'),
        signal: terminal.signal,
      }),
  };
}

/** What `secret get` needs. */
export async function secretGetDeps(deps: LocalDeps, terminal: Terminal, stdout: Stream): Promise<SecretGetDeps> {
  const isScreen = process.stdout.isTTY;
  const write = whole(stdout, isScreen);
  return {
    credentials: await secretCredentials(deps, terminal),
    print: (value, about) => {
      const bare = typeof value === 'string' ? value : value.open();
      const text = about ? JSON.stringify({ ...about, text: bare }) : bare;
      write(text.endsWith('\n') ? text : `${text}\n`);
    },
    isScreen,
  };
}

/** Variables that hold what only lockkeeper itself logs in with: no command gets them. */
export function ownVariables({ config }: LocalDeps): readonly string[] {
  return config.services.flatMap((service) => {
    const { admin } = rotatedCredential(service) ?? {};
    return admin && 'password' in admin && admin.password.env !== undefined ? [admin.password.env] : [];
  });
}

/** What engines call `users`, or `user` where there is one. */
function slotsOf(credential: object): readonly Slot[] {
  const users: unknown = Reflect.get(credential, 'users') ?? [Reflect.get(credential, 'user')];
  return Array.isArray(users) ? users.filter((one) => typeof one === 'string') : [];
}
