import { atMost, inform, type Figure } from '../bench/figure.ts';
import { randomAccount } from '../snapshot/random-account.ts';
import { judged } from '../snapshot/run-scan.ts';
import { weighVerdicts } from '../snapshot/weigh-verdicts.ts';

const accounts = 40;

/**
 * Accounts of random rules and traffic, written as snapshots in two formats and judged: nothing that was used may be
 * called anything less, and hardly anything more than what is true.
 */
export async function labelledTrafficAws(): Promise<Figure[]> {
  let falselyIdle = 0;
  let needless = 0;
  let inexcusable = 0;
  let count = 0;
  for (const format of ['v5', 'v2'] as const) {
    for (let seed = 0; seed < accounts; seed += 1) {
      const labelled = randomAccount(`proof ${seed}`, format);
      const weighed = weighVerdicts(labelled, await judged(labelled.account));
      falselyIdle += weighed.falselyIdle.length;
      needless += weighed.needless.length;
      inexcusable += weighed.inexcusable.length;
      count += weighed.judged;
    }
  }
  return [
    inform('labelled-aws-openings', count, 'openings'),
    atMost('labelled-aws-falsely-idle', falselyIdle, 'openings', 0),
    atMost('labelled-aws-inexcusable', inexcusable, 'openings', 0),
    atMost('labelled-aws-needless', (100 * needless) / count, '% of openings', 4),
  ];
}
