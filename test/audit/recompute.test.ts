import { beforeEach, describe, expect, test } from '@jest/globals';
import { auditRecomputeVerb } from '../../functions/cli/audit-recompute.ts';
import type { AuditDeps } from '../../functions/cli/audit.ts';
import type { AuditEvent } from '../../shared/audit/entry.ts';
import { auditLog } from '../../shared/audit/log.ts';
import { after, day, dayOf } from '../../shared/base/time.ts';
import type { Judgement } from '../../shared/idle-ports/closing/proposal.ts';
import { keyOfFacts } from '../../shared/idle-ports/closing/receipt.ts';
import { scan } from '../../shared/idle-ports/closing/scan.ts';
import { factsOf } from '../../shared/idle-ports/judging/facts.ts';
import { judge } from '../../shared/idle-ports/judging/judge.ts';
import { ClosingPlace, row, rule } from '../idle-ports/closing-world.ts';
import { allEntries, place, tamper, writer } from './place.ts';

/**
 * An account that is judged for real: complete coverage, and something going out, so that the log is known to show it.
 */
async function judged(of: ClosingPlace): Promise<Judgement> {
  const judgement = await of.judgement();
  const { from, to } = judgement.window;
  const seenDays = Array.from({ length: 30 }, (_, days) => dayOf(after(from, days * day)));
  const coverage = [
    {
      scope: 'if-a',
      seenHours: 720,
      lostHours: 0,
      seenDays,
      hoursADay: 24,
      firstSeen: after(from, -90 * day),
      lastSeen: to,
      gaps: [],
    },
  ];
  const out = row('10.200.0.1', after(to, -day), { kind: 'out', port: 9, days: [dayOf(after(to, -day))] });
  const input = { ...judgement.input, evidence: { ...judgement.input.evidence, rows: [out], coverage } };
  return { ...judgement, input, verdicts: judge(input) };
}

type Details = AuditEvent['details'];

const members = (of: Details[string]): Details =>
  typeof of === 'object' && of !== null && !Array.isArray(of) ? Object.fromEntries(Object.entries(of)) : {};

let at = place();
let closing = new ClosingPlace();
let facts = '';
beforeEach(async () => {
  at = place();
  closing = new ClosingPlace([rule('r-1'), rule('r-2', { ports: { from: 80, to: 80 } })]);
  const judgement = await judged(closing);
  facts = factsOf(judgement.input).hash;
  const audit = auditLog({ ...at, world: closing.world, run: 'scan' });
  await scan({ ...closing.deps(), audit, evidence: at.log }, judgement);
  await audit.end();
});

async function recomputed(hash: string, json = false) {
  const deps: AuditDeps = {
    stores: async () => ({
      writer,
      log: at.log,
      state: at.state,
      history: undefined,
      where: 'here',
      kind: 'log',
      verifyWith: undefined,
      anchors: [],
    }),
    text: async () => '',
  };
  const lines: string[] = [];
  const terminal = {
    out: (line: string) => void lines.push(line),
    err: () => undefined,
    json,
    signal: new AbortController().signal,
  };
  const code = await auditRecomputeVerb({ hash, place: {} }, deps, terminal);
  return { code, lines };
}

