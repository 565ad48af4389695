import type { AuditEvent, AuditLog } from '../../shared/audit/entry.ts';
import { refuseSecrets } from '../../shared/audit/entries/refuse-secrets.ts';
import type { Heard } from '../../shared/approvals/contract.ts';
import { MemoryBoard, memoryApprovals } from '../../shared/approvals/memory.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { after, day, hour, instant, type Instant } from '../../shared/base/time.ts';
import { memoryFirewall, MemoryNetwork, type MemoryRule } from '../../shared/firewalls/memory.ts';
import { memoryObjects, MemoryBucket } from '../../shared/objects/memory.ts';
import type { ClosingHooks, ClosingDeps } from '../../shared/idle-ports/closing/closing-deps.ts';
import type { Closure } from '../../shared/idle-ports/closing/closure.ts';
import { ClosureJournal } from '../../shared/idle-ports/closing/closure-journal.ts';
import { defaultClosingPolicy, type ClosingPolicy } from '../../shared/idle-ports/closing/limits.ts';
import type { People } from '../../shared/idle-ports/closing/people.ts';
import type { Judgement } from '../../shared/idle-ports/closing/proposal.ts';
import type { AnswerLog } from '../../shared/idle-ports/closing/said.ts';
import { refusalsOf, type Refusals } from '../../shared/idle-ports/closing/refusals.ts';
import { defaultIdlePolicy } from '../../shared/idle-ports/judging/policy.ts';
import { withholdFrom } from '../../shared/idle-ports/judging/withheld.ts';
import type { Verdict, VerdictName } from '../../shared/idle-ports/verdict.ts';
import type { UsageEvidence, UsageRow } from '../../shared/usage/evidence.ts';
import { testWorld } from '../world.ts';

