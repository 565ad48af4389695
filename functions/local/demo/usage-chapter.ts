import Table from 'cli-table3';
import { collectLine } from '../../cli/collect.ts';
import type { Verdict } from '../../../shared/idle-ports/verdict.ts';
import { collectAll, scanAll, type Done, type Scanned } from '../jobs.ts';
import { openings, type Stage } from './stage.ts';

/** Reads 45 days of flow logs once, judges every opening, and asks about what is unused. */
export async function usageChapter(stage: Stage): Promise<void> {
  const { teller, deps } = stage;
  teller.chapter(
    'What the flow logs say',
    'silence, a scanner, a gap in the log and real use are four different things',
  );
  const collected = await collectAll(deps);
  for (const { name, report } of collected.done) teller.shows(collectLine(name, report));
  const { done: scanned, problems } = await scanAll(deps, stage.page.page);
  const [problem] = [...collected.problems, ...problems];
  if (problem) throw problem;
  teller.shows('', ...tableOf(scanned.flatMap(({ report }) => report.judged.judgement.verdicts)), '');
  proveVerdicts(stage, scanned);
}

function tableOf(verdicts: readonly Verdict[]): readonly string[] {
  const table = new Table({
    head: ['opening', 'verdict', 'days used', 'why'],
    colWidths: [20, 13, 11, 66],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const { rule, verdict, activeDays, reasons } of verdicts)
    table.push([rule, verdict, activeDays, reasons[0]?.text ?? '']);
  return table.toString().split('\n');
}

function proveVerdicts({ teller }: Stage, scanned: readonly Done<Scanned>[]): void {
  const verdicts = new Map(
    scanned.flatMap(({ report }) => report.judged.judgement.verdicts.map((one) => [one.rule, one] as const)),
  );
  const is = (rule: string, verdict: string): boolean => verdicts.get(rule)?.verdict === verdict;
  const asked = scanned
    .flatMap(({ report }) => report.steps)
    .filter(({ outcome }) => outcome === 'asked')
    .map(({ opening }) => opening);
  teller.proves(
    `${openings.used} has real users: used`,
    is(openings.used, 'used') && is('azure-ledger', 'used') && is('gcp-catalog-api', 'used'),
  );
  teller.proves(`${openings.silent} was silent the whole window: unused`, is(openings.silent, 'unused'));
  const knocks = verdicts.get(openings.scanned)?.knocks.count ?? 0;
  teller.proves(
    `${openings.scanned} was knocked at ${knocks} times by a scanner, and nobody answered: unused`,
    is(openings.scanned, 'unused') && knocks >= 29,
  );
  teller.proves(
    `${openings.gap} has a gap in its log: cannot-tell, and nobody is asked`,
    is(openings.gap, 'cannot-tell') && !asked.includes(openings.gap),
  );
  teller.proves(
    `people are asked about ${openings.silent} and ${openings.scanned}, and about nothing else`,
    asked.toSorted().join() === [openings.silent, openings.scanned].join(),
  );
}
