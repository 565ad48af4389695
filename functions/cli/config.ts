import { dirname } from 'node:path';
import { withoutLogins } from '../../shared/base/without-logins.ts';
import { checkConfig, mistakeText } from '../../shared/config/check.ts';
import { readText, type ConfigFile } from '../../shared/config/read-text.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';

/** Says what is wrong with the file, every mistake at once; exit 1 where there is one. JSON: `{file, ok, mistakes}`. */
export async function configCheckVerb(found: ConfigFile, terminal: Terminal): Promise<ExitCode> {
  const file = withoutLogins(found.path);
  const { mistakes, config } = checkConfig(await readText(found), dirname(found.path));
  if (terminal.json) terminal.out(JSON.stringify({ file, ok: mistakes.length === 0, mistakes }));
  else for (const mistake of mistakes) terminal.out(mistakeText(file, mistake));
  if (!config) return exitCode.failed;
  const { services, networks } = config;
  const rotated = services.filter(({ credential }) => credential).length;
  terminal.err(
    `${file} is right: ${services.length} services (${rotated} with a credential), ${Object.keys(networks).length} networks.`,
  );
  return exitCode.done;
}

/** Prints the JSON Schema of lockkeeper.yaml, as it is published in docs/lockkeeper.schema.json. */
export async function configSchemaVerb(terminal: Terminal): Promise<ExitCode> {
  const { configJsonSchema } = await import('../../shared/config/shape.ts');
  terminal.out(JSON.stringify(configJsonSchema(), null, 2));
  return exitCode.done;
}
