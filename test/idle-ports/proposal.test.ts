import { expect, test } from '@jest/globals';
import { day } from '../../shared/base/time.ts';
import { memoryFirewall } from '../../shared/firewalls/memory.ts';
import {
  differences,
  evidenceFor,
  hashOf,
  judgingName,
  proposalFor,
  type Material,
} from '../../shared/idle-ports/closing/proposal.ts';
import { questionOf } from '../../shared/idle-ports/closing/question.ts';
import { scan } from '../../shared/idle-ports/closing/scan.ts';
import { ClosingPlace, rule } from './closing-world.ts';

async function material(place: ClosingPlace): Promise<Material> {
  const judgement = await place.judgement();
  const [opening] = judgement.state.openings;
  const [verdict] = judgement.verdicts;
  if (!opening || !verdict) throw new Error('nothing to propose');
  const prepared = await memoryFirewall('net', place.network).prepare({ kind: 'close', opening: opening.id });
  return { judgement, opening, verdict, prepared };
}

test('looking again later, with other counters and texts, is the same proposal', async () => {
  const place = new ClosingPlace();
  const first = hashOf(proposalFor(await material(place), 1));
  place.world.pass(3 * day);
  place.verdicts.set('r-1', {
    verdict: 'unused',
    coverage: 0.995,
    activeDays: 0,
    knocks: { count: 7, last: place.world.now(), from: ['10.9.9.9'] },
  });
  expect(hashOf(proposalFor(await material(place), 1))).toBe(first);
});

const drifts: readonly [string, (place: ClosingPlace) => void][] = [
  ['the rule’s sources', ({ network }) => network.rules.set('r-1', rule('r-1', { cidrs: ['10.0.0.0/9'] }))],
  ['its description', ({ network }) => network.rules.set('r-1', rule('r-1', { description: 'please keep' }))],
  ['its tags', ({ network }) => network.rules.set('r-1', rule('r-1', { tags: { team: 'data', keep: 'yes' } }))],
  [
    'the reasons’ codes',
    (place) => place.verdicts.set('r-1', { verdict: 'unused', reasons: [{ code: 'only-knocks', text: '' }] }),
  ],
  ['the policy of judging', (place) => Object.assign(place, { judgePolicy: 'judge/2' })],
  ['the window’s length', (place) => Object.assign(place, { windowMs: 31 * day })],
  ['whether rejects are visible', ({ network }) => Object.assign(network, { rejectsVisible: false })],
];

test.each(drifts)('another proposal, with a readable difference, when this changes: %s', async (_, drift) => {
  const place = new ClosingPlace();
  const before = proposalFor(await material(place), 1);
  drift(place);
  const now = proposalFor(await material(place), 1);
  expect(hashOf(now)).not.toBe(hashOf(before));
  expect(differences(before, now).join('\n')).toMatch(/: .+ → .+/);
});

test('a difference names the very field of the rule, and both values', async () => {
  const place = new ClosingPlace();
  const before = proposalFor(await material(place), 1);
  place.network.rules.set('r-1', rule('r-1', { description: 'please keep' }));
  const lines = differences(before, proposalFor(await material(place), 2));
  expect(lines).toContain('before.description: "why r-1" → "please keep"');
  expect(lines.filter((line) => line.startsWith('round'))).toEqual([]);
});

test('a later question about the same has another hash', async () => {
  const known = await material(new ClosingPlace());
  expect(hashOf(proposalFor(known, 2))).not.toBe(hashOf(proposalFor(known, 1)));
});

test('only an unused opening can be proposed', async () => {
  const place = new ClosingPlace();
  place.verdicts.set('r-1', { verdict: 'cannot-tell' });
  const known = await material(place);
  expect(() => proposalFor(known, 1)).toThrow('only an unused one');
});

test('sources that cannot be listed for good admit everybody, so nobody refused later is overlooked', async () => {
  const known = await material(new ClosingPlace());
  const sources = [{ kind: 'group', group: 'sg-web', members: ['10.0.0.5'] }] as const;
  expect(evidenceFor({ ...known, opening: { ...known.opening, sources } }).admitted).toEqual(['0.0.0.0/0', '::/0']);
});

test('the question says what is lost, who owns it, who knocked last, whether rejects will be seen, and how to undo', async () => {
  const place = new ClosingPlace([rule('r-1')]);
  place.network.rejectsVisible = false;
  place.verdicts.set('r-1', { verdict: 'unused', knocks: { count: 3, last: place.world.now(), from: ['10.6.6.6'] } });
  await scan(place.deps(), await place.judgement());
  const question = questionOf(await place.closure('r-1'));
  const text = question.facts.map((fact) => `${fact.label}: ${fact.text}`).join('\n');
  expect(question.owner).toBe('olga');
  expect(text).toContain('Loses reachability: 10.0.0.0/8 to if-a');
  expect(text).toContain('3 attempts that nobody answered, the last 2026-10-01T00:00:00Z, from 10.6.6.6');
  expect(text).toContain('will NOT be seen');
  expect(text).toContain(`lockkeeper reopen ${question.hash.slice(0, 12)}`);
  expect(text).toContain('"description":"why r-1"');
});

test('any setting of judging gives judging another name', () => {
  expect(judgingName({ minCoverage: 0.99 })).not.toBe(judgingName({ minCoverage: 0.98 }));
  expect(judgingName({ minCoverage: 0.99 })).toBe(judgingName({ minCoverage: 0.99 }));
});
