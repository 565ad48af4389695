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
  demo: async () => (await import('./declare-host.ts')).declareDemo,
  serve: async () => (await import('./declare-host.ts')).declareServe,
  rotate: async () => (await import('./declare-rotate.ts')).declareRotate,
  drift: async () => (await import('./declare-drift.ts')).declareDrift,
  secret: async () => (await import('./declare-secret.ts')).declareSecret,
  collect: async () => (await import('./declare-usage.ts')).declareCollect,
  scan: async () => (await import('./declare-scan.ts')).declareScan,
  approve: async () => (await import('./declare-answers.ts')).declareApprove,
  deny: async () => (await import('./declare-answers.ts')).declareDeny,
  reopen: async () => (await import('./declare-answers.ts')).declareReopen,
  review: async () => (await import('./declare-review.ts')).declareReview,
  audit: async () => (await import('./declare-audit.ts')).declareAudit,
  flows: async () => (await import('./declare-usage.ts')).declareFlows,
  config: async () => (await import('./declare-config.ts')).declareConfig,
};
