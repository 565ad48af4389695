import { writeSync } from 'node:fs';
import { watched } from './killed-events.ts';
import { durableDeps, runUntilDone, type DurablePlace } from './killed-place.ts';

/**
 * Run as a program: rotates on the place of its first word, and kills itself at the moment whose number, from 1, or whose
 * name is its second word. The moment's name is the last line it writes. With a third word, `throw`, it throws there.
 */
async function main([placeText = '', moment = '0', how = 'kill']: readonly string[]): Promise<void> {
  const place: unknown = JSON.parse(placeText);
  if (!isPlace(place)) throw new Error('no place');
  const deps = durableDeps(place, 'killed');
  let came = 0;
  const deadly = watched(deps, (name) => {
    came += 1;
    if (name !== moment && came !== Number(moment)) return;
    writeSync(1, `${name}\n`);
    if (how === 'throw') throw new TypeError(`a defect at ${name}`);
    process.kill(process.pid, 'SIGKILL');
  });
  const reports = await runUntilDone(deadly, place);
  writeSync(1, `${JSON.stringify(reports)}\n`);
}

function isPlace(value: unknown): value is DurablePlace {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['directory', 'endpoint', 'users', 'owner', 'leaked', 'role', 'aheadMs'].every((member) => member in value)
  );
}

await main(process.argv.slice(2));
