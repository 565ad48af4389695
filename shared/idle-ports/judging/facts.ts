import { asPlain, canonicalJson, sha256 } from '../../base/canonical.ts';
import { LockkeeperError } from '../../base/error.ts';
import type { Verdict } from '../verdict.ts';
import { factsForm, fitsFacts, type KeptFacts } from './facts-form.ts';
import { judge, type JudgeInput } from './judge.ts';

/**
 * Version of the rules of judging, not of the form of the facts. 2: what anybody can send proves no reply, and addresses
 * are those of one network; stricter than 1, so a verdict of 1 that an opening is idle may be reached no more.
 */
export const judgeVersion = 2;

/** The facts of one judgement as they are kept. */
export interface Facts {
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes, 64 hex digits: the name under which they are kept. */
  readonly hash: string;
}

/**
 * Everything that judge() is given, of all openings of the run, as canonical JSON; see KeptFacts. It is whole: what was
 * left out could not be missed by whoever judges again, and one opening's verdict depends on its neighbours.
 */
export function factsOf({ evidence, logs, ...rest }: JudgeInput): Facts {
  const different = [...new Set([evidence, ...logs.flatMap((log) => log.evidence ?? [])])];
  const placed = logs.map((log) => ({ ...log, evidence: log.evidence && different.indexOf(log.evidence) }));
  const kept: KeptFacts = { ...rest, form: factsForm, evidence: different, logs: placed };
  const bytes = Buffer.from(canonicalJson(asPlain(kept)));
  return { bytes, hash: sha256(bytes) };
}

/** What was given to the judge; `invalid` where the bytes are not those of `hash`, or not what factsOf writes. */
export function readFacts(bytes: Uint8Array, hash: string): JudgeInput {
  const found = sha256(bytes);
  if (found !== hash) throw notFacts(hash, `their hash is ${found}`);
  let kept: unknown;
  try {
    kept = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw notFacts(hash, 'they are not JSON', cause);
  }
  if (!fitsFacts(kept)) throw notFacts(hash, `they do not have the form ${factsForm}`);
  const { form: _form, evidence: different, logs, ...rest } = kept;
  const evidence = different[0];
  const isKnown = logs.every((log) => log.evidence === undefined || different[log.evidence]);
  if (!evidence || !isKnown) throw notFacts(hash, 'they name evidence that is not in them');
  return {
    ...rest,
    evidence,
    logs: logs.map((log) => ({ ...log, evidence: log.evidence === undefined ? undefined : different[log.evidence] })),
  };
}

/**
 * Judges again: the verdict on one opening that follows from the facts, undefined where they hold no such opening.
 * Pure.
 */
export function recompute(facts: JudgeInput, opening: string): Verdict | undefined {
  return judge(facts).find(({ rule }) => rule === opening);
}

function notFacts(hash: string, why: string, cause?: unknown): LockkeeperError {
  return new LockkeeperError('invalid', `the facts kept as ${hash} cannot be used: ${why}`, {
    ...(cause !== undefined && { cause }),
    hint: 'They were changed, or written by another version of lockkeeper. Compare with a copy of the log.',
  });
}
