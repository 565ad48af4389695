import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Words of the CDK context. */
export type Context = Readonly<Record<string, unknown>>;

/** A template, as CloudFormation gets it; or why there is none. */
export type Synthesised = { readonly template: Template } | { readonly refused: string };

export interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
}

/** Builds the stack once for every context, all in one process of its own: jest takes ten seconds to load the CDK. */
export function synthesise(contexts: readonly Context[]): readonly Synthesised[] {
  const script = fileURLToPath(new URL('synth-process.ts', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', script, JSON.stringify(contexts)], {
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`synthesis ended with ${status}: ${stderr}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what synth-process.ts prints
  return JSON.parse(stdout) as readonly Synthesised[];
}
