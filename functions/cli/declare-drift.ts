import type { Command } from 'commander';
import { runs } from './call.ts';
import type { DriftOptions } from './drift.ts';
import type { Frame } from './frame.ts';

/** `lockkeeper drift [NAME…]`. */
export function declareDrift(drift: Command, frame: Frame): void {
  drift
    .argument('[names...]', 'services whose credentials to check (default: all that were adopted)')
    .option('--all', 'every credential of the configuration, also those that were never adopted');
  runs(drift, frame, async ({ configFile, terminal, words }) => {
    const { driftVerb } = await import('./drift.ts');
    const { rotateDeps, withDeps } = await import('./wire.ts');
    return withDeps(await configFile(), terminal, async (deps) =>
      driftVerb(words, drift.opts<DriftOptions>(), await rotateDeps(deps, terminal), terminal),
    );
  });
}
