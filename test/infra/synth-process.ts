import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { LogAndStateStack } from '../../infra/aws/log-and-state-stack.ts';
import { readSettings } from '../../infra/aws/settings.ts';
import type { Context } from './synth.ts';

/** Prints, for a JSON list of contexts, the list of templates or refusals. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what synth.ts passes
const contexts = JSON.parse(process.argv[2] ?? '[]') as readonly Context[];
const outdir = mkdtempSync(join(tmpdir(), 'lockkeeper-synth-'));
try {
  process.stdout.write(JSON.stringify(contexts.map(build)));
} finally {
  rmSync(outdir, { recursive: true });
}

function build(context: Context) {
  try {
    const settings = readSettings((key) => context[key]);
    return { template: Template.fromStack(new LogAndStateStack(new App({ outdir }), 'Test', settings)).toJSON() };
  } catch (error) {
    if (error instanceof RangeError) return { refused: error.message };
    throw error;
  }
}
