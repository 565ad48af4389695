import { attackers } from './attackers.ts';
import { dice, randomAccount, randomNetwork, type Labelled } from './random-account.ts';
import type { LogFormat } from './log-rows.ts';

/** Two random networks with the same addresses in one account, each with a flow log. */
export function overlappingLabels(seed: string, format: LogFormat): Labelled {
  const one = randomAccount(seed, format);
  one.account.log('fl-0a2', { at: 'vpc-2', format, objects: 'one' });
  const other = randomNetwork(`${seed} elsewhere`, one.account, { network: 'vpc-2', tag: 'other-' });
  return {
    account: one.account,
    used: new Map([...one.used, ...other.used]),
    talks: [...one.talks, ...other.talks],
  };
}

/** The same with attackers: one at half of the conversations, each of another kind. */
export function attackedLabels(seed: string, format: LogFormat): Labelled {
  const labelled = overlappingLabels(seed, format);
  const roll = dice(`attackers ${seed}`);
  const kinds = Object.values(attackers);
  for (const { eni, from, to, sport, port, protocol, at } of labelled.talks) {
    const attack = kinds[roll(2 * kinds.length)];
    attack?.(labelled.account, { eni, server: to, client: from, sport, port, protocol, at });
  }
  return labelled;
}
