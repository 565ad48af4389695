import { expect, test } from '@jest/globals';
import { breaks, type Break } from '../broken-writes.ts';
import { appendUntilAcknowledged, unsound, writesOfAGoodRun } from './crash-table.ts';
import { place } from './place.ts';

test('a good run writes the key, then a batch for each event, and at each seal a record, tiles, a checkpoint, and what readers are shown', async () => {
  const names = await writesOfAGoodRun();
  expect(names.filter((name) => name === 'log.create').length).toBeGreaterThan(8);
  expect(names.filter((name) => name === 'state.replace').length).toBeGreaterThan(1);
});

const table = async (): Promise<readonly (readonly [Break, number][])[]> => {
  const writes = (await writesOfAGoodRun()).length;
  const places = Array.from({ length: writes }, (_, at) => at);
  const once = breaks.flatMap((how) => places.map((at): [Break, number][] => [[how, at]]));
  const twice = breaks.flatMap((how) => breaks.flatMap((again) => places.map((at): [Break, number][] => [[how, at], [again, at + 1]])));
  const later = breaks.flatMap((how) => places.map((at): [Break, number][] => [[how, at], ['killed-after', at + 3]]));
  return [...once, ...twice, ...later];
};

test('whatever write breaks, however, once or twice: no acknowledged entry is lost, nothing forks, and the next run finishes', async () => {
  const failures: unknown[] = [];
  for (const broken of await table()) {
    const at = place();
    const acknowledged = await appendUntilAcknowledged(at, new Map(broken.map(([how, ordinal]) => [ordinal, how])));
    const wrong = await unsound(at, acknowledged);
    if (wrong.length > 0) failures.push([broken, wrong]);
  }
  expect(failures).toEqual([]);
}, 90_000);
