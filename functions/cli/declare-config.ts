import type { Command } from 'commander';
import { runs } from './call.ts';
import type { Frame } from './frame.ts';

/** `lockkeeper config check | schema`. */
export function declareConfig(config: Command, frame: Frame): void {
  const check = config.command('check').description('list every mistake of the configuration at once');
  runs(check, frame, async ({ configFile, terminal }) => {
    const { configCheckVerb } = await import('./config.ts');
    return configCheckVerb(await configFile(), terminal);
  });
  const schema = config.command('schema').description('print the JSON Schema of lockkeeper.yaml');
  runs(schema, frame, async ({ terminal }) => {
    const { configSchemaVerb } = await import('./config.ts');
    return configSchemaVerb(terminal);
  });
}
