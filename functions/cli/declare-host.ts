import type { Command } from 'commander';
import { runs } from './call.ts';
import type { DemoOptions } from './demo.ts';
import type { Frame } from './frame.ts';
import type { ServeOptions } from './serve.ts';

/** `lockkeeper demo [--script] [--keep DIR]`. */
export function declareDemo(demo: Command, frame: Frame): void {
  demo
    .option('--script', 'without a person: answer for itself, check every step, and end with 0 or 1')
    .option('--keep <directory>', 'keep the stores there, with a configuration for later commands');
  runs(demo, frame, async ({ terminal }) => {
    const { demoVerb } = await import('./demo.ts');
    return demoVerb(demo.opts<DemoOptions>(), terminal);
  });
}

/** `lockkeeper serve [--port N]`. */
export function declareServe(serve: Command, frame: Frame): void {
  serve.option('--port <number>', 'of the approvals page on 127.0.0.1; 0 takes a free one (default: as configured)');
  runs(serve, frame, async ({ configFile, terminal }) => {
    const { serveVerb } = await import('./serve.ts');
    return serveVerb(serve.opts<ServeOptions>(), await configFile(), terminal);
  });
}
