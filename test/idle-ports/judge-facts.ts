import { after, day, dayOf, hour, minute, parseInstant, type Instant } from '../../shared/base/time.ts';
import type { FirewallState, Interface, Opening, Source } from '../../shared/firewalls/contract.ts';
import type { FactKind } from '../../shared/flow-logs/contract.ts';
import type { CoverageExpectation } from '../../shared/idle-ports/judging/coverage/expected.ts';
import { judge } from '../../shared/idle-ports/judging/judge.ts';
import { defaultIdlePolicy, type IdlePolicy } from '../../shared/idle-ports/judging/policy.ts';
import type { Verdict } from '../../shared/idle-ports/verdict.ts';
import type { ScopeCoverage, UsageEvidence, UsageRow, Window } from '../../shared/usage/evidence.ts';

/** The window of every test here: 30 whole days. History goes back 60 days more. */
export const window: Window = { from: parseInstant('2026-10-01T00:00:00Z'), to: parseInstant('2026-10-31T00:00:00Z') };

/** A time in the window, `days` and `ms` after its beginning; negative days are before it. */
export function at(days: number, ms = 0): Instant {
  return after(window.from, days * day + ms);
}

export const server = '10.0.1.10';
export const client = '10.0.2.20';

/** An interface that was always there. */
export function place(id: string, addresses: readonly string[], more: Partial<Interface> = {}): Interface {
  return {
    id,
    addresses,
    within: ['vpc-1', 'subnet-1'],
    attachedAt: parseInstant('2026-01-01T00:00:00Z'),
    blindSpot: undefined,
    ...more,
  };
}

/** The server's interface; openings apply to it unless they say otherwise. */
export const eniServer = place('eni-server', [server]);

/** An opening for TCP 443 from 10.0.0.0/8 at the server, changed as told. */
export function opening(more: Partial<Opening> & { readonly from?: string | readonly Source[] } = {}): Opening {
  const { from = '10.0.0.0/8', ...rest } = more;
  const sources: readonly Source[] = typeof from === 'string' ? [{ kind: 'addresses', cidrs: [from] }] : from;
  return {
    id: 'sgr-1',
    ruleSet: 'sg-1',
    direction: 'ingress',
    protocol: 6,
    ports: { from: 443, to: 443 },
    sources,
    targets: [eniServer.id],
    createdAt: undefined,
    description: '',
    managedBy: undefined,
    rule: {},
    fingerprint: 'f',
    ...rest,
  };
}

export function group(name: string, ...members: string[]): readonly Source[] {
  return [{ kind: 'group', group: name, members }];
}

interface RowText extends Partial<UsageRow> {
  /** Days relative to the window's beginning on which there was such traffic. */
  readonly on?: readonly number[];
}

/** A fact row at the server's port 443 from the client, on day 10, changed as told. */
export function row(kind: FactKind, more: RowText = {}): UsageRow {
  const { on = [10], ...rest } = more;
  const times = on.map((days) => at(days, 12 * hour));
  const inside = times.filter((time) => window.from <= time && time < window.to);
  const port = rest.port ?? 443;
  const folded = { portLow: rest.portLow ?? port, portHigh: rest.portHigh ?? port };
  const last = inside.at(-1);
  return {
    interface: eniServer.id,
    local: server,
    protocol: 6,
    port,
    kind,
    peer: client,
    peerPortLow: 40_000,
    peerPortHigh: 40_000,
    first: times[0] ?? window.from,
    last: after(times.at(-1) ?? window.from, minute),
    firstInWindow: inside[0],
    lastInWindow: last === undefined ? undefined : after(last, minute),
    days: times.map(dayOf),
    records: times.length,
    packets: 10 * times.length,
    bytes: 5000 * times.length,
    largest: 500,
    ...folded,
    ...rest,
  };
}

/** A packet of nothing but a header: SYN, reset, keep-alive. */
export const small = { largest: 40, packets: 1, bytes: 40 } as const;

/** Coverage of one scope in every hour of the window, changed as told. */
export function seen(scope: string = eniServer.id, more: Partial<ScopeCoverage> = {}): ScopeCoverage {
  const seenDays = Array.from({ length: 30 }, (_, index) => dayOf(at(index)));
  return {
    scope,
    seenHours: 720,
    lostHours: 0,
    seenDays,
    hoursADay: 24,
    firstSeen: at(-60),
    lastSeen: at(30, -minute),
    gaps: [],
    ...more,
  };
}

export function evidence(rows: readonly UsageRow[], more: Partial<UsageEvidence> = {}): UsageEvidence {
  return { window, rows, coverage: [seen()], damaged: [], sampled: false, digest: 'd', ...more };
}

export function log(more: Partial<CoverageExpectation> = {}): CoverageExpectation {
  return {
    name: 'fl-1',
    covers: ['vpc-1'],
    traffic: 'all',
    createdAt: undefined,
    trouble: undefined,
    hasFlags: undefined,
    evidence: undefined,
    ...more,
  };
}

interface Case {
  readonly openings?: readonly Opening[];
  readonly interfaces?: readonly Interface[];
  readonly rows?: readonly UsageRow[];
  readonly evidence?: Partial<UsageEvidence>;
  readonly logs?: readonly CoverageExpectation[];
  readonly policy?: Partial<IdlePolicy>;
}

/** Judges a case: one opening at one interface with complete coverage, unless told otherwise. */
export function verdictsOf(one: Case): readonly Verdict[] {
  const state: FirewallState = {
    cloud: 'aws',
    evaluation: 'union',
    openings: one.openings ?? [opening()],
    interfaces: one.interfaces ?? [eniServer],
  };
  const input = {
    state,
    evidence: evidence(one.rows ?? [], one.evidence),
    logs: one.logs ?? [],
    policy: { ...defaultIdlePolicy, ...one.policy },
    asOf: window.to,
  };
  return judge(input);
}

/** The verdict on the first opening as `verdict code,code`. */
export function verdictOf(one: Case): string {
  const [first] = verdictsOf(one);
  return `${first?.verdict} ${first?.reasons.map(({ code }) => code).join()}`;
}
