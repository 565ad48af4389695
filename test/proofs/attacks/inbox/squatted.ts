import { parseBatchKey, batchKey } from '../../../../shared/audit/layout.ts';
import { encodeBundle } from '../../../../shared/audit/tlog/bundle.ts';
import { asLockkeeperError } from '../../../../shared/base/error.ts';
import { mustHold } from '../attack.ts';
import { InboxPlace, forgedBy, genuine } from './place.ts';
import { forgedEntry } from './plants.ts';

const times = 12;

/**
 * The attacker sees the name of the run and creates its next keys before the host does, again and again. Answers how
 * many keys he took.
 */
export async function squatted(): Promise<number> {
  const place = await InboxPlace.make();
  try {
    const host = await place.host('host');
    const audit = await host.audit();
    let taken = 0;
    for (let number = 0; number < times; number += 1) {
      await recorded(audit.record(genuine(number)), number);
      taken += await takeNext(place, number);
      if (number % 4 === 3) await audit.seal();
    }
    await host.close();
    const verified = await place.lockkeeper('audit', 'verify');
    const shown = await place.lockkeeper('audit', 'show', '--output', 'json');
    for (let number = 0; number < times; number += 1)
      mustHold(shown.out.split(`"genuine-${number}"`).length === 2, `a squatted key lost entry ${number}`);
    mustHold(shown.out.includes('"log.occupied"'), 'nobody is told of the squatted keys');
    mustHold(!shown.out.includes(forgedBy), 'a squatting batch is shown');
    mustHold(verified.code === 1, `verify ends with ${verified.code}`);
    const others = verified.out.split('\n').filter((line) => !/^inbox\/|things were changed$|^$/.test(line));
    mustHold(others.length === 0, `verify finds more than squatted keys: ${others.slice(0, 3).join('; ')}`);
    return taken;
  } finally {
    await place.remove();
  }
}

async function recorded(record: Promise<unknown>, number: number): Promise<void> {
  try {
    await record;
  } catch (thrown) {
    mustHold(false, `entry ${number} was refused: ${asLockkeeperError(thrown).message}`);
  }
}

/** The two next keys of the newest run. */
async function takeNext(place: InboxPlace, number: number): Promise<number> {
  const names = (await place.keys('inbox/')).flatMap((key) => parseBatchKey(key) ?? []);
  let taken = 0;
  for (const name of names.filter(({ run }) => run.startsWith('host.'))) {
    const junk = number % 2 === 0 ? Buffer.from('x') : encodeBundle([forgedEntry(name.run, name.batch + 1)]);
    for (const ahead of [1, 2])
      if (await place.plant(batchKey({ ...name, batch: name.batch + ahead }), junk)) taken += 1;
  }
  return taken;
}
