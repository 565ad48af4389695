import { expect, test } from '@jest/globals';
import { appendUntilAcknowledged, brokenRuns, unsound, writesOfAGoodRun } from './crash-table.ts';
import { place } from './place.ts';

test('a good run writes the key, then a batch for each event, and at each seal a record, tiles, a checkpoint, and what readers are shown', async () => {
  const names = await writesOfAGoodRun();
  expect(names.filter((name) => name === 'log.create').length).toBeGreaterThan(8);
  expect(names.filter((name) => name === 'state.replace').length).toBeGreaterThan(1);
});

/** Every write in every way, and one in twenty of the pairs: all of them are in the proof audit-crash. */
const rows = async () =>
  brokenRuns((await writesOfAGoodRun()).length).filter((row, at) => row.length === 1 || at % 20 === 0);

test('whatever write breaks, however, once or twice: no acknowledged entry is lost, nothing forks, and the next run finishes', async () => {
  const failures: unknown[] = [];
  for (const broken of await rows()) {
    const at = place();
    const acknowledged = await appendUntilAcknowledged(at, new Map(broken));
    const wrong = await unsound(at, acknowledged);
    if (wrong.length > 0) failures.push([broken, wrong]);
  }
  expect(failures).toEqual([]);
}, 60_000);
