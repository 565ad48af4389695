import { describe, expect, test } from '@jest/globals';
import { minute } from '../../shared/base/time.ts';
import { Choice } from '../proofs/hostile/seeded.ts';
import { caseText, pairs, singles, tried, type Case } from '../proofs/drift/cases.ts';
import { quietDays } from '../proofs/drift/quiet.ts';

/** Every `n`th case: a prime, so that every way, strategy and kind of store comes. */
function some(cases: readonly Case[], n: number): readonly Case[] {
  return cases.filter((_, at) => at % n === 0);
}

async function wrongIn(cases: readonly Case[]): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const one of cases)
    for (const { kind, text } of await tried(one)) wrong.push(`${caseText(one)}: ${kind}: ${text}`);
  return wrong;
}

describe('a check for drift', () => {
  test('finds what differs by its name, tells it once, and tells its end', async () => {
    expect(await wrongIn(some(singles(), 29))).toEqual([]);
  });

  test('finds two differences at once', async () => {
    expect(await wrongIn(some(pairs(), 401))).toEqual([]);
  });

  test.each(['alternating', 'additive', 'replacing', 'single'] as const)(
    'finds nothing on quiet days, of the strategy %s',
    async (strategy) => {
      const { invented, checks, during } = await quietDays(
        { strategy, vault: { settlesMs: 5 * minute } },
        15,
        new Choice(7),
      );
      expect(invented).toEqual([]);
      expect(checks).toBeGreaterThan(40);
      expect(during).toBeGreaterThan(0);
    },
  );
});
