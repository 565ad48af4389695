import { LockkeeperError } from '../../shared/base/error.ts';
import type { Sealed } from '../../shared/base/sealed.ts';
import { importLogin } from '../../shared/rotation/import.ts';
import type { ReminderDeps } from '../../shared/rotation/manual/manual-plan.ts';
import { renewValue } from '../../shared/rotation/manual/renew-value.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';
import { credentialCalled, isManual, type SecretCredential } from './secret-place.ts';

export interface SecretImportOptions {
  /** The user that consumers log in with now; needed where lockkeeper rotates the credential. */
  readonly user?: string;
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
 * nothing yet, after the service accepted it. Changes no password. Repeatable. Of a credential that people renew it
 * puts the new value into every store, over the one before.
 */
export async function secretImportVerb(
  name: string,
  { user }: SecretImportOptions,
  deps: SecretImportDeps,
  terminal: Terminal,
): Promise<ExitCode> {
  const { deps: one } = credentialCalled(name, deps.credentials);
  if (isManual(one)) return await importManual(one, { user, ask: deps.input, terminal });
  if (user === undefined)
    throw new LockkeeperError('invalid', 'it is not known whose password it is', {
      hint: `lockkeeper secret import ${name} --user USER`,
    });
  const value = await deps.input(`Password of ${user}, which is not shown: `);
  const imported = await importLogin(one, { slot: user, value });
  if (terminal.json) {
    terminal.out(JSON.stringify({ name, user, imported }));
    return exitCode.done;
  }
  const places = imported.map(({ store, secret }) => `${store}/${secret}`).join(', ');
  if (imported.length === 0) terminal.out(`${name}: every store hands out this login of ${user} already.`);
  else terminal.out(`${name}: the login of ${user} works, and is now in ${places}. No password was changed.`);
  return exitCode.done;
}

/** Nothing can try the value, so what was there before stays in the store as its previous version. */
async function importManual(
  deps: ReminderDeps,
  by: {
    readonly user: string | undefined;
    readonly ask: SecretImportDeps['input'];
    readonly terminal: Terminal;
  },
): Promise<ExitCode> {
  const { name } = deps.plan;
  const text = await by.ask(`New value of ${name}, or the whole text, which is not shown: `);
  const imported = await renewValue(deps, { text, user: by.user });
  const places = imported.map(({ store, secret }) => `${store}/${secret}`).join(', ');
  if (by.terminal.json) by.terminal.out(JSON.stringify({ name, user: by.user, imported }));
  else if (imported.length === 0) by.terminal.out(`${name}: every store hands out this value already.`);
  else by.terminal.out(`${name}: the new value is now in ${places}. Nobody has tried it.`);
  return exitCode.done;
}
