import { describe, expect, test } from '@jest/globals';
import { auditLog } from '../../shared/audit/log.ts';
import { recentEntries } from '../../shared/audit/recent.ts';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import { closeApproved } from '../../shared/idle-ports/closing/close.ts';
import { reopen } from '../../shared/idle-ports/closing/reopen.ts';
import { ClosureJournal } from '../../shared/idle-ports/closing/closure-journal.ts';
import { answerStories } from '../../shared/idle-ports/closing/said.ts';
import { scan } from '../../shared/idle-ports/closing/scan.ts';
import { keyOfFacts } from '../../shared/idle-ports/closing/receipt.ts';
import { factsOf } from '../../shared/idle-ports/judging/facts.ts';
import { place as logPlace, writer } from '../audit/place.ts';
import { PlantedSecret } from '../planted-secret.ts';
import { ClosingPlace, rule } from './closing-world.ts';

const planted = new PlantedSecret('hunter2+pl4nted');
const careless = rule('r-1', {
  description: `ask postgres://app:${planted.bare()}@10.0.0.10/app`,
  tags: { team: 'data', 'db-password': planted.bare() },
});
const rules = [careless, rule('r-2', { ports: { from: 80, to: 80 } })];

async function asked(place = new ClosingPlace(rules)) {
  return { place, report: await scan(place.deps(), await place.judgement()) };
}

describe('a rule with a secret in its description and in a tag', () => {
  test('leaves none of it in the log, among the facts, in what people are asked or told, and keeps no question back', async () => {
    const { place, report } = await asked();
    expect(report.steps.map(({ opening, outcome }) => [opening, outcome])).toEqual([
      ['r-1', 'asked'],
      ['r-2', 'asked'],
    ]);
    planted
      .search('entries', place.entries)
      .search('the board', [...place.board.questions.values(), ...place.board.notices])
      .search('report', report);
    for (const bucket of [place.facts, place.bucket])
      for (const [key, { bytes }] of bucket.objects) planted.search(key, bytes);
    planted.expectNowhere();
    expect(place.facts.objects.size).toBe(1);
    expect(
      place.entries.find(({ action, subject }) => action === 'proposal.ask' && subject.id === 'r-1')?.details['before'],
    ).toEqual({
      ...careless,
      description: '[withheld: looks like a secret]',
      tags: { team: 'data', 'db-password': '[withheld: looks like a secret]' },
    });
  });

  test('is named to people and in the report, with the places', async () => {
    const { place, report } = await asked();
    expect(report.problems).toMatchObject([
      {
        code: 'invalid',
        message: expect.stringMatching(/r-1 \(description, rule\.description, rule\.tags\.db-password\)/),
        hint: expect.stringContaining('Change'),
      },
    ]);
    expect(report.problems[0]?.message).not.toContain('r-2');
    expect(place.board.notices).toMatchObject([{ level: 'alarm', text: report.problems[0]?.message }]);
  });

  test('keeps its question and its answers, is closed once approved, and comes back exactly as it was', async () => {
    const { place } = await asked();
    const { hash } = await place.closure('r-1');
    await takeAnswer(place.deps(), await place.says('ann', 'approve', 'r-1'));
    await scan(place.deps(), await place.judgement());
    expect(await place.closure('r-1')).toMatchObject({ hash, votes: [{ who: 'ann' }] });
    await takeAnswer(place.deps(), await place.says('ben', 'approve', 'r-1'));
    expect((await closeApproved(place.deps(), place.hooks())).problems).toEqual([]);
    expect(place.network.rules.has('r-1')).toBe(false);
    await reopen(place.deps(), await new ClosureJournal(place.deps().state).find(hash), {
      who: 'ann',
      why: 'needed',
    });
    expect(place.network.rules.get('r-1')).toEqual(careless);
    planted.search('entries', place.entries).search('the board', place.board).expectNowhere();
  });

  test('is another question once the withheld text changes', async () => {
    const { place } = await asked();
    const { hash } = await place.closure('r-1');
    place.network.rules.set('r-1', { ...careless, description: 'ask postgres://app:other@10.0.0.10/app' });
    await scan(place.deps(), await place.judgement());
    expect((await place.closure('r-1')).hash).not.toBe(hash);
  });
});

test('facts that hold a secret where nothing may be withheld are never written, and the place is named', async () => {
  const place = new ClosingPlace(rules);
  const judgement = await place.judgement();
  const sources = [{ kind: 'unknown', name: `pl-1 https://a:${planted.bare()}@b`, why: 'another account' }] as const;
  const openings = judgement.state.openings.map((opening) => ({ ...opening, sources }));
  const state = { ...judgement.state, openings };
  const report = await scan(place.deps(), { ...judgement, state, input: { ...judgement.input, state } });
  expect(report.problems).toMatchObject([
    { code: 'invalid', message: expect.stringContaining('facts.state.openings[0].sources[0].name') },
    { code: 'invalid' },
    { code: 'invalid' },
  ]);
  expect(place.facts.objects.size).toBe(0);
});

test('rules without a secret have the very facts and questions they had', async () => {
  const place = new ClosingPlace();
  const { input } = await place.judgement();
  await scan(place.deps(), await place.judgement());
  expect([...place.facts.objects.keys()]).toEqual([keyOfFacts(factsOf(input).hash)]);
  expect((await place.closure('r-1')).proposal.before).toEqual(rule('r-1'));
});

test('reasons that fit into an entry each are no obstacle to the closing that rests on all of them', async () => {
  const place = new ClosingPlace([rule('r-1')]);
  const at = logPlace();
  const said = recentEntries({ log: at.log, writer: async () => writer, stories: answerStories });
  const deps = () => ({ ...place.deps(), said, audit: auditLog({ ...at, world: place.world, run: 'run' }) });
  await scan(deps(), await place.judgement());
  for (const who of ['ann', 'ben'])
    await takeAnswer(deps(), await place.says(who, 'approve', 'r-1', { why: 'because '.repeat(5_000) }));
  expect((await closeApproved(deps(), place.hooks())).problems).toEqual([]);
  expect(place.network.rules.has('r-1')).toBe(false);
});
