import { atLeast, type Figure } from '../bench/figure.ts';
import { allAttacks } from './attacks/all-attacks.ts';
import { attackLine, isHeld } from './attacks/make.ts';
import { hostileFlowLogs } from './hostile-flow-logs.ts';

/**
 * Every attack that SECURITY.md names, made for real, with one line each; then a hundred thousand hostile objects in a flow
 * log. The first figure is how many attacks failed, as they must. That each succeeds with its fix switched back is shown by `npm run mutants`.
 */
export async function attacks(): Promise<Figure[]> {
  const all = await allAttacks();
  let held = 0;
  for (const attack of all) {
    const line = await attackLine(attack);
    process.stderr.write(`${line}\n`);
    if (isHeld(line)) held += 1;
  }
  return [atLeast('attacks', held, 'held', all.length), ...(await hostileFlowLogs())];
}
