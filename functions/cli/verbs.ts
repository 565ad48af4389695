import type { Command } from 'commander';
import type { Declare } from './call.ts';
import type { Frame } from './frame.ts';

/** Declares the words of one verb. What it does, and what that needs, is loaded when it runs. */
export async function declareVerb(verb: Command, frame: Frame): Promise<void> {
  const load = declarations[verb.name()];
  if (!load) throw new TypeError(`the verb ${verb.name()} has no words`);
  const declare = await load();
  declare(verb, frame);
}

const declarations: Readonly<Record<string, (() => Promise<Declare>) | undefined>> = {
  scan: async () => (await import('./declare-scan.ts')).declareScan,
  audit: async () => (await import('./declare-audit.ts')).declareAudit,
  config: async () => (await import('./declare-config.ts')).declareConfig,
};
