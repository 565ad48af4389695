import { describe, expect, test } from '@jest/globals';
import { breaks } from '../broken-writes.ts';
import { stories, tellStory } from './closing-crashes.ts';

// Every pair of broken writes is in the proof closing-crash-memory: too many runs for every day.
describe.each(stories)('whatever write breaks, running again is enough: %s', (story) => {
  test.each(breaks)('%s', async (how) => {
    const whole = await tellStory(story, new Map());
    expect(whole.violations).toEqual([]);
    expect(whole.writes).toEqual(
      expect.arrayContaining([
        'firewall.apply',
        'state.create',
        'state.replace',
        'audit.record',
        'approvals.ask',
        'approvals.notify',
      ]),
    );
    for (const [at, write] of whole.writes.entries()) {
      const { violations } = await tellStory(story, new Map([[at, how]]));
      expect({ write: `${at} ${write}`, violations }).toEqual({ write: `${at} ${write}`, violations: [] });
    }
  });
});
