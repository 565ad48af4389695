import { systemWorld } from '../../shared/base/world.ts';
import { aliveChapter, logsChapter } from '../local/demo/alive-chapter.ts';
import { approvalChapter, proposalChapter } from '../local/demo/approval-chapter.ts';
import { auditChapter } from '../local/demo/audit-chapter.ts';
import { closingChapter, driftChapter, reopeningChapter } from '../local/demo/closing-chapter.ts';
import { setStage, type SetStage } from '../local/demo/demo-wire.ts';
import { rotationChapter } from '../local/demo/rotation-chapter.ts';
import { teller } from '../local/demo/teller.ts';
import { usageChapter } from '../local/demo/usage-chapter.ts';
import { untilAborted } from '../local/until-aborted.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';

export interface DemoOptions {
  /** No person is there: the demo answers for itself, checks every step, and ends. */
  readonly script?: boolean | undefined;
  /** Where the stores stay for later commands. */
  readonly keep?: string | undefined;
}

/**
 * `lockkeeper demo [--script] [--keep DIR]`: the whole of lockkeeper on this machine, told as chapters. Every proof
 * that does not hold ends it with exit code 1. Without --script a person decides, and it runs until Ctrl-C.
 */
export async function demoVerb(options: DemoOptions, terminal: Terminal): Promise<ExitCode> {
  const tell = teller(terminal);
  const set = await setStage({ isScript: options.script ?? false, keep: options.keep, terminal, teller: tell });
  const told = new AbortController();
  try {
    // Ctrl-C does not wait for the chapter: what it was doing loses its ground and fails unheard.
    await Promise.race([play(set), untilAborted(terminal.signal, told.signal)]);
    if (terminal.signal.aborted) return exitCode.interrupted;
    if (terminal.json) terminal.out(JSON.stringify({ ok: true, claims: tell.claims() }));
    tell.aside('');
    tell.shows(`${tell.claims().length} proofs, all of them hold.`);
    if (!set.stage.isScript) await stay(set, terminal);
    if (options.keep !== undefined) tell.shows('', `The stores stay in ${options.keep}. Try:`, ...laterCommands(set));
    return exitCode.done;
  } finally {
    told.abort();
    await set.strike();
  }
}

async function play({ stage, first, scratch }: SetStage): Promise<void> {
  const passing = aliveChapter(stage, systemWorld());
  // It goes on beside the next chapter; what goes wrong in it is heard when it is waited for.
  await Promise.all([passing.over, rotationChapter(stage, first)]);
  await logsChapter(stage, passing);
  await usageChapter(stage);
  await proposalChapter(stage);
  await approvalChapter(stage);
  await closingChapter(stage);
  await reopeningChapter(stage);
  await driftChapter(stage);
  await auditChapter(stage, scratch);
}

/** Everything goes on running, so that a person can try more. */
async function stay(set: SetStage, terminal: Terminal): Promise<void> {
  const { teller: tell, page, approver } = set.stage;
  tell.shows(
    '',
    `Everything goes on running. The page: ${page.link(approver)}`,
    'In another terminal:',
    ...laterCommands(set),
    '',
    'Ctrl-C ends it.',
  );
  await untilAborted(terminal.signal);
}

function laterCommands({ configFile }: SetStage): readonly string[] {
  const command = `npx lockkeeper --config ${configFile}`;
  return [
    `  ${command} audit verify`,
    `  ${command} audit show --action rotation`,
    `  ${command} collect`,
    `  ${command} scan`,
  ];
}
