import { refuse } from '../../audit/entries/refuse-secrets.ts';
import type { AuditEvent } from '../../audit/entry.ts';
import { asPlain, canonicalJson, sha256, type Plain } from '../../base/canonical.ts';
import { LockkeeperError } from '../../base/error.ts';
import { formatInstant } from '../../base/time.ts';
import { toolVersion } from '../../base/version.ts';
import type { ObjectStore } from '../../objects/contract.ts';
import { factsOf, judgeVersion, type Facts } from '../judging/facts.ts';
import type { JudgeInput } from '../judging/judge.ts';
import type { Verdict } from '../verdict.ts';
import type { ClosingDeps } from './closing-deps.ts';
import type { Closure } from './closure.ts';
import type { Material, Proposal } from './proposal.ts';
import { record } from './recorded.ts';

/** What the log remembers of a verdict, enough to reach it again without trusting who wrote it. */
export type Receipt = {
  /** SHA-256 of the facts, which is also their name; see keyOfFacts. */
  readonly evidence: string;
  /** Their size. */
  readonly bytes: number;
  /** What the reader of usage facts says of them: see UsageEvidence. */
  readonly digest: string;
  /** RFC 3339; `to` is not in it. */
  readonly window: { readonly from: string; readonly to: string };
  /** Share of the window that the logs could have seen, 0–1. */
  readonly coverage: number | null;
  /** The name of the rules of judging. */
  readonly policy: string;
  readonly tool: string;
  /** Version of the rules of judging; receipts without one are of version 1. */
  readonly judge: number;
  /** The verdict in full. */
  readonly verdict: Plain;
  /** What the entry does not say besides of what people were asked: with it the proposal's hash can be taken again. */
  readonly proposal: ProposalRest;
};

type ProposalRest = Omit<Proposal, 'firewall' | 'opening' | 'before' | 'after' | 'fingerprint'>;

/** The action under which receipts are in the log; their correlation is the proposal's hash. */
export const receiptAction = 'proposal.receipt';

/** Where facts are kept, beside the log's entries. */
export function keyOfFacts(hash: string): string {
  return `evidence/${hash}.json`;
}

/**
 * Makes the facts durable on which a proposal rests, then tells the log their hash. A crash in between leaves facts
 * that nothing names; repeating it tells the log a second time. Facts of one judgement are written once a run.
 */
export async function keepReceipt(
  deps: ClosingDeps,
  closure: Closure,
  { judgement, verdict }: Material,
): Promise<void> {
  const { hash, bytes } = await keepFacts(deps.evidence, judgement.input);
  const { form, ruleSet, rejectsVisible, windowMs, verdict: name, reasons, policy, round } = closure.proposal;
  const receipt: Receipt = {
    evidence: hash,
    ...claimsOf(judgement.input, bytes, verdict),
    policy,
    tool: `lockkeeper ${toolVersion}`,
    judge: judgeVersion,
    verdict: asPlain(verdict),
    proposal: { form, ruleSet, rejectsVisible, windowMs, verdict: name, reasons, policy, round },
  };
  await record(deps, closure, { action: receiptAction, details: receipt });
}

/** The receipt in the details of an entry; undefined where they are none. */
export function receiptIn(details: {
  readonly [name: string]: Plain | undefined;
}): Pick<Receipt, 'evidence' | 'verdict' | 'tool' | 'judge'> | undefined {
  const { evidence, verdict, tool, judge = 1 } = details;
  if (
    typeof evidence !== 'string' ||
    !/^[0-9a-f]{64}$/.test(evidence) ||
    verdict === undefined ||
    typeof tool !== 'string' ||
    typeof judge !== 'number'
  )
    return undefined;
  return { evidence, verdict, tool, judge };
}

/** What a receipt says of its facts besides their hash. */
function claimsOf({ evidence }: JudgeInput, bytes: Uint8Array, verdict: Verdict | undefined) {
  const { digest, window } = evidence;
  return {
    bytes: bytes.length,
    digest,
    window: { from: formatInstant(window.from), to: formatInstant(window.to) },
    coverage: verdict?.coverage ?? null,
  };
}

