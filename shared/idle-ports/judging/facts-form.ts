import type { FirewallState, Interface, Opening, Source } from '../../firewalls/contract.ts';
import type { ScopeCoverage, UsageEvidence, UsageRow, Window } from '../../usage/evidence.ts';
import { either, flag, list, number, oneOf, optional, plain, record, text, type Check } from '../shapes.ts';
import type { CoverageExpectation } from './coverage/expected.ts';
import type { JudgeInput } from './judge.ts';
import type { IdlePolicy } from './policy.ts';

/** Version of the form: a judge that means something else by it writes another name. */
export const factsForm = 'lockkeeper.facts/1';

/** What a judge is given, as it is kept: logs that share their evidence name the same one. */
export type KeptFacts = Omit<JudgeInput, 'evidence' | 'logs'> & {
  readonly form: typeof factsForm;
  /** Each different evidence once, the judgement's own first. */
  readonly evidence: readonly UsageEvidence[];
  /** `evidence` by its place in the list; undefined as in CoverageExpectation. */
  readonly logs: readonly (Omit<CoverageExpectation, 'evidence'> & { readonly evidence: number | undefined })[];
};

/** True for facts that a judge can be given. */
export function fitsFacts(value: unknown): value is KeptFacts {
  return facts(value);
}

const window = record<Window>({ from: number, to: number });
const range = record<{ from: number; to: number }>({ from: number, to: number });

type Of<Kind extends Source['kind']> = Extract<Source, { kind: Kind }>;
const source: Check = either(
  record<Of<'addresses'>>({ kind: oneOf('addresses'), cidrs: list(text) }),
  record<Of<'group'>>({ kind: oneOf('group'), group: text, members: list(text) }),
  record<Of<'unknown'>>({ kind: oneOf('unknown'), name: text, why: text, privateOnly: optional(flag) }),
);

const opening = record<Opening>({
  id: text,
  ruleSet: text,
  direction: oneOf('ingress', 'egress'),
  protocol: either(oneOf('all'), number),
  ports: either(oneOf('all'), range),
  sources: list(source),
  targets: list(text),
  createdAt: optional(number),
  description: text,
  managedBy: optional(text),
  rule: plain,
  fingerprint: text,
});

const place = record<Interface>({
  id: text,
  addresses: list(text),
  within: list(text),
  attachedAt: optional(number),
  blindSpot: optional(text),
});

const state = record<FirewallState>({
  cloud: oneOf('aws', 'gcp', 'azure', 'kubernetes', 'local'),
  evaluation: oneOf('union', 'first-match'),
  openings: list(opening),
  interfaces: list(place),
});

const row = record<UsageRow>({
  interface: text,
  local: text,
  protocol: number,
  port: number,
  kind: oneOf('opened-in', 'answered', 'refused', 'rejected', 'opened-out', 'in', 'out'),
  peer: optional(text),
  portLow: number,
  portHigh: number,
  peerPortLow: number,
  peerPortHigh: number,
  first: number,
  last: number,
  firstInWindow: optional(number),
  lastInWindow: optional(number),
  days: list(text),
  records: number,
  packets: number,
  bytes: number,
  largest: number,
});

const coverage = record<ScopeCoverage>({
  scope: text,
  seenHours: number,
  lostHours: number,
  seenDays: list(text),
  hoursADay: number,
  firstSeen: number,
  lastSeen: number,
  gaps: list(window),
});

const evidence = record<UsageEvidence>({
  window,
  rows: list(row),
  coverage: list(coverage),
  damaged: list(record<UsageEvidence['damaged'][number]>({ key: text, malformed: number, unreadable: optional(text) })),
  sampled: flag,
  digest: text,
});

const log = record<KeptFacts['logs'][number]>({
  name: text,
  covers: optional(list(text)),
  traffic: oneOf('all', 'accepted', 'rejected'),
  createdAt: optional(number),
  trouble: optional(text),
  hasFlags: optional(flag),
  evidence: optional(number),
});

const policy = record<IdlePolicy>({
  minCoverage: number,
  toleratedLostHours: number,
  settleMs: number,
  periodFactor: number,
  minPeriodGaps: number,
  scanners: list(text),
});

const facts = record<KeptFacts>({
  form: oneOf(factsForm),
  state,
  evidence: list(evidence),
  logs: list(log),
  policy,
  asOf: number,
});
