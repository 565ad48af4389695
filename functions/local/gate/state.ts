import type { Plain } from '../../../shared/base/canonical.ts';
import { ruleAsPlain } from '../../../shared/firewalls/local-gate/rule.ts';
import type { GateInterface, GateNetwork } from './network.ts';
import type { RuleBook } from './rule-book.ts';

/** What `GET /openings` answers: every rule, and the interfaces they apply to. */
export function stateOf(
  { network, interfaces }: { readonly network: GateNetwork; readonly interfaces: readonly GateInterface[] },
  rules: RuleBook,
): Plain {
  return {
    cloud: network.cloud,
    ruleSet: network.network,
    interfaces: interfaces.map((one) => ({
      id: one.id,
      addresses: [one.address],
      within: [network.network, network.subnet],
    })),
    rules: rules.rules().map(ruleAsPlain),
  };
}
