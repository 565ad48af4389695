import { describe, expect, test } from '@jest/globals';
import { fc } from '../properties.ts';
import { asPlain, sha256, type Plain } from '../../shared/base/canonical.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import { keyOfFacts, receiptIn, verdictDifferences } from '../../shared/idle-ports/closing/receipt.ts';
import { scan } from '../../shared/idle-ports/closing/scan.ts';
import { factsOf, readFacts, recompute } from '../../shared/idle-ports/judging/facts.ts';
import { judge, type JudgeInput } from '../../shared/idle-ports/judging/judge.ts';
import { defaultIdlePolicy } from '../../shared/idle-ports/judging/policy.ts';
import type { Verdict } from '../../shared/idle-ports/verdict.ts';
import { ClosingPlace } from './closing-world.ts';
import { eniServer, evidence, group, log, opening, row, window } from './judge-facts.ts';
import { judgeInputs } from './judge-inputs.ts';

const quiet: JudgeInput = {
  state: { cloud: 'aws', evaluation: 'union', openings: [opening()], interfaces: [eniServer] },
  evidence: evidence([row('out', { port: 9, peer: '10.200.0.1' })]),
  logs: [],
  policy: defaultIdlePolicy,
  asOf: window.to,
};

/** The same, as it is kept. */
const kept = { ...quiet, form: 'lockkeeper.facts/1', evidence: [quiet.evidence] };

/** A place where openings are judged for real. */
async function judged(place = new ClosingPlace()) {
  const judgement = await place.judgement();
  const input = { ...judgement.input, evidence: { ...judgement.input.evidence, digest: 'digest-of-usage' } };
  return { place, judgement: { ...judgement, input } };
}

const receipts = ({ entries }: ClosingPlace) => entries.filter(({ action }) => action === 'proposal.receipt');

/** A verdict as it comes back out of the log. */
function asLogged(verdict: Verdict | undefined): Plain {
  return asPlain(JSON.parse(JSON.stringify(verdict)));
}

describe('facts', () => {
  test('of any account give the very verdicts again, after they were written and read', () => {
    fc.assert(
      fc.property(judgeInputs, (input) => {
        const { bytes, hash } = factsOf(input);
        const read = readFacts(bytes, hash);
        expect(JSON.stringify(judge(read))).toBe(JSON.stringify(judge(input)));
        const [verdict] = judge(input);
        expect(verdictDifferences(asLogged(verdict), recompute(read, verdict?.rule ?? ''))).toEqual([]);
        expect(factsOf(read).hash).toBe(hash);
      }),
      { numRuns: 100 },
    );
  });

  test('of one account have one name, and those of another have another', () => {
    expect(factsOf(quiet).hash).toBe(factsOf(structuredClone(quiet)).hash);
    expect(factsOf(quiet).hash).not.toBe(factsOf({ ...quiet, policy: { ...quiet.policy, minCoverage: 0.98 } }).hash);
  });

  test('with one byte changed are refused, whatever the byte', () => {
    const { bytes, hash } = factsOf(quiet);
    for (let at = 0; at < bytes.length; at += 37) {
      const touched = Uint8Array.from(bytes);
      touched[at] = (touched[at] ?? 0) ^ 1;
      expect(() => readFacts(touched, hash)).toThrow(/their hash is/);
    }
  });

  test.each<[string, unknown]>([
    ['no JSON', undefined],
    ['no object', 7],
    ['another form', { ...kept, form: 'lockkeeper.facts/2' }],
    ['a window without an end', { ...kept, evidence: [{ ...quiet.evidence, window: { from: 1 } }] }],
    [
      'an opening without sources',
      { ...kept, state: { ...quiet.state, openings: [{ ...opening(), sources: undefined }] } },
    ],
    ['a log that keeps who knows what', { ...kept, logs: [{ ...log(), traffic: 'some' }] }],
    ['no evidence', { ...kept, evidence: [] }],
    ['a log whose evidence is elsewhere', { ...kept, logs: [{ ...log(), evidence: 1 }] }],
  ])('that are %s are refused although the hash fits', (_, content) => {
    const bytes = Buffer.from(content === undefined ? 'x' : JSON.stringify(content));
    expect(() => readFacts(bytes, sha256(bytes))).toThrow(
      expect.objectContaining({ code: 'invalid', hint: expect.any(String) }),
    );
  });

  test('are never written where a secret got among them', () => {
    const rule = { note: new Sealed('planted') };
    const broken = { ...quiet, state: { ...quiet.state, openings: [Object.assign(opening(), { rule })] } };
    expect(() => factsOf(broken)).toThrow(/no plain data/);
  });

  test('with a row taken away lead to another verdict, and the difference is named', () => {
    const used = { ...quiet, evidence: evidence([...quiet.evidence.rows, row('opened-in'), row('answered')]) };
    const [logged] = judge(used);
    expect(logged?.verdict).toBe('used');
    expect(verdictDifferences(asLogged(logged), recompute(quiet, 'sgr-1'))).toEqual(
      expect.arrayContaining(['verdict: "used" → "unused"']),
    );
    expect(verdictDifferences(asLogged(logged), recompute(quiet, 'gone'))).not.toEqual([]);
  });
});

