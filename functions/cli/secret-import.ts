import { LockkeeperError } from '../../shared/base/error.ts';
import type { Sealed } from '../../shared/base/sealed.ts';
import { importLogin } from '../../shared/rotation/import.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';
import { credentialCalled, type SecretCredential } from './secret-place.ts';

export interface SecretImportOptions {
  /** The user that consumers log in with now. */
  readonly user: string;
  /** Only so that it can be refused: others on this machine see command lines, and the shell keeps them. */
  readonly password?: string | true;
}

/** What secret-wire.ts provides. */
export interface SecretImportDeps {
  readonly credentials: readonly SecretCredential[];
  /** What is on stdin, or what a person types at a prompt that shows nothing; without the line end. */
  readonly input: (prompt: string) => Promise<Sealed>;
}

/** Refuses a password among the words, before anything is asked or opened. */
export function refusePassword({ password }: SecretImportOptions): void {
  if (password === undefined) return;
  throw new LockkeeperError('invalid', 'a password on the command line is not taken', {
    hint: 'Others on this machine can see it there, and the shell keeps it. Leave --password out, and type it when asked or pipe it: lockkeeper secret import NAME --user USER < FILE. Count one that was typed there as known to others.',
  });
}

/**
 * `lockkeeper secret import NAME --user USER`: puts the login that consumers use today into every store that holds
 * nothing yet, after the service accepted it. Changes no password. Repeatable.
 */
export async function secretImportVerb(
  name: string,
  { user }: SecretImportOptions,
  deps: SecretImportDeps,
  terminal: Terminal,
): Promise<ExitCode> {
  const credential = credentialCalled(name, deps.credentials);
  const value = await deps.input(`Password of ${user}, which is not shown: `);
  const imported = await importLogin(credential.deps, { slot: user, value });
  if (terminal.json) {
    terminal.out(JSON.stringify({ name, user, imported }));
    return exitCode.done;
  }
  const places = imported.map(({ store, secret }) => `${store}/${secret}`).join(', ');
  if (imported.length === 0) terminal.out(`${name}: every store hands out this login of ${user} already.`);
  else terminal.out(`${name}: the login of ${user} works, and is now in ${places}. No password was changed.`);
  return exitCode.done;
}