/** One network, one state store, one log and some people: what all processes of a test share. */
export class ClosingPlace {
  readonly world = testWorld();
  readonly bucket = new MemoryBucket();
  /** Where the facts behind verdicts lie. */
  readonly facts = new MemoryBucket();
  readonly board = new MemoryBoard();
  readonly entries: AuditEvent[] = [];
  readonly #times: Instant[] = [];
  /** What the log has. */
  readonly said: AnswerLog = {
    between: async (from, to) =>
      this.entries
        .map((event, n) => ({ event, at: this.#times[n] ?? instant(0) }))
        .filter(({ at }) => at >= from && at <= to),
  };
  readonly network: MemoryNetwork;
  readonly people: People = {
    service: 'db',
    owner: 'olga',
    approvers: ['ann', 'ben', 'carl'],
    excluded: ['carl'],
    needed: 2,
  };
  policy: ClosingPolicy = { ...defaultClosingPolicy, maxPerService: 9, maxClosuresPerRun: 9 };
  /** What the judge says of an opening; unused where nothing stands here. */
  readonly verdicts = new Map<string, Partial<Verdict> & { verdict: VerdictName }>();
  /** The service behind an opening; `db` where nothing stands here. */
  readonly services = new Map<string, string>();
  /** Flow-log rows that evidence will hold. */
  readonly rows: UsageRow[] = [];
  judgePolicy = 'judge/1';
  windowMs = 30 * day;
  /** The logs reach to this long ago. */
  logDelayMs = hour;

  constructor(rules: readonly MemoryRule[] = [rule('r-1'), rule('r-2', { ports: { from: 80, to: 80 } })]) {
    this.network = new MemoryNetwork(
      [
        {
          id: 'if-a',
          addresses: ['10.0.0.10'],
          within: ['net', 'rules-a'],
          attachedAt: undefined,
          blindSpot: undefined,
        },
      ],
      rules,
    );
  }

  /** The dependencies of one process. */
  deps(): ClosingDeps {
    return {
      world: this.world,
      state: memoryObjects(this.bucket),
      audit: this.audit(),
      said: this.said,
      evidence: memoryObjects(this.facts),
      approvals: memoryApprovals(new Map([['ann', new Sealed('ann-token')]]), this.board),
      firewalls: new Map([['net', memoryFirewall('net', this.network)]]),
      policy: this.policy,
      people: (_, { id }) => ({ ...this.people, service: this.services.get(id) ?? this.people.service }),
    };
  }

  hooks(): ClosingHooks & { refusals(closure: Closure): Promise<Refusals> } {
    return {
      judge: () => this.judgement(),
      refusals: async (closure) => refusalsOf(closure, this.evidence(), this.policy),
    };
  }

  async judgement(): Promise<Judgement> {
    const firewall = memoryFirewall('net', this.network);
    const state = withholdFrom(await firewall.openings());
    const now = this.world.now();
    const window = { from: after(now, -this.windowMs), to: now };
    const verdicts = state.openings.map(({ id, ruleSet }) => ({
      ...unused(id, ruleSet, now),
      ...this.verdicts.get(id),
    }));
    const input = { state, evidence: this.evidence(), logs: [], policy: defaultIdlePolicy, asOf: now };
    return { firewall: 'net', state, verdicts, window, policy: this.judgePolicy, input };
  }

  evidence(): UsageEvidence {
    const now = this.world.now();
    const lastSeen = after(now, -this.logDelayMs);
    const coverage = [
      {
        scope: 'if-a',
        seenHours: 720,
        lostHours: 0,
        seenDays: [],
        hoursADay: 24,
        firstSeen: instant(0),
        lastSeen,
        gaps: [],
      },
    ];
    return {
      window: { from: after(now, -this.windowMs), to: now },
      rows: this.rows,
      coverage,
      damaged: [],
      sampled: false,
      digest: '',
    };
  }

  async closure(opening: string): Promise<Closure> {
    const held = await new ClosureJournal(memoryObjects(this.bucket)).load('net', opening);
    if (!held) throw new Error(`nobody was asked about ${opening}`);
    return held.closure;
  }

  /** What people say to the present question about an opening. */
  async says(who: string, answer: Heard['answer'], opening: string, rest: Partial<Heard> = {}): Promise<Heard> {
    const { hash } = await this.closure(opening);
    return { hash, answer, who, why: answer === 'approve' ? '' : 'because', until: undefined, ...rest };
  }

  /** Actions in the log that concern an opening, in order, as `action stage`. */
  log(opening: string): readonly string[] {
    return this.entries
      .filter(({ subject }) => subject.id === opening)
      .map(({ action, stage }) => `${action} ${stage}`);
  }

  audit(): AuditLog {
    return {
      record: async (event) => {
        refuseSecrets(event);
        this.entries.push(structuredClone(event));
        this.#times.push(this.world.now());
        return { run: 'heard', n: this.entries.length - 1, hash: '', at: this.world.now() };
      },
    };
  }
}

/** A TCP rule at port 5432 for 10.0.0.0/8 unless told otherwise. */
export function rule(id: string, rest: Partial<MemoryRule> = {}): MemoryRule {
  return {
    id,
    ruleSet: 'rules-a',
    protocol: 6,
    ports: { from: 5432, to: 5432 },
    cidrs: ['10.0.0.0/8'],
    description: `why ${id}`,
    tags: { team: 'data' },
    created: '2026-01-02T03:04:05Z',
    ...rest,
  };
}

/** One row of flow-log facts; a rejected TCP attempt at 5432 unless told otherwise. */
export function row(peer: string, last: Instant, rest: Partial<UsageRow> = {}): UsageRow {
  const port = rest.port ?? 5432;
  const where = {
    interface: 'if-a',
    local: '10.0.0.10',
    protocol: 6,
    port,
    portLow: port,
    portHigh: port,
    peerPortLow: 40_000,
    peerPortHigh: 40_000,
  };
  const when = { first: last, last, firstInWindow: last, lastInWindow: last, days: [] };
  return { ...where, ...when, kind: 'rejected', peer, records: 1, packets: 1, bytes: 60, largest: 60, ...rest };
}

function unused(id: string, ruleSet: string, now: Instant): Verdict {
  return {
    rule: id,
    ruleSet,
    verdict: 'unused',
    reasons: [{ code: 'silent', text: `Nothing came in until ${now}.` }],
    lastNew: undefined,
    lastPacket: undefined,
    activeDays: 0,
    coverage: 1,
    knocks: { count: 0, last: undefined, from: [] },
    usedPorts: [],
    alsoAllowedBy: [],
  };
}
