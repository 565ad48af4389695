import { basename } from 'node:path';
import { toldText } from '../../shared/audit/entries/withhold.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import type { Sealed } from '../../shared/base/sealed.ts';
import type { Terminal } from './io.ts';
import { loginVariables } from './login-variables.ts';
import {
  credentialCalled,
  handedOut,
  isManual,
  recordRead,
  type HandedOut,
  type SecretCredential,
} from './secret-place.ts';

/** What a person wants to run, and with which login. */
export interface SecretExecWords {
  readonly name: string;
  /** The program and its arguments; at least the program. */
  readonly command: readonly [string, ...string[]];
}

/** `NAME -- COMMAND ARGS…` out of all words of the command line; `invalid` where it is anything else. */
export function execWords(words: readonly string[], argv: readonly string[]): SecretExecWords {
  const [program, ...args] = argv.includes('--') ? argv.slice(argv.indexOf('--') + 1) : [];
  const [name, ...others] = words.slice(0, words.length - args.length - 1);
  if (program !== undefined && name !== undefined && others.length === 0) return { name, command: [program, ...args] };
  throw new LockkeeperError('invalid', 'secret exec needs a name, and a command after --', {
    hint: 'lockkeeper secret exec NAME -- COMMAND ARGS…',
  });
}

/**
 * The variables with which `lockkeeper secret exec` runs its command. Who was given the login, and for which program,
 * is in the log on return; the program's arguments are not, for they may hold anything.
 */
export async function execVariables(
  { name, command: [program] }: SecretExecWords,
  credentials: readonly SecretCredential[],
  terminal: Terminal,
): Promise<ReadonlyMap<string, Sealed | undefined>> {
  const credential = credentialCalled(name, credentials);
  const found = await handedOut(credential, (text) => terminal.err(`warning: ${text}`));
  const variables = variablesOf(credential.deps, found);
  await recordRead(credential, found, { how: 'exec', program: toldText(basename(program)) });
  return variables;
}

/** No client expects the value of a manual credential under some name: it gets that of the service, in capitals. */
function variablesOf(
  deps: SecretCredential['deps'],
  { text, login }: HandedOut,
): ReadonlyMap<string, Sealed | undefined> {
  if (!isManual(deps) && login) return loginVariables(deps.plan.address, login);
  const name = deps.plan.name
    .toUpperCase()
    .replaceAll('-', '_')
    .replace(/^(?=\d)/, '_');
  return new Map([[name, login?.value ?? text]]);
}
