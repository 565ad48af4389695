import { hostname, userInfo } from 'node:os';
import { systemCode } from '../local/system-code.ts';

/** The name of the account at this machine; undefined where it has none, as containers under a number of their own. */
export function accountName(ask: () => { readonly username: string } = userInfo): string | undefined {
  try {
    const { username } = ask();
    return username === '' ? undefined : username;
  } catch (thrown) {
    if (systemCode(thrown) === 'ERR_SYSTEM_ERROR') return undefined;
    throw thrown;
  }
}

/**
 * Who is at this terminal whatever name is given with --as: the account as the machine knows it, its number where it
 * has no name, and the machine.
 */
export function accountAtTerminal(ask?: () => { readonly username: string }): string {
  return `${accountName(ask) ?? process.getuid?.() ?? 'unknown'}@${hostname()}`;
}
