import { toldText } from '../../audit/entries/withhold.ts';
import type { Login } from '../../services/contract.ts';
import { sameLogin, verdictOn, type Seen, type Verdict } from '../decisions/seen.ts';
import { atRest, isDoubtful, nameOf, underWay, type Facts } from './facts.ts';
import { finding, together, type Finding, type Found, type LoginKind, type Unchecked } from './finding.ts';
import type { Questions } from './questions.ts';

const currentKinds: readonly LoginKind[] = ['current-refused', 'current-unfit', 'current-not-encrypted'];

/** What the logins of this check brought to light. Pure. */
export function loginFindings(facts: Facts, seen: Seen, questions: Questions): Found {
  const { current } = questions;
  const isBlind = current.length === 0 || facts.copies.some((copy) => copy.trouble || isDoubtful(copy, facts));
  const blind: Found = { findings: [], unchecked: isBlind ? currentKinds.map((kind) => ({ kind })) : [] };
  return together([...current.map((login) => ofCurrent(login, facts, seen)), blind, ofEnded(facts, seen, questions)]);
}

function ofCurrent(login: Login, facts: Facts, seen: Seen): Found {
  const verdict = verdictOn(seen, login);
  if (!verdict) return { findings: [], unchecked: currentKinds.map((kind) => ({ kind })) };
  const { refused, unfit, inClear, silent } = verdict;
  const { slot } = login;
  const names = facts.copies.filter(({ current }) => current?.login && sameLogin(current.login, login)).map(nameOf);
  const at = (endpoint: string) => `${slot}@${endpoint}`;
  const again = `lockkeeper rotate ${facts.plan.name} --now`;
  return {
    findings: [
      ...refused.map((endpoint) =>
        finding('current-refused', at(endpoint), {
          what: `${endpoint} refuses the login of ${slot} that ${names.join(' and ')} hands out: consumers cannot log in there`,
          todo: `Put the login that works into the store, or make a new value everywhere: ${again}`,
        }),
      ),
      ...unfit.map(({ endpoint, why }) =>
        finding('current-unfit', at(endpoint), {
          what: `${slot} logs in at ${endpoint} and could do no work there: ${toldText(why)}`,
          todo: 'Fix that at the service: a new value would not help.',
        }),
      ),
      ...inClear.map((endpoint) =>
        finding('current-not-encrypted', at(endpoint), {
          what: `the login of ${slot} at ${endpoint} is not encrypted, although the service promises it`,
          todo: 'Check the TLS of that endpoint. Whoever listens may know the value: then replace it with --now --leaked.',
        }),
      ),
    ],
    unchecked: unknownAt(silent, slot, { ...verdict }),
  };
}

/** An endpoint that is silent proves nothing, and one that refuses tells nothing about its other sides. */
function unknownAt(
  silent: readonly string[],
  slot: string,
  { refused }: Pick<Verdict, 'refused'>,
): readonly Unchecked[] {
  return [
    ...silent.flatMap((endpoint) => currentKinds.map((kind) => ({ kind, place: `${slot}@${endpoint}` }))),
    ...refused.flatMap((endpoint) => currentKinds.slice(1).map((kind) => ({ kind, place: `${slot}@${endpoint}` }))),
  ];
}

/** Values that should be dead. One that was not tried is as it was. */
function ofEnded(facts: Facts, seen: Seen, { ended, allEnded }: Questions): Found {
  const verdicts = ended.map((login) => ({ login, verdict: verdictOn(seen, login) }));
  const findings = verdicts.flatMap(({ login: { slot }, verdict }) =>
    (verdict?.accepted ?? []).map((endpoint): Finding => {
      const told = {
        what: `a value of ${slot} that was ended logs in at ${endpoint} again, and a store still shows it`,
        todo: `End it: set another password for ${slot} there, or replace everything: lockkeeper rotate ${facts.plan.name} --now`,
      };
      return finding('ended-accepted', `${slot}@${endpoint}`, told);
    }),
  );
  const isAll = ended.length === allEnded.length && verdicts.every(({ verdict }) => verdict?.silent.length === 0);
  return { findings, unchecked: uncheckedEnded(facts, { isAll, isNone: allEnded.length === 0 }) };
}

function uncheckedEnded(
  facts: Facts,
  { isAll, isNone }: { readonly isAll: boolean; readonly isNone: boolean },
): readonly Unchecked[] {
  if (underWay(facts) || !isAll) return [{ kind: 'ended-accepted' }];
  // Gone from the stores is not refused: it is over with the next rotation, which proves its end.
  return isNone ? [{ kind: 'ended-accepted', rotation: atRest(facts)?.rotation }] : [];
}
