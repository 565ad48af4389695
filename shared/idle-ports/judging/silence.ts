import { day, formatInstant, instant, parseInstant } from '../../base/time.ts';
import type { Interface, Opening } from '../../firewalls/contract.ts';
import type { Coverage } from './coverage/coverage.ts';
import type { Credit } from './credit.ts';
import type { Findings } from './findings.ts';
import type { Reason } from '../verdict.ts';

/** Why silence at this opening proves nothing, the most fundamental first; empty: it does prove something. */
export function doubts(opening: Opening, credit: Credit | undefined, findings: Findings): readonly Reason[] {
  const targets = opening.targets.flatMap((target) => findings.interfaces.get(target) ?? []);
  if (opening.targets.length === 0) return [unattached(opening)];
  return [
    ...unlisted(opening, targets),
    ...youth(targets, findings),
    ...unknownSource(opening, credit),
    ...sharedAddress(credit),
    ...sampling(findings),
    ...gaps(targets, findings.coverage),
    ...period(credit, findings),
  ];
}

function unattached({ ruleSet }: Opening): Reason {
  return {
    code: 'not-attached',
    text: `No interface carries ${ruleSet} now. Delete the group if nothing will use it again, or judge after something does.`,
  };
}

function unlisted({ targets, ruleSet }: Opening, known: readonly Interface[]): readonly Reason[] {
  if (known.length === targets.length) return [];
  return [
    {
      code: 'unknown-target',
      text: `${targets.length - known.length} interfaces with ${ruleSet} are not described. Describe all interfaces, and judge again.`,
    },
  ];
}

function youth(targets: readonly Interface[], { evidence: { window } }: Findings): readonly Reason[] {
  const youngest = targets.map(({ attachedAt }) => attachedAt ?? 0);
  const oldest = Math.min(...youngest);
  if (targets.length === 0 || oldest <= window.from) return [];
  const judgeable = formatInstant(instant(oldest + (window.to - window.from)));
  const text = `Every interface with this opening is younger than the window; the oldest was attached ${formatInstant(instant(oldest))}. Judge again after ${judgeable}, or with a shorter --window.`;
  return [{ code: 'young', text }];
}

function unknownSource({ sources }: Opening, credit: Credit | undefined): readonly Reason[] {
  const [maybe] = credit?.maybes ?? [];
  if (!credit || !maybe) return [];
  const unknown = sources.find((source) => source.kind === 'unknown');
  const peers = [...new Set(credit.maybes.flatMap(({ peer }) => peer ?? []))].toSorted();
  const fix = unknown
    ? `${unknown.name} cannot be listed: ${unknown.why}`
    : 'They belong to no interface that is described now; they may have been members that are gone';
  return [
    {
      code: 'unknown-source',
      text: `${peers.length} peers, ${peers[0] ?? 'unknown'} among them, came in and may be its source. ${fix}.`,
    },
  ];
}

function sharedAddress(credit: Credit | undefined): readonly Reason[] {
  const [first] = credit?.doubtful ?? [];
  if (!first) return [];
  const text = `${first.peer} brought payload. It is a scanner by the policy, and an interface of another network has the address too, so it may be a real client. Name scanners by addresses that nobody else has.`;
  return [{ code: 'scanner-unclear', text }];
}

function sampling({ evidence }: Findings): readonly Reason[] {
  if (!evidence.sampled) return [];
  return [
    {
      code: 'sampled',
      text: 'The flow log is a sample, so silence proves little. Add a log that keeps every connection, such as firewall rule logs.',
    },
  ];
}

/** Each kind of problem once, with the number of interfaces that have it. */
function gaps(targets: readonly Interface[], coverage: ReadonlyMap<string, Coverage>): readonly Reason[] {
  const byCode = new Map<string, string[]>();
  for (const { id } of targets) {
    for (const { code, text } of coverage.get(id)?.problems ?? [])
      byCode.set(code, [...(byCode.get(code) ?? []), text]);
  }
  return [...byCode].map(([code, [first = '', ...more]]) => ({
    code,
    text:
      more.length === 0
        ? first
        : `${first} (The same holds for ${more.length} more of its ${targets.length} interfaces.)`,
  }));
}

/** A job that comes every so often is not gone because it was not there for less than twice that time. */
function period(credit: Credit | undefined, { evidence: { window }, policy }: Findings): readonly Reason[] {
  const days = [...(credit?.days ?? [])].toSorted().map((date) => parseInstant(`${date}T00:00:00Z`));
  const between = days.slice(1).map((at, index) => at - (days[index] ?? at));
  const longest = Math.max(0, ...between);
  const needed = policy.periodFactor * longest;
  if (between.length < policy.minPeriodGaps || longest <= day || window.to - window.from >= needed) return [];
  const text = `It was used with up to ${longest / day} days between, which a window of ${Math.round((window.to - window.from) / day)} days cannot tell from never. Use --window ${Math.ceil(needed / day)}d.`;
  return [{ code: 'period', text }];
}
