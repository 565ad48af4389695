import { Option, type Command } from 'commander';
import type { Sealed } from '../../shared/base/sealed.ts';
import { runs } from './call.ts';
import type { Frame } from './frame.ts';
import { exitCode } from './io.ts';
import type { SecretGetOptions } from './secret-get.ts';
import type { SecretImportOptions } from './secret-import.ts';

/** `lockkeeper secret import | get | exec | list`. */
export function declareSecret(secret: Command, frame: Frame): void {
  declareImport(secret.command('import'), frame);
  declareGet(secret.command('get'), frame);
  declareExec(secret.command('exec'), frame);
  declareList(secret.command('list'), frame);
}

function declareImport(command: Command, frame: Frame): void {
  command
    .description(
      'put the login that consumers use today into the stores that hold none, or the new value of a manual credential into all; it comes from stdin or a prompt',
    )
    .argument('<name>', 'the service whose login it is')
    .option('--user <user>', 'the user that consumers log in with now; a manual credential needs none')
    .addOption(new Option('--password [password]').hideHelp());
  runs(command, frame, async ({ configFile, terminal, words: [name = ''] }) => {
    const { refusePassword, secretImportVerb } = await import('./secret-import.ts');
    const { secretImportDeps } = await import('./secret-wire.ts');
    const { withDeps } = await import('./wire.ts');
    const options = command.opts<SecretImportOptions>();
    refusePassword(options);
    return withDeps(await configFile(), terminal, async (deps) =>
      secretImportVerb(name, options, await secretImportDeps(deps, terminal), terminal),
    );
  });
}

function declareGet(command: Command, frame: Frame): void {
  const fields = ['username', 'password', 'url', 'engine', 'host', 'port', 'dbname'];
  command
    .description('print what consumers read: the whole text, or one field of it; the log says who read it')
    .argument('<name>', 'the service whose login it is')
    .addOption(new Option('--field <field>', 'this alone').choices(fields));
  runs(command, frame, async ({ configFile, terminal, words: [name = ''] }) => {
    const { secretGetVerb } = await import('./secret-get.ts');
    const { secretGetDeps } = await import('./secret-wire.ts');
    const { withDeps } = await import('./wire.ts');
    return withDeps(await configFile(), terminal, async (deps) => {
      const options = command.opts<SecretGetOptions>();
      return secretGetVerb(name, options, await secretGetDeps(deps, terminal, frame.host.stdout), terminal);
    });
  });
}

function declareExec(command: Command, frame: Frame): void {
  command
    .description('run a command with the login in its environment, as its clients expect it, and end as it ends')
    .usage('[options] <name> -- <command> [args...]')
    .argument('<name>', 'the service whose login it is')
    .argument('[command...]', 'the command and its arguments, after --');
  runs(command, frame, async ({ configFile, terminal, words, environment }) => {
    const { execVariables, execWords } = await import('./secret-exec.ts');
    const { ownVariables, secretCredentials } = await import('./secret-wire.ts');
    const { runCommand } = await import('./run-command.ts');
    const { withDeps } = await import('./wire.ts');
    const asked = execWords(words, frame.host.argv);
    const variables = new Map<string, Sealed | undefined>();
    // Everything is closed before the command begins, which may run for days.
    const code = await withDeps(await configFile(), terminal, async (deps) => {
      for (const name of ownVariables(deps)) variables.set(name, undefined);
      const given = await execVariables(asked, await secretCredentials(deps, terminal), terminal);
      for (const [name, value] of given) variables.set(name, value);
      return exitCode.done;
    });
    if (code !== exitCode.done) return code;
    if (terminal.signal.aborted) return exitCode.interrupted;
    const tell = (text: string) => terminal.err(`lockkeeper: ${text}`);
    return runCommand({ command: asked.command, environment, variables, tell });
  });
}

function declareList(command: Command, frame: Frame): void {
  command.description('print every secret: where it lies, whose login it holds, when it was rotated; never a value');
  runs(command, frame, async ({ configFile, terminal }) => {
    const { secretListVerb } = await import('./secret-list.ts');
    const { secretCredentials } = await import('./secret-wire.ts');
    const { withDeps } = await import('./wire.ts');
    return withDeps(await configFile(), terminal, async (deps) =>
      secretListVerb(await secretCredentials(deps, terminal), terminal),
    );
  });
}
