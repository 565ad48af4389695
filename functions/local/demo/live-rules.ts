import { canonicalJson } from '../../../shared/base/canonical.ts';
import { ruleAsPlain } from '../../../shared/firewalls/local-gate/rule.ts';
import type { Stage } from './stage.ts';

/** What the AWS gate obeys right now, by id, as canonical text. */
export function liveRules(stage: Stage): ReadonlyMap<string, string> {
  return new Map(stage.alive.gates.aws.rules.rules().map((rule) => [rule.id, canonicalJson(ruleAsPlain(rule))]));
}
