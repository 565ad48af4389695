import type { Command } from 'commander';
import { runs, type Call } from './call.ts';
import type { Frame } from './frame.ts';
import type { ExitCode } from './io.ts';
import type { ReviewVerbDeps, SignOptions } from './review.ts';

/** `lockkeeper review list | sign`. */
export function declareReview(review: Command, frame: Frame): void {
  declareList(review.command('list'), frame);
  declareSign(review.command('sign'), frame);
}

function declareList(command: Command, frame: Frame): void {
  command
    .description('the emergency rotations that people have yet to sign, and how to')
    .option('--all', 'also those that enough people have signed');
  runs(command, frame, async (call) => {
    const { reviewListVerb } = await import('./review.ts');
    return withReviews(call, (deps) => reviewListVerb(command.opts<{ all?: boolean }>(), deps, call.terminal));
  });
}

function declareSign(command: Command, frame: Frame): void {
  command
    .description('say that you looked at an emergency rotation; who ordered it may not')
    .argument('<rotation>', 'its id, as `review list` shows it')
    .option('--as <name>', 'who signs (default: the account at this machine)')
    .option('--reason <text>', 'what you found');
  runs(command, frame, async (call) => {
    const { reviewSignVerb } = await import('./review.ts');
    const [rotation = ''] = call.words;
    return withReviews(call, (deps) => reviewSignVerb(rotation, command.opts<SignOptions>(), deps, call.terminal));
  });
}

async function withReviews(
  { configFile, terminal }: Call,
  verb: (deps: ReviewVerbDeps) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { reviewDeps } = await import('./review-wire.ts');
  const { withDeps } = await import('./wire.ts');
  return withDeps(await configFile(), terminal, async (deps) => verb(await reviewDeps(deps, terminal)));
}
