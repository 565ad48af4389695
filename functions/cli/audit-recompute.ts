import type { Entry } from '../../shared/audit/entries/codec.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { toolVersion } from '../../shared/base/version.ts';
import {
  isJudgedStricter,
  keyOfFacts,
  receiptAction,
  receiptIn,
  receiptDifferences,
} from '../../shared/idle-ports/closing/receipt.ts';
import { judgeVersion, readFacts, recompute } from '../../shared/idle-ports/judging/facts.ts';
import type { Verdict } from '../../shared/idle-ports/verdict.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { entriesOf, type AuditPlace, type AuditDeps, type AuditStores } from './audit.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';

/** What judging again brought. */
interface Recomputed {
  readonly opening: string;
  /** SHA-256 of the facts, which were read and have it. */
  readonly evidence: string;
  /** The tool that judged then. */
  readonly tool: string;
  readonly verdict: Verdict | undefined;
  /**
   * Empty where the verdict, what the receipt says of the facts, and the hash that people answered to are as logged.
   */
  readonly differences: readonly string[];
  /** Version of the rules of judging then. */
  readonly judge: number;
  /** All differences are that these older rules said idle where the present ones doubt: nothing was changed. */
  readonly judgedStricter: boolean;
}

/**
 * `lockkeeper audit recompute HASH`: takes the facts that a proposal rests on, checks their hash, and judges again.
 * What the receipt says of the facts is checked too, and that the proposal's hash is that of what people were asked.
 * HASH is the proposal's, or the id or hash of any entry about it; the first 6 digits are enough. Exit code 1 where
 * anything is not as logged, unless that is only because older rules of judging were used then, and stricter ones doubt
 * the verdict now: that is told, and is 0. `not-found` where there is no receipt or its facts are gone, `invalid` where they were
 * changed or the digits fit several. Reads only.
 */
export async function auditRecomputeVerb(
  wanted: { readonly hash: string; readonly place: AuditPlace },
  deps: AuditDeps,
  terminal: Terminal,
): Promise<ExitCode> {
  checkDigits(wanted.hash);
  const stores = await deps.stores(wanted.place);
  const result = await judgeAgain(stores.log, await receiptOf(stores, wanted.hash));
  const same = result.differences.length === 0;
  if (terminal.json)
    terminal.out(
      JSON.stringify({
        ...result,
        verdict: result.verdict ?? null,
        same,
        judgedBy: `lockkeeper ${toolVersion}`,
        judgeNow: judgeVersion,
      }),
    );
  else for (const line of told(result)) terminal.out(line);
  return same || result.judgedStricter ? exitCode.done : exitCode.failed;
}

function checkDigits(hash: string): void {
  if (/^[0-9a-f]{6,64}$/.test(hash)) return;
  throw new LockkeeperError('invalid', `${JSON.stringify(hash)} is no hash of a proposal and no id of an entry`, {
    hint: 'Give at least its first 6 digits; `lockkeeper audit show --action proposal.receipt` lists them.',
  });
}

/** One reading of the log. Of several receipts of one proposal the last counts, unless an entry's id names another. */
async function receiptOf(stores: AuditStores, digits: string): Promise<Entry> {
  const receipts = new Map<string, Entry>();
  const named = new Map<string, Entry | undefined>();
  for await (const entry of entriesOf(stores)) {
    const { correlation, action } = entry.event;
    if (action === receiptAction) receipts.set(correlation, entry);
    if (entry.id.startsWith(digits) || entry.hash.startsWith(digits))
      named.set(correlation, action === receiptAction ? entry : undefined);
    if (correlation.startsWith(digits)) named.set(correlation, undefined);
  }
  const [found, ...more] = named;
  if (more.length > 0)
    throw new LockkeeperError('invalid', `several proposals fit ${digits}`, { hint: 'Give more of its digits.' });
  const receipt = found && (found[1] ?? receipts.get(found[0]));
  if (receipt) return receipt;
  throw new LockkeeperError('not-found', `the log holds no receipt for ${digits}`, {
    hint: '`lockkeeper audit show --action proposal.receipt` lists those it holds.',
  });
}

async function judgeAgain(log: ObjectStore, { event }: Entry): Promise<Recomputed> {
  const receipt = receiptIn(event.details);
  if (!receipt)
    throw new LockkeeperError('invalid', 'the receipt does not say on what it rests', {
      hint: 'It was written by another version of lockkeeper.',
    });
  const { evidence, tool, judge } = receipt;
  const stored = await log.get(keyOfFacts(evidence));
  if (!stored)
    throw new LockkeeperError(
      'not-found',
      `${keyOfFacts(evidence)} is gone: the verdict on ${event.subject.id} cannot be reached again`,
      { hint: 'Run `lockkeeper audit verify`, or look in a copy of the log.' },
    );
  const facts = readFacts(stored.bytes, evidence);
  const verdict = recompute(facts, event.subject.id);
  const differences = receiptDifferences(event, stored.bytes, { facts, verdict });
  return {
    opening: event.subject.id,
    evidence,
    tool,
    verdict,
    differences,
    judge,
    judgedStricter: differences.length > 0 && isJudgedStricter(event, differences, verdict),
  };
}

function told({ opening, evidence, tool, verdict, differences, judge, judgedStricter }: Recomputed): readonly string[] {
  const what =
    verdict === undefined
      ? 'not among the openings'
      : `${verdict.verdict}: ${verdict.reasons.map(({ text }) => text).join(' ')}`;
  const [again, then] = [`lockkeeper ${toolVersion}`, tool === `lockkeeper ${toolVersion}` ? '' : `, then by ${tool}`];
  const conclusion = (): string => {
    if (differences.length === 0) return `same as logged (judged again by ${again}${then})`;
    if (!judgedStricter) return `NOT as logged (judged again by ${again}${then}):`;
    return `judged by older rules then (version ${judge}), by stricter ones now (version ${judgeVersion}): facts and question are as logged, only the verdict differs:`;
  };
  return [
    `facts ${evidence}: unchanged`,
    `opening ${opening}: ${what}`,
    conclusion(),
    ...differences.map((difference) => `  ${difference}`),
  ];
}
