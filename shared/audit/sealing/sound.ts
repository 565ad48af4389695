import type { LogDeps } from '../log-deps.ts';
import { readPublished } from './published.ts';
import { rememberedDone } from './sequenced.ts';

/**
 * What a run looks at before it writes its first entry: `conflict` where the log store is shorter or other than what
 * was published, for another entry would cover that up. Tells which days the integrator is done with.
 */
export async function expectSound(deps: Pick<LogDeps, 'log' | 'state'>): Promise<{ readonly doneBefore: string }> {
  await readPublished(deps);
  return { doneBefore: await rememberedDone(deps.state) };
}
