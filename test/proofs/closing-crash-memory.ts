import { atLeast, atMost, inform, type Figure } from '../bench/figure.ts';
import { breaks, type Break } from '../broken-writes.ts';
import { stories, tellStory } from '../idle-ports/closing-crashes.ts';

/**
 * Every write of every story of closing, broken in each of the four ways, alone and with every write after it broken
 * too. The story is told again from durable state each time; any broken promise counts.
 */
export async function closingCrashMemory(): Promise<Figure[]> {
  let runs = 0;
  const violations = new Set<string>();
  const notify = async (story: (typeof stories)[number], broken: ReadonlyMap<number, Break>) => {
    runs += 1;
    const outcome = await tellStory(story, broken);
    for (const text of outcome.violations) violations.add(`${story}: ${text}: ${JSON.stringify([...broken])}`);
    return outcome.writes.length;
  };
  for (const story of stories) {
    const writes = await notify(story, new Map());
    for (let first = 0; first < writes; first += 1) {
      for (const how of breaks) {
        const most = await notify(story, new Map([[first, how]]));
        for (let second = first + 1; second < most; second += 1) {
          await notify(
            story,
            new Map([
              [first, how],
              [second, how],
            ]),
          );
        }
      }
    }
  }
  for (const text of [...violations].slice(0, 10)) console.error(text);
  return [
    atMost('closing-crash-memory', violations.size, 'broken promises', 0),
    atLeast('closing-crash-memory-runs', runs, 'runs', 1_000),
    inform('closing-crash-memory-stories', stories.length, 'stories'),
  ];
}
