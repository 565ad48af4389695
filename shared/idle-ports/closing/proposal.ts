import { withhold } from '../../audit/entries/withhold.ts';
import { canonicalJson, sha256, type Plain } from '../../base/canonical.ts';
import { LockkeeperError } from '../../base/error.ts';
import type { Instant } from '../../base/time.ts';
import type { FirewallState, Opening, PortRange, PreparedChange, Protocol, Source } from '../../firewalls/contract.ts';
import type { Window } from '../../usage/evidence.ts';
import type { JudgeInput } from '../judging/judge.ts';
import type { Verdict } from '../verdict.ts';

/** What the judge said about one firewall, and what it looked at. */
export interface Judgement {
  readonly firewall: string;
  readonly state: FirewallState;
  readonly verdicts: readonly Verdict[];
  readonly window: Window;
  /** Names the rules of judging: it changes whenever they could judge differently. */
  readonly policy: string;
  /** Everything the judge was given: the same gives the same verdicts again. */
  readonly input: JudgeInput;
}

/**
 * What people agree to. It holds the evidence's class and none of its counters, so looking again at a port that is
 * still silent gives the same proposal; any edit of the rule, another class of evidence or another policy does not.
 */
export type Proposal = {
  /** Version of this form: another tool version that means something else by it writes another name. */
  readonly form: 'lockkeeper.proposal/1';
  readonly firewall: string;
  readonly opening: string;
  readonly ruleSet: string;
  /**
   * The rule as it is, and as it will be; null: gone. Exactly so, but for what looks like a secret: that is withheld.
   */
  readonly before: Plain;
  readonly after: Plain;
  /** Of the exact rule. */
  readonly fingerprint: string;
  /** People who agree to a closing that nobody could watch know that they do. */
  readonly rejectsVisible: boolean;
  readonly windowMs: number;
  readonly verdict: 'unused';
  /** The codes of the verdict's reasons, ascending. */
  readonly reasons: readonly string[];
  readonly policy: string;
  /** Counts the questions about this opening: an answer to an earlier one never counts for a later one. */
  readonly round: number;
};

/** What people were shown beside the proposal. Counters and times; never part of the hash. */
export interface Evidence {
  readonly from: Instant;
  readonly to: Instant;
  readonly coverage: number;
  readonly reasons: readonly string[];
  readonly lastNew: Instant | undefined;
  readonly lastPacket: Instant | undefined;
  readonly knocks: { readonly count: number; readonly last: Instant | undefined; readonly from: readonly string[] };
  readonly alsoAllowedBy: readonly string[];
  readonly protocol: Protocol;
  readonly ports: PortRange | 'all';
  /** As people read them. */
  readonly sources: readonly string[];
  /** Address ranges it may have let in; everything where its sources cannot be listed for good. */
  readonly admitted: readonly string[];
  /** Ids of the interfaces it applied to. */
  readonly targets: readonly string[];
  /** The targets, and what they hang within: the scopes under which logs may speak of them. */
  readonly scopes: readonly string[];
  readonly description: string;
  readonly openConnectionsLastMs: number | undefined;
  /** Address ranges whose touches did not count as use; not there in what older versions asked. */
  readonly scanners?: readonly string[] | undefined;
}

/** One opening as it was judged, with what closing it would do. */
export interface Material {
  readonly judgement: Judgement;
  readonly opening: Opening;
  readonly verdict: Verdict;
  readonly prepared: PreparedChange;
}

/**
 * The proposal to close an unused opening; `invalid` for any other verdict. The same material gives the same proposal.
 */
export function proposalFor({ judgement, opening, verdict, prepared }: Material, round: number): Proposal {
  if (verdict.verdict !== 'unused') {
    throw new LockkeeperError(
      'invalid',
      `opening ${opening.id} is ${verdict.verdict}: only an unused one is proposed for closing`,
    );
  }
  return {
    form: 'lockkeeper.proposal/1',
    firewall: judgement.firewall,
    opening: opening.id,
    ruleSet: opening.ruleSet,
    before: withhold(prepared.before),
    after: withhold(prepared.after ?? null),
    fingerprint: prepared.fingerprint,
    rejectsVisible: prepared.rejectsVisible,
    windowMs: judgement.window.to - judgement.window.from,
    verdict: verdict.verdict,
    reasons: [...new Set(verdict.reasons.map(({ code }) => code))].toSorted(),
    policy: judgement.policy,
    round,
  };
}

/** The identity of a proposal: SHA-256 of its canonical JSON, 64 hex digits. */
export function hashOf(proposal: Proposal): string {
  return sha256(canonicalJson(proposal));
}

/** A judgement's `policy`: a name that changes with any setting of judging, and with what judging itself means. */
export function judgingName(settings: { readonly [setting: string]: Plain | undefined }): string {
  return `judge/1:${sha256(canonicalJson(settings)).slice(0, 16)}`;
}

/** What differs between two proposals, one line a value; the round, which says nothing about the rule, is left out. */
export function differences(earlier: Proposal, later: Proposal): readonly string[] {
  return compare({ ...earlier, round: 0 }, { ...later, round: 0 }, '');
}

/**
 * What people are shown beside the proposal: true at the time of asking, and free to change without voiding anything.
 */
export function evidenceFor({ judgement, opening, verdict, prepared }: Material): Evidence {
  const targets = new Set(opening.targets);
  const scopes = judgement.state.interfaces
    .filter(({ id }) => targets.has(id))
    .flatMap(({ id, within }) => [id, ...within]);
  return {
    from: judgement.window.from,
    to: judgement.window.to,
    coverage: verdict.coverage,
    reasons: verdict.reasons.map(({ text }) => text),
    lastNew: verdict.lastNew,
    lastPacket: verdict.lastPacket,
    knocks: verdict.knocks,
    alsoAllowedBy: verdict.alsoAllowedBy,
    protocol: opening.protocol,
    ports: opening.ports,
    sources: opening.sources.map(describeSource),
    admitted: opening.sources.flatMap((source) => (source.kind === 'addresses' ? source.cidrs : everywhere)),
    targets: opening.targets,
    scopes: [...new Set(scopes)],
    description: opening.description,
    openConnectionsLastMs: prepared.openConnectionsLastMs,
    scanners: judgement.input.policy.scanners,
  };
}

/** Members of a group come and go, so whoever is refused might have been one. */
const everywhere = ['0.0.0.0/0', '::/0'];

function describeSource(source: Source): string {
  if (source.kind === 'addresses') return source.cidrs.join(', ');
  if (source.kind === 'group') return `members of ${source.group} (${source.members.length} now)`;
  return `${source.name} (${source.why})`;
}

function compare(earlier: Plain | undefined, later: Plain | undefined, path: string): readonly string[] {
  const [was, is] = [show(earlier), show(later)];
  if (was === is) return [];
  if (!isRecord(earlier) || !isRecord(later)) return [`${path}: ${was} → ${is}`];
  const names = [...new Set([...Object.keys(earlier), ...Object.keys(later)])].toSorted();
  return names.flatMap((name) => compare(earlier[name], later[name], path === '' ? name : `${path}.${name}`));
}

function show(value: Plain | undefined): string {
  return value === undefined ? 'nothing' : canonicalJson(value);
}

function isRecord(value: Plain | undefined): value is { readonly [key: string]: Plain | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