describe('audit recompute', () => {
  test('reaches the verdict of a proposal again from what the log store holds, and nothing else', async () => {
    const { hash } = await closing.closure('r-1');
    for (const asked of [hash, hash.slice(0, 8)]) {
      const { code, lines } = await recomputed(asked);
      expect(lines).toEqual([
        `facts ${facts}: unchanged`,
        expect.stringMatching(/^opening r-1: unused: Nobody came in for 30 days/),
        'same as logged (judged again by lockkeeper 0.1.0)',
      ]);
      expect(code).toBe(0);
    }
  });

  test('takes any entry about the proposal, by its id or its hash', async () => {
    const about = (await allEntries(at)).filter(({ event }) => event.subject.id === 'r-2');
    expect(about.length).toBeGreaterThanOrEqual(3);
    for (const { id, hash } of about) {
      expect((await recomputed(id)).lines[1]).toMatch(/^opening r-2: unused/);
      expect((await recomputed(hash, true)).lines.map((line): unknown => JSON.parse(line))).toMatchObject([
        { opening: 'r-2', evidence: facts, same: true, differences: [], verdict: { verdict: 'unused' } },
      ]);
    }
  });

  test('says that a verdict is not the one in the log, names what differs, and exits 1', async () => {
    const { hash } = await closing.closure('r-1');
    const [receipt] = (await allEntries(at)).filter(
      ({ event }) => event.action === 'proposal.receipt' && event.correlation === hash,
    );
    if (!receipt) throw new Error('no receipt');
    // A log that claims more than the facts give: the same facts under a verdict that was made up.
    const forged = {
      ...receipt.event,
      details: { ...receipt.event.details, verdict: { rule: 'r-1', verdict: 'unused', activeDays: 3 } },
    };
    await auditLog({ ...at, world: closing.world, run: 'forger' }).record(forged);
    const { code, lines } = await recomputed(hash);
    expect(code).toBe(1);
    expect(lines).toEqual(expect.arrayContaining([expect.stringMatching(/^NOT as logged/), '  activeDays: 3 → 0']));
    expect((await recomputed(receipt.id)).code).toBe(0);
    expect((await recomputed(hash, true)).lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      { same: false },
    ]);
  });

  test('tells a verdict of older rules, which stricter ones doubt, from one that was made up', async () => {
    const idle = await judged(closing);
    const { rows } = idle.input.evidence;
    const use = row('10.0.0.9', after(idle.window.to, -day), { kind: 'answered', port: 5432, largest: 900 });
    const input = { ...idle.input, evidence: { ...idle.input.evidence, rows: [...rows, use] } };
    at = place();
    closing = new ClosingPlace([rule('r-1')]);
    const audit = auditLog({ ...at, world: closing.world, run: 'scan' });
    await scan({ ...closing.deps(), audit, evidence: at.log }, { ...idle, input });
    await audit.end();
    const { hash } = await closing.closure('r-1');
    const made = await recomputed(hash);
    expect([made.code, made.lines[2]]).toEqual([1, expect.stringMatching(/^NOT as logged/)]);
    const [receipt] = (await allEntries(at)).filter(({ event }) => event.action === 'proposal.receipt');
    if (!receipt) throw new Error('no receipt');
    const { judge: _judge, ...older } = receipt.event.details;
    const log = auditLog({ ...at, world: closing.world, run: 'older' });
    await log.record({ ...receipt.event, details: older });
    const { code, lines } = await recomputed(hash);
    expect([code, lines[2]]).toEqual([0, expect.stringMatching(/^judged by older rules then \(version 1\)/)]);
    await log.record({ ...receipt.event, details: { ...older, bytes: 1 } });
    expect((await recomputed(hash)).code).toBe(1);
  });

  test.each<[string, (details: Details) => Details]>([
    [
      'a longer window',
      (details) => ({ ...details, window: { from: '2025-01-01T00:00:00Z', to: '2026-10-01T00:00:00Z' } }),
    ],
    ['a fuller coverage', (details) => ({ ...details, coverage: 0.5 })],
    ['another digest of the usage', (details) => ({ ...details, digest: 'f'.repeat(64) })],
    ['more facts', (details) => ({ ...details, bytes: 1 })],
    [
      'another rule than people were asked about',
      (details) => ({ ...details, before: { ...rule('r-1'), cidrs: ['0.0.0.0/0'] } }),
    ],
    [
      'that rejects would be visible',
      (details) => ({ ...details, proposal: { ...members(details['proposal']), rejectsVisible: false } }),
    ],
  ])('says that a receipt claims %s, whatever the verdict, and exits 1', async (_, claim) => {
    const { hash } = await closing.closure('r-1');
    const [receipt] = (await allEntries(at)).filter(
      ({ event }) => event.action === 'proposal.receipt' && event.correlation === hash,
    );
    if (!receipt) throw new Error('no receipt');
    expect(await recomputed(receipt.id)).toMatchObject({ code: 0 });
    await auditLog({ ...at, world: closing.world, run: 'forger' }).record({
      ...receipt.event,
      details: claim(receipt.event.details),
    });
    const { code, lines } = await recomputed(hash);
    expect([code, lines.length]).toEqual([1, 4]);
    expect(lines[2]).toMatch(/^NOT as logged/);
  });

  test('refuses facts of which one byte was changed, and says so where they are gone', async () => {
    const { hash } = await closing.closure('r-1');
    const object = at.bucket.objects.get(keyOfFacts(facts));
    const bytes = Uint8Array.from(object?.bytes ?? []);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    tamper(at.bucket, keyOfFacts(facts), bytes);
    await expect(recomputed(hash)).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining(facts) });
    at.bucket.objects.delete(keyOfFacts(facts));
    await expect(recomputed(hash)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('r-1'),
      hint: expect.any(String),
    });
  });

  test.each([
    ['no hash at all', '../secret', 'invalid'],
    ['too few digits', 'abc', 'invalid'],
    ['a hash that nobody knows', 'f'.repeat(64), 'not-found'],
  ])('refuses %s with a hint', async (_, hash, code) => {
    await expect(recomputed(hash)).rejects.toMatchObject({ code, hint: expect.stringContaining('audit show') });
  });
});
