import type { Command } from 'commander';
import type { AnswerOptions, AnswerDeps } from './answer.ts';
import { runs, type Call } from './call.ts';
import type { DenyOptions } from './deny.ts';
import type { Frame } from './frame.ts';
import type { ExitCode } from './io.ts';

/** `lockkeeper approve HASH`. */
export function declareApprove(approve: Command, frame: Frame): void {
  withPerson(approve.argument('<hash>', 'the question: its hash, or at least 6 digits of it'));
  runs(approve, frame, async (call) => {
    const { approveVerb } = await import('./approve.ts');
    return answered(call, (deps, hash) => approveVerb(hash, approve.opts<AnswerOptions>(), deps, call.terminal));
  });
}

/** `lockkeeper deny HASH`. */
export function declareDeny(deny: Command, frame: Frame): void {
  withPerson(deny.argument('<hash>', 'the question: its hash, or at least 6 digits of it'))
    .option('--snooze <time>', 'ask again then')
    .option('--exempt <time>', 'leave the opening alone until then');
  runs(deny, frame, async (call) => {
    const { denyVerb } = await import('./deny.ts');
    return answered(call, (deps, hash) => denyVerb(hash, deny.opts<DenyOptions>(), deps, call.terminal));
  });
}

/** `lockkeeper reopen OPENING|HASH`. */
export function declareReopen(reopen: Command, frame: Frame): void {
  withPerson(reopen.argument('<opening>', 'the id of a closed opening, or at least 6 digits of its hash'));
  runs(reopen, frame, async (call) => {
    const { reopenVerb } = await import('./reopen.ts');
    return answered(call, (deps, opening) => reopenVerb(opening, reopen.opts<AnswerOptions>(), deps, call.terminal));
  });
}

function withPerson(command: Command): Command {
  return command
    .option('--as <name>', 'who answers (default: the account at this machine)')
    .option('--reason <text>', 'why');
}

async function answered(
  { configFile, terminal, words }: Call,
  verb: (deps: AnswerDeps, word: string) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { answerDeps, withDeps } = await import('./wire.ts');
  const [word = ''] = words;
  return withDeps(await configFile(), terminal, async (deps) => verb(await answerDeps(deps, terminal), word));
}
