import type { Question } from '../../approvals/contract.ts';
import { canonicalJson } from '../../base/canonical.ts';
import { day, formatInstant, type Instant } from '../../base/time.ts';
import { nameOf, type Closure } from './closure.ts';
import type { Evidence } from './proposal.ts';

/** What people read before they decide. The same closure gives the same question. */
export function questionOf(closure: Closure): Question {
  const { people, hash, expires } = closure;
  return {
    hash,
    title: `Close ${nameOf(closure)}?`,
    facts: factsOf(closure),
    owner: people.owner,
    needed: people.needed,
    approvers: people.approvers,
    expires,
  };
}

function factsOf(closure: Closure): Question['facts'] {
  const { proposal, evidence, people } = closure;
  const facts = [
    ['Service', people.service],
    ['Loses reachability', `${listed(evidence.sources, 'nobody')} to ${listed(evidence.targets, 'no interface')}`],
    ['Why', evidence.reasons.join(' ')],
    [
      'Looked at',
      `${formatInstant(evidence.from)} to ${formatInstant(evidence.to)} (${Math.round(proposal.windowMs / day)} days), logs saw ${percent(evidence.coverage)}`,
    ],
    ['Last used', `${moment(evidence.lastNew)}; last packet ${moment(evidence.lastPacket)}`],
    ['Last knocked', knocks(evidence.knocks)],
    ['Scanners', scanners(evidence)],
    ['Also let in by', listed(evidence.alsoAllowedBy, 'no other opening')],
    ['After closing', visibility(closure)],
    ['Open connections', `live on for ${lasting(evidence.openConnectionsLastMs)}`],
    [
      'Undo',
      `lockkeeper reopen ${closure.hash.slice(0, 12)} --reason WHY puts back exactly the rule below, at any time`,
    ],
    ['Description', evidence.description === '' ? 'none' : evidence.description],
    ['Rule before', canonicalJson(proposal.before)],
    ['Rule after', proposal.after === null ? 'gone' : canonicalJson(proposal.after)],
    ['May not approve', listed(people.excluded, 'everybody asked may')],
  ] as const;
  return facts.map(([label, text]) => ({ label, text }));
}

function listed(names: readonly string[], none: string): string {
  return names.length === 0 ? none : names.join(', ');
}

function percent(share: number): string {
  return `${(Math.floor(share * 1000) / 10).toFixed(1)} %`;
}

function moment(at: Instant | undefined): string {
  return at === undefined ? 'never seen' : formatInstant(at);
}

function knocks({ count, last, from }: Evidence['knocks']): string {
  if (count === 0) return 'nobody';
  return `${count} attempts that nobody answered, the last ${moment(last)}, from ${listed(from, 'unknown')}`;
}

function scanners({ scanners: configured = [] }: Evidence): string {
  const later = 'while it is watched, who is turned away at many ports counts as one, unless it used this opening';
  return `${listed(configured, 'none are configured')}; ${later}`;
}

function visibility({ proposal }: Closure): string {
  if (proposal.rejectsVisible)
    return 'refused attempts will be seen; a source that used it before and tries more than once reopens it if the policy says so';
  return 'refused attempts will NOT be seen: nothing can reopen it by itself';
}

function lasting(ms: number | undefined): string {
  return ms === undefined ? 'a time that the firewall does not tell' : `at most ${Math.ceil(ms / 1000)} s`;
}
