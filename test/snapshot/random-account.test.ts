import { describe, expect, test } from '@jest/globals';
import { randomAccount } from './random-account.ts';
import { judged } from './run-scan.ts';
import { weighVerdicts } from './weigh-verdicts.ts';

describe.each(['v5', 'v2'] as const)('accounts of random rules and traffic, logged in %s', (format) => {
  test.each(['1', '2', '3'])(
    'seed %s: what was used is never called less, what nobody used hardly ever more',
    async (seed) => {
      const labelled = randomAccount(seed, format);
      const {
        falselyIdle,
        inexcusable,
        needless,
        judged: count,
      } = weighVerdicts(labelled, await judged(labelled.account));
      expect({ falselyIdle, inexcusable }).toEqual({ falselyIdle: [], inexcusable: [] });
      expect(needless.length).toBeLessThanOrEqual(count / 4);
    },
  );
});
