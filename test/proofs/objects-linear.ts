import { atLeast, atMost, inform, type Figure } from '../bench/figure.ts';
import type { HistoryReport } from '../objects/linear-history.ts';
import { roughPlaces } from '../objects/linear-places.ts';
import { histories } from '../objects/linear-run.ts';

/** How many histories of each driver; a call over the network costs a hundred times as much as one in memory. */
const counts: Readonly<Record<string, number>> = {
  memory: 640,
  'file-system': 160,
  'aws-s3': 80,
  'gcp-storage': 80,
  'azure-blob': 80,
};

/**
 * Clients that create, replace, delete, read and list the same few objects at once, on each driver, while requests and
 * answers get lost, come late or are refused; the first figure is how many keys have answers that no order of the calls
 * explains.
 */
export async function objectsLinear(): Promise<Figure[]> {
  const reports: HistoryReport[] = [];
  for (const [name, open] of Object.entries(roughPlaces)) {
    const place = await open();
    try {
      reports.push(...(await histories(place, { firstSeed: 1_000, count: counts[name] ?? 100, atOnce: 16 })));
    } finally {
      await place.close();
    }
  }
  const violations = reports.flatMap((report) => report.violations);
  for (const text of violations.slice(0, 10)) process.stderr.write(`${text}\n`);
  return [
    atMost('objects-linear', violations.length, 'violations', 0),
    atLeast('objects-linear-histories', reports.length, 'histories', 1_000),
    atLeast('objects-linear-operations', sum(reports, 'calls'), 'operations', 20_000),
    atLeast('objects-linear-uncertain', sum(reports, 'uncertain'), 'uncertain answers', 500),
    inform('objects-linear-undone', sum(reports, 'undone'), 'refused operations'),
  ];
}

function sum(reports: readonly HistoryReport[], what: 'calls' | 'uncertain' | 'undone'): number {
  return reports.reduce((all, report) => all + report[what], 0);
}
