import type { Command } from 'commander';
import { runs } from './call.ts';
import type { Frame } from './frame.ts';

/** `lockkeeper collect`. */
export function declareCollect(collect: Command, frame: Frame): void {
  runs(collect, frame, async ({ configFile, terminal }) => {
    const { collectVerb } = await import('./collect.ts');
    const { withDeps } = await import('./wire.ts');
    return withDeps(await configFile(), terminal, (deps) => collectVerb(deps, terminal));
  });
}

/** `lockkeeper flows FILE…`. */
export function declareFlows(flowsCommand: Command, frame: Frame): void {
  flowsCommand
    .argument('<files...>', 'flow-log files of AWS, GCP or Azure, packed or not')
    .option('--format <cloud>', 'aws, gcp or azure (default: what the content looks like)');
  runs(flowsCommand, frame, async ({ terminal, words }) => {
    const { flows } = await import('./flows.ts');
    return flows(words, flowsCommand.opts<{ format?: string }>(), terminal);
  });
}
