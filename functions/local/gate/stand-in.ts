import { hasCode } from '../../../shared/base/error.ts';
import type { World } from '../../../shared/base/world.ts';
import { adminServer } from './admin.ts';
import type { GatePlan } from './from-config.ts';
import { listenAt } from './listen.ts';
import { RuleBook } from './rule-book.ts';
import { stateOf } from './state.ts';
import { tokenFile } from './token.ts';

/**
 * The admin API alone, on the gate's own port, for a command that runs while the gate does not: rules can be read and
 * changed, and the gate obeys them at its next start. Undefined where the port is taken: then the gate itself answers.
 * The port is the lock: gate and stand-in never have the rules open at once.
 */
export async function standIn(plan: GatePlan, world: World): Promise<{ close(): Promise<void> } | undefined> {
  const rules = await RuleBook.open(plan.rulesFile);
  const token = await tokenFile(plan.tokenFile, world);
  const server = adminServer({ rules, token, world, state: () => stateOf(plan, rules) });
  try {
    await listenAt(server, plan.adminPort, { near: false });
  } catch (error) {
    if (hasCode(error, 'conflict')) return undefined;
    throw error;
  }
  return {
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