describe('asking people', () => {
  test('leaves a receipt for each proposal, and the facts under their hash, written once for all of them', async () => {
    const { place, judgement } = await judged();
    await scan(place.deps(), judgement);
    const key = keyOfFacts(factsOf(judgement.input).hash);
    expect([...place.facts.objects.keys()]).toEqual([key]);
    expect(receipts(place)).toHaveLength(2);
    for (const { details, subject, correlation } of receipts(place)) {
      const verdict = judgement.verdicts.find(({ rule }) => rule === subject.id);
      expect(details).toMatchObject({
        digest: 'digest-of-usage',
        coverage: 1,
        policy: 'judge/1',
        tool: 'lockkeeper 0.1.0',
        window: { to: '2026-10-01T00:00:00Z' },
      });
      expect(keyOfFacts(receiptIn(details)?.evidence ?? '')).toBe(key);
      expect(receiptIn(details)?.verdict).toEqual(JSON.parse(JSON.stringify(verdict)));
      expect(correlation).toBe((await place.closure(subject.id)).hash);
      expect(sha256(place.facts.objects.get(key)?.bytes ?? '')).toBe(details['evidence']);
    }
  });

  test('comes after the receipt, and after the facts that the receipt names', async () => {
    const { place, judgement } = await judged();
    const deps = place.deps();
    const order: string[] = [];
    const create: typeof deps.evidence.create = async (key, bytes) => {
      order.push('facts');
      return deps.evidence.create(key, bytes);
    };
    const ask: typeof deps.approvals.ask = async (question) => {
      order.push(`question ${receipts(place).length}`);
      return deps.approvals.ask(question);
    };
    await scan({ ...deps, evidence: { ...deps.evidence, create }, approvals: { ...deps.approvals, ask } }, judgement);
    expect(order).toEqual(['facts', 'question 1', 'question 2']);
  });

  test('is not done where the facts cannot be kept', async () => {
    const { place, judgement } = await judged();
    const deps = place.deps();
    const create = async () => Promise.reject(new LockkeeperError('unreachable', 'the log store is down'));
    await expect(scan({ ...deps, evidence: { ...deps.evidence, create } }, judgement)).rejects.toMatchObject({
      code: 'unreachable',
    });
    expect([place.board.questions.size, receipts(place).length]).toEqual([0, 0]);
  });

  test('again about the same, with a kept answer, writes nothing', async () => {
    const { place, judgement } = await judged();
    await scan(place.deps(), judgement);
    await takeAnswer(place.deps(), await place.says('ann', 'approve', 'r-1'));
    place.world.pass(1000);
    await scan(place.deps(), await place.judgement());
    expect([place.facts.objects.size, receipts(place).length]).toEqual([1, 2]);
  });
});

test('what is kept is what this test says', () => {
  const bytes = Buffer.from(JSON.stringify(kept));
  expect(readFacts(bytes, sha256(bytes))).toEqual(JSON.parse(JSON.stringify(quiet)));
});

test('a group of many members and an unknown source are facts too', () => {
  const openings = [
    opening({ id: 'a', from: group('sg-9', '10.0.2.20', '10.0.2.21') }),
    opening({ id: 'b', from: [{ kind: 'unknown', name: 'pl-1', why: 'another account' }] }),
  ];
  const input = { ...quiet, state: { ...quiet.state, openings }, logs: [log({ evidence: quiet.evidence })] };
  const { bytes, hash } = factsOf(input);
  expect(readFacts(bytes, hash)).toEqual(JSON.parse(JSON.stringify(input)));
});