/**
 * What differs between an entry that is a receipt and what its facts give, one line a member; empty where it tells the
 * truth.
 */
export function receiptDifferences(
  { subject, correlation, details }: AuditEvent,
  bytes: Uint8Array,
  again: { readonly facts: JudgeInput; readonly verdict: Verdict | undefined },
): readonly string[] {
  const { bytes: size, digest, window, coverage, verdict, firewall, before, after, fingerprint, proposal } = details;
  const asked = { ...(isRecord(proposal) && proposal), firewall, opening: subject.id, before, after, fingerprint };
  return [
    ...differences({ proposal: correlation }, { proposal: sha256(canonicalJson(asked)) }),
    ...differences({ bytes: size, digest, window, coverage }, claimsOf(again.facts, bytes, again.verdict)),
    ...verdictDifferences(verdict ?? null, again.verdict),
  ];
}

/**
 * True where an entry differs from what its facts give in nothing but the verdict, which older rules of judging reached,
 * and the present ones doubt, or reach with other details: they are stricter, and nobody changed anything.
 */
export function isJudgedStricter(
  { details }: AuditEvent,
  found: readonly string[],
  again: Verdict | undefined,
): boolean {
  const logged = details['verdict'];
  const judge = details['judge'] ?? 1;
  const isOlder = typeof judge === 'number' && judge < judgeVersion;
  if (!isOlder || !again || !isRecord(logged)) return false;
  if (!['used', 'cannot-tell', logged['verdict']].includes(again.verdict)) return false;
  const ofVerdict = verdictDifferences(logged, again);
  return found.every((difference) => ofVerdict.includes(difference));
}

/**
 * What differs between the verdict in the log and the one reached again, one line a member; empty where they are the
 * same.
 */
export function verdictDifferences(logged: Plain, again: Verdict | undefined): readonly string[] {
  return differences(logged, again === undefined ? null : asPlain(again));
}

function differences(logged: Plain, again: Plain): readonly string[] {
  const [was, is] = [membersOf(logged), membersOf(again)];
  const names = [...new Set([...was.keys(), ...is.keys()])].toSorted();
  return names.flatMap((name) =>
    was.get(name) === is.get(name) ? [] : [`${name}: ${was.get(name) ?? 'nothing'} → ${is.get(name) ?? 'nothing'}`],
  );
}

/** A run asks about many openings on one judgement: its facts are gathered once, and written once to a store. */
const kept = new WeakMap<JudgeInput, { readonly facts: Facts; readonly stores: WeakSet<ObjectStore> }>();

async function keepFacts(store: ObjectStore, input: JudgeInput): Promise<Facts> {
  const { facts, stores } = kept.get(input) ?? { facts: factsWithoutSecrets(input), stores: new WeakSet() };
  kept.set(input, { facts, stores });
  if (stores.has(store)) return facts;
  const key = keyOfFacts(facts.hash);
  const answer = await store.create(key, facts.bytes);
  if (answer.outcome === 'exists')
    throw new LockkeeperError('invalid', `${key} holds something else than the facts of that hash`, {
      hint: "Run `lockkeeper audit verify`: somebody wrote into the log's store.",
    });
  stores.add(store);
  return facts;
}

/**
 * The last guard before facts are kept for ever. Rows of usage are numbers, names and addresses that flow logs are
 * keyed by.
 */
function factsWithoutSecrets(input: JudgeInput): Facts {
  refuse(
    {
      state: input.state,
      logs: input.logs.map(({ evidence: _evidence, ...log }) => log),
      damaged: input.evidence.damaged,
    },
    'facts',
  );
  return factsOf(input);
}

function membersOf(value: Plain): ReadonlyMap<string, string> {
  if (!isRecord(value)) return new Map([['verdict', canonicalJson(value)]]);
  return new Map(
    Object.entries(value).flatMap(([name, item]) => (item === undefined ? [] : [[name, canonicalJson(item)] as const])),
  );
}

function isRecord(value: Plain | undefined): value is { readonly [name: string]: Plain | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
