import { atMost, inform, type Figure } from '../bench/figure.ts';
import { attackedLabels, overlappingLabels } from '../snapshot/attacked-labels.ts';
import { twinTag } from '../snapshot/attackers.ts';
import { randomAccount, type Labelled } from '../snapshot/random-account.ts';
import { judged } from '../snapshot/run-scan.ts';
import { weighVerdicts } from '../snapshot/weigh-verdicts.ts';

const accounts = 40;
const overlapping = 10;

/**
 * Accounts of random rules and traffic, written as snapshots in two formats and judged: nothing that was used may be
 * called anything less, and hardly anything more than what is true. The same holds with a second network that has the same
 * addresses. With attackers among the traffic too, nothing that was used may be called anything less.
 */
export async function labelledTrafficAws(): Promise<Figure[]> {
  const honest = await weighAll(accounts, (seed, format) => randomAccount(`proof ${seed}`, format));
  const shared = await weighAll(overlapping, (seed, format) => overlappingLabels(`proof ${seed}`, format));
  const spoofed = await weighAll(overlapping, (seed, format) => attackedLabels(`proof ${seed}`, format));
  return [
    inform('labelled-aws-openings', honest.count, 'openings'),
    atMost('labelled-aws-falsely-idle', honest.falselyIdle, 'openings', 0),
    atMost('labelled-aws-inexcusable', honest.inexcusable, 'openings', 0),
    atMost('labelled-aws-needless', (100 * honest.needless) / honest.count, '% of openings', 4),
    inform('labelled-aws-overlapping-openings', shared.count, 'openings'),
    atMost('labelled-aws-overlapping-falsely-idle', shared.falselyIdle, 'openings', 0),
    atMost('labelled-aws-overlapping-needless', (100 * shared.needless) / shared.count, '% of openings', 4),
    inform('labelled-aws-attacked-openings', spoofed.count, 'openings'),
    atMost('labelled-aws-attacked-falsely-idle', spoofed.falselyIdle, 'openings', 0),
    inform('labelled-aws-attacked-needless', (100 * spoofed.needless) / spoofed.count, '% of openings'),
  ];
}

async function weighAll(many: number, make: (seed: number, format: 'v5' | 'v2') => Labelled) {
  const sum = { falselyIdle: 0, needless: 0, inexcusable: 0, count: 0 };
  for (const format of ['v5', 'v2'] as const) {
    for (let seed = 0; seed < many; seed += 1) {
      const labelled = make(seed, format);
      const printed = await judged(labelled.account);
      const verdicts = printed.verdicts.filter(({ rule }) => !rule.startsWith(twinTag));
      const weighed = weighVerdicts(labelled, { ...printed, verdicts });
      sum.falselyIdle += weighed.falselyIdle.length;
      sum.needless += weighed.needless.length;
      sum.inexcusable += weighed.inexcusable.length;
      sum.count += weighed.judged;
    }
  }
  return sum;
}
