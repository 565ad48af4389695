import { InvalidArgumentError, type Command } from 'commander';
import { runs } from './call.ts';
import type { Frame } from './frame.ts';
import type { RotateOptions } from './rotate-choice.ts';

/** `lockkeeper rotate [NAME…]`. */
export function declareRotate(rotate: Command, frame: Frame): void {
  rotate
    .argument('[names...]', 'services whose credentials to rotate')
    .option('--all', 'every credential of the configuration')
    .option('--owner <owner>', 'those of the services of one owner')
    .option('--tag <tag...>', 'those of the services with each of these tags')
    .option('--limit <count>', 'begin at most so many rotations; what is under way goes on all the same', count)
    .option('--concurrency <count>', 'how many at once (default: 8)', count)
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

function count(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is not a number from 1 on.');
}
