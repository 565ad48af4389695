import type { Command } from 'commander';
import { runs } from './call.ts';
import type { Frame } from './frame.ts';
import type { RotateOptions } from './rotate.ts';

/** `lockkeeper rotate [NAME…]`. */
export function declareRotate(rotate: Command, frame: Frame): void {
  rotate
    .argument('[names...]', 'services whose credentials to rotate')
    .option('--all', 'every credential of the configuration')
    .option('--rehearse', 'change nothing: say every step that would follow, and how many logins would fail')
    .option('--adopt', 'change nothing: check a credential and take it over from now on')
    .option('--sql', 'with --adopt: print the statements that are missing, for a person to read and run')
    .option('--now', 'begin before it is due, and go on where something blocked')
    .option(
      '--leaked',
      'with --now and --reason: the value is known to others; replace it everywhere at once (with --rehearse: only say how)',
    )
    .option('--reason <text>', 'why, for the log and for those who are told');
  runs(rotate, frame, async ({ configFile, terminal, words }) => {
    const { rotateVerb } = await import('./rotate.ts');
    const { rotateDeps, withDeps } = await import('./wire.ts');
    const options = rotate.opts<RotateOptions>();
    return withDeps(await configFile(), terminal, async (deps) =>
      rotateVerb(words, options, await rotateDeps(deps, terminal), terminal),
    );
  });
}
