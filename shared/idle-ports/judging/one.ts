import { day, dayOf } from '../../base/time.ts';
import type { Opening } from '../../firewalls/contract.ts';
import type { Credit } from './credit.ts';
import type { Findings } from './findings.ts';
import { partUsed } from './part.ts';
import { doubts } from './silence.ts';
import { explainKnocks, explainUse, lastKnockers } from './words.ts';
import type { Reason, Verdict, VerdictName } from '../verdict.ts';

interface Judgement {
  readonly verdict: VerdictName;
  readonly reasons: readonly Reason[];
  readonly usedPorts?: Verdict['usedPorts'];
}

/** The verdict on one opening: use wins over everything, then uselessness, then doubt; silence comes last. */
export function judgeOne(opening: Opening, findings: Findings): Verdict {
  const credit = findings.credits.get(opening.id);
  const judgement = opening.direction === 'egress' ? egress : decide(opening, credit, findings);
  const shares = opening.targets.map((target) => findings.coverage.get(target)?.share ?? 0);
  return {
    rule: opening.id,
    ruleSet: opening.ruleSet,
    verdict: judgement.verdict,
    reasons: judgement.reasons,
    lastNew: credit?.lastNew,
    lastPacket: credit?.lastPacket,
    activeDays: activeDays(credit),
    coverage: shares.length === 0 ? 0 : Math.min(...shares),
    knocks: lastKnockers(credit?.knocks ?? []),
    usedPorts: judgement.usedPorts ?? [],
    alsoAllowedBy: opening.direction === 'egress' ? [] : findings.overlaps.alsoAllow(opening),
  };
}

const egress: Judgement = {
  verdict: 'cannot-tell',
  reasons: [
    {
      code: 'egress-not-judged',
      text: 'Openings for outbound packets are not judged yet; look at who listens instead.',
    },
  ],
};

function decide(opening: Opening, credit: Credit | undefined, findings: Findings): Judgement {
  const problems = doubts(opening, credit, findings);
  if (credit && credit.uses.length > 0) return used(opening, credit, problems);
  if (findings.withoutEffect.has(opening.id)) return { verdict: 'no-effect', reasons: [noEffect(opening, findings)] };
  const knocks = explainKnocks(credit?.knocks ?? []);
  if (problems.length > 0) return { verdict: 'cannot-tell', reasons: [...problems, ...knocks] };
  return {
    verdict: 'unused',
    reasons: [...(knocks.length > 0 ? knocks : [silence(credit, findings)]), ...invisibleRejects(opening, findings)],
  };
}

function used(opening: Opening, credit: Credit, problems: readonly Reason[]): Judgement {
  const reasons = explainUse(credit);
  const part = partUsed(opening, [...credit.uses, ...credit.maybes, ...credit.doubtful]);
  if (part === undefined) return { verdict: 'used', reasons };
  const [problem] = problems;
  if (problem)
    return {
      verdict: 'used',
      reasons: [
        ...reasons,
        {
          code: 'part-not-judged',
          text: `Only a part was seen in use, but the rest cannot be judged: ${problem.text}`,
        },
      ],
    };
  return { verdict: 'narrow', reasons: [part.reason, ...reasons], usedPorts: part.ports };
}

function noEffect(opening: Opening, { overlaps }: Findings): Reason {
  const others = overlaps.alsoAllow(opening);
  const named =
    others.length > 3 ? `${others.slice(0, 3).join(', ')} and ${others.length - 3} more` : others.join(', ');
  return {
    code: 'already-allowed',
    text: `Everything it lets in is let in by ${named} too, on every interface; closing it would refuse nobody.`,
  };
}

function silence(credit: Credit | undefined, { evidence }: Findings): Reason {
  const days = Math.round((evidence.window.to - evidence.window.from) / day);
  const before =
    credit?.lastPacket === undefined
      ? ''
      : ` It was last used before, on ${[...credit.days].toSorted().at(-1) ?? 'a day not known'}.`;
  return { code: 'no-traffic', text: `Nobody came in for ${days} days, and the logs saw every interface.${before}` };
}

function invisibleRejects({ targets }: Opening, { coverage }: Findings): readonly Reason[] {
  if (targets.every((target) => coverage.get(target)?.showsRejects !== false)) return [];
  return [
    {
      code: 'rejects-invisible',
      text: 'The flow log keeps accepted packets only: after closing nobody would see who is refused.',
    },
  ];
}

/** Days of the window with use. */
function activeDays(credit: Credit | undefined): number {
  const days = new Set<string>();
  for (const { seen } of credit?.uses ?? []) {
    const first = dayOf(seen.firstInWindow ?? seen.first);
    const last = dayOf(seen.lastInWindow ?? seen.last);
    for (const date of seen.days) if (first <= date && date <= last) days.add(date);
  }
  return days.size;
}
