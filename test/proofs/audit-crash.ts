import { appendUntilAcknowledged, brokenRuns, unsound, writesOfAGoodRun } from '../audit/crash-table.ts';
import { crowd, type CrowdReport } from '../audit/crowd.ts';
import { crowdFaults } from '../audit/crowd-line.ts';
import { place } from '../audit/place.ts';
import { simulate, type SimulationReport } from '../audit/simulated.ts';
import { atLeast, atMost, inform, type Figure } from '../bench/figure.ts';

/** Twenty-five events a writer: with the run's last entry, 26 creates. */
const events = 25;
const large = { writers: 50, seeds: [1, 2] };
const small = { writers: 12, seeds: [3, 4, 5, 6] };

/** As many simulations of four hosts over weeks, of so many calls. */
const calendar = { seeds: 40, steps: 3_000 };
const troubles = ['clock', 'state', undefined, undefined] as const;

/**
 * Every write of a run that records and seals, broken in each of the four ways, alone and with each later one; and
 * crowds of writers that record and seal at once while calls fail, pause and processes die; and hosts over weeks, that
 * sleep for days and whose clocks differ, while stores, anchor and witness fail, the state store is lost, or one clock
 * is days ahead. Afterwards one run finishes what is left; the first figure is how many acknowledged entries are not in
 * the log just once, how many findings there are, and what is unfinished.
 */
export async function auditCrash(): Promise<Figure[]> {
  const table = await crashTable();
  const calm = await crowd({ seed: 0, writers: large.writers, events, hasFaults: false });
  const stormy: CrowdReport[] = [];
  for (const { writers, seeds } of [large, small])
    for (const seed of seeds) stormy.push(await crowd({ seed, writers, events, hasFaults: true }));
  const crowds = [calm, ...stormy];
  const long: SimulationReport[] = [];
  for (let seed = 1; seed <= calendar.seeds; seed += 1)
    long.push(await simulate({ seed, steps: calendar.steps, trouble: troubles[seed % troubles.length] }));
  const broken = long.flatMap(({ problems }) => problems);
  const [lost, forks, unfinished] = [
    crowds.flatMap((one) => one.lost),
    crowds.flatMap((one) => one.forks),
    crowds.flatMap((one) => one.unfinished),
  ];
  for (const text of [...table.wrong, ...lost, ...forks, ...unfinished, ...broken].slice(0, 10))
    process.stderr.write(`${text}\n`);
  const [acknowledged, puts] = [sum(stormy, 'acknowledged'), sum(stormy, 'puts')];
  return [
    atMost(
      'audit-crash',
      table.wrong.length + lost.length + forks.length + unfinished.length + broken.length,
      'entries lost, forks, unfinished',
      0,
    ),
    atLeast('audit-crash-table', table.cases, 'broken runs', 1_000),
    atLeast('audit-crash-acknowledged', acknowledged, 'entries under faults', 3_500),
    atMost('audit-crash-puts', calm.puts / calm.acknowledged, 'PUTs an acknowledgement', 1.1),
    atMost('audit-crash-puts-under-faults', puts / acknowledged, 'PUTs an acknowledgement', 1.1),
    ...crowdFaults.map((fault) =>
      atLeast(
        `audit-crash-${fault}`,
        stormy.reduce((all, { faults }) => all + (faults.get(fault) ?? 0), 0),
        'times',
        10,
      ),
    ),
    atLeast(
      'audit-crash-days',
      long.reduce((all, { days }) => all + days, 0),
      'days of four hosts',
      450,
    ),
    atLeast(
      'audit-crash-days-acknowledged',
      long.reduce((all, one) => all + one.acknowledged, 0),
      'entries in those days',
      15_000,
    ),
    inform('audit-crash-crowds', crowds.length, 'crowds'),
  ];
}

function sum(reports: readonly CrowdReport[], what: 'acknowledged' | 'puts'): number {
  return reports.reduce((all, report) => all + report[what], 0);
}

interface TableReport {
  readonly cases: number;
  readonly wrong: readonly string[];
}

async function crashTable(): Promise<TableReport> {
  const wrong: string[] = [];
  const cases = brokenRuns((await writesOfAGoodRun()).length);
  for (const broken of cases) {
    const at = place();
    const found = await unsound(at, await appendUntilAcknowledged(at, new Map(broken)));
    if (found.length > 0) wrong.push(`${JSON.stringify(broken)}: ${JSON.stringify(found)}`);
  }
  return { cases: cases.length, wrong };
}
