import { day, formatInstant, type Instant } from '../../base/time.ts';
import type { PortRange, Protocol } from '../../firewalls/contract.ts';
import { isOpenQuestion, isUnderway, type Closure } from './closure.ts';
import { servicesOf } from './people.ts';

/** How carefully openings are closed. Lengths in milliseconds. */
export interface ClosingPolicy {
  /** How long a question waits for people. */
  readonly approvalExpiresMs: number;
  /** How long an approval may be used. */
  readonly executionExpiresMs: number;
  /** How long a "no" holds; afterwards people may be asked about the same again. */
  readonly deniedForMs: number;
  /** The longest snooze or exemption: nothing is for ever. */
  readonly longestExemptionMs: number;
  /** How long a closed opening is watched, at least. */
  readonly quarantineMs: number;
  /** How long connections that are open at closing may live, where the firewall does not say. */
  readonly openConnectionsLastMs: number;
  /** Whether a source known for an opening that is refused, more than once where the log can tell, reopens it. */
  readonly autoReopen: boolean;
  /** How long nothing is closed after a closing had no effect. */
  readonly standstillMs: number;
  /** Address ranges of real clients. */
  readonly knownSources: readonly string[];
  /** Address ranges of port scanners: they can never reopen anything. */
  readonly scanners: readonly string[];
  /** A source refused at so many different ports or more counts as a scanner, unless it is known for the opening. */
  readonly scannerPorts: number;
  /** 0 closes nothing at all. */
  readonly maxClosuresPerRun: number;
  /** Questions and closings of one service that may be underway at once. */
  readonly maxPerService: number;
  readonly maxQuestionsPerRun: number;
  /** `from` is in it, `to` is not. */
  readonly freezes: readonly { readonly from: Instant; readonly to: Instant; readonly why: string }[];
  readonly exemptions: readonly {
    readonly firewall: string | undefined;
    readonly opening: string;
    readonly until: Instant;
    readonly why: string;
  }[];
  /** The kill switch: while there is a reason here, nothing is closed. Reopening always works. */
  readonly stopped: string | undefined;
}

/**
 * What holds where the configuration says nothing. 5 days is the longest that a cloud keeps an idle TCP connection
 * (AWS).
 */
export const defaultClosingPolicy: ClosingPolicy = {
  approvalExpiresMs: 7 * day,
  executionExpiresMs: day,
  deniedForMs: 90 * day,
  longestExemptionMs: 400 * day,
  quarantineMs: 7 * day,
  openConnectionsLastMs: 5 * day,
  autoReopen: true,
  standstillMs: day,
  knownSources: [],
  scanners: [],
  scannerPorts: 5,
  maxClosuresPerRun: 1,
  maxPerService: 1,
  maxQuestionsPerRun: 10,
  freezes: [],
  exemptions: [],
  stopped: undefined,
};

/** The freeze that holds at `now`, as a sentence; undefined where there is none. */
export function frozen(policy: ClosingPolicy, now: Instant): string | undefined {
  const freeze = policy.freezes.find(({ from, to }) => from <= now && now < to);
  return freeze && `nothing is closed until ${formatInstant(freeze.to)}: ${freeze.why}`;
}

/** The exemption of the configuration that holds for an opening, as a sentence; undefined where there is none. */
export function exempted(
  policy: ClosingPolicy,
  of: { readonly firewall: string; readonly opening: string },
  now: Instant,
): string | undefined {
  const exemption = policy.exemptions.find(
    ({ firewall, opening, until }) =>
      opening === of.opening && (firewall === undefined || firewall === of.firewall) && now < until,
  );
  return exemption && `exempted until ${formatInstant(exemption.until)}: ${exemption.why}`;
}

/** Why nothing may be closed in this run at all; undefined where closing is allowed. */
export function lineStopped(policy: ClosingPolicy, all: readonly Closure[], now: Instant): string | undefined {
  if (policy.stopped !== undefined) return `closing is switched off: ${policy.stopped}`;
  if (policy.maxClosuresPerRun === 0) return 'closing is switched off: maxClosuresPerRun is 0';
  const reopened = all.find(
    ({ reopening }) => reopening?.standstill === true && now < reopening.at + policy.standstillMs,
  );
  if (reopened?.reopening) {
    return `${reopened.opening} had to be reopened at ${formatInstant(reopened.reopening.at)} (${reopened.reopening.why}): nothing is closed for a while`;
  }
  return frozen(policy, now);
}

/** Why this approved closure must wait for others; undefined where its turn has come. */
export function mustWait(policy: ClosingPolicy, closure: Closure, others: readonly Closure[]): string | undefined {
  const underway = others.filter(isUnderway);
  const rival = underway.find((other) => restOnEachOther(claimOf(closure), claimOf(other)));
  if (rival) return `${rival.opening} may let in the same traffic and is not settled yet: one at a time`;
  const busy = busiest(servicesOf(closure.people), underway);
  if (busy.siblings < policy.maxPerService) return undefined;
  return `${busy.siblings} closing of service ${busy.service} is underway, and the limit is ${policy.maxPerService}`;
}

/** What is asked about: enough to see whether two openings rest on each other's evidence. */
export interface Claim {
  readonly firewall: string;
  readonly opening: string;
  readonly ruleSet: string;
  readonly protocol: Protocol;
  readonly ports: PortRange | 'all';
  readonly alsoAllowedBy: readonly string[];
  /** Every service behind it. */
  readonly services: readonly string[];
}

/** The claim that a closure makes. */
export function claimOf({ firewall, opening, proposal, evidence, people }: Closure): Claim {
  const { protocol, ports, alsoAllowedBy } = evidence;
  return { firewall, opening, ruleSet: proposal.ruleSet, protocol, ports, alsoAllowedBy, services: servicesOf(people) };
}

/** Why nobody may be asked about this opening now; undefined where a question may go out. */
export function mayNotAsk(policy: ClosingPolicy, claim: Claim, others: readonly Closure[]): string | undefined {
  const underway = others.filter((other) => isOpenQuestion(other) || isUnderway(other));
  const rival = underway.find((other) => restOnEachOther(claim, claimOf(other)));
  if (rival) return `${rival.opening} may let in the same traffic and is ${rival.phase}: one at a time`;
  const busy = busiest(claim.services, underway);
  if (busy.siblings < policy.maxPerService) return undefined;
  return `${busy.siblings} question or closing of service ${busy.service} is underway, and the limit is ${policy.maxPerService}`;
}

/** The service with most of these under way. */
function busiest(services: readonly string[], underway: readonly Closure[]): { service: string; siblings: number } {
  const counts = services.map((service) => ({
    service,
    siblings: underway.filter(({ people }) => servicesOf(people).includes(service)).length,
  }));
  return counts.toSorted((a, b) => b.siblings - a.siblings)[0] ?? { service: '', siblings: 0 };
}

/** Could the silence of one be due to the other? Same rules and overlapping ports, or named so by the judge. */
function restOnEachOther(a: Claim, b: Claim): boolean {
  if (a.firewall !== b.firewall) return false;
  if (a.alsoAllowedBy.includes(b.opening) || b.alsoAllowedBy.includes(a.opening)) return true;
  return a.ruleSet === b.ruleSet && overlap(a, b);
}

function overlap(a: Claim, b: Claim): boolean {
  if (a.protocol !== 'all' && b.protocol !== 'all' && a.protocol !== b.protocol) return false;
  if (a.ports === 'all' || b.ports === 'all') return true;
  return a.ports.from <= b.ports.to && b.ports.from <= a.ports.to;
}
