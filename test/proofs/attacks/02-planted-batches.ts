import { dayOf, instant } from '../../../shared/base/time.ts';
import { mustHold, type Attack } from './attack.ts';
import { besidesTheInbox } from './inbox/besides.ts';
import { InboxPlace, forgedBy, genuine } from './inbox/place.ts';
import { plantedBatches, type Plant, type Seen } from './inbox/plants.ts';
import { squatted } from './inbox/squatted.ts';
import { oldJunk } from './inbox/old-junk.ts';
import { switchedBack } from './inbox/switched-back.ts';

export const attack: Attack = { number: 2, about: 'objects planted in the log store', run, switchedBack };

const rounds = 32;

async function run(): Promise<string> {
  const planted = await inInbox();
  const squats = await squatted();
  const besides = await besidesTheInbox();
  await oldJunk();
  return `${planted} planted batches named and left out, ${squats} squatted keys of a running host cost it no entry, ${besides} planted records, checkpoints, tiles, cosignatures and facts believed by nobody, and a log that was sealed with junk is read to its end`;
}

/** Hundreds of batches beside genuine ones: before the host seals, and again after. */
async function inInbox(): Promise<number> {
  const place = await InboxPlace.make();
  try {
    const host = await place.host('host');
    const audit = await host.audit();
    for (let number = 0; number < 3; number += 1) await audit.record(genuine(number));
    await audit.seal();
    for (let number = 3; number < 6; number += 1) await audit.record(genuine(number));
    const other = await place.host('other');
    await (await other.audit()).record(genuine(7));
    const plants = await plant(place, await seenIn(place));
    const { refused } = await audit.seal();
    for (const { kind, key } of plants)
      mustHold(
        refused.some((one) => one.key === key),
        `the sealing does not name ${kind}: ${key}`,
      );
    await audit.record(genuine(6));
    await host.close();
    await other.close();
    await afterwards(place, plants);
    return plants.length;
  } finally {
    await place.remove();
  }
}

async function seenIn(place: InboxPlace): Promise<Seen> {
  const keys = await place.keys('inbox/');
  const batches = await Promise.all(keys.map(async (key) => ({ key, bytes: await place.bytes(key) })));
  return {
    day: dayOf(instant(Date.now())),
    batches,
    origin: 'lockkeeper.local/log',
    writerKey: await place.writerKey(),
  };
}

async function plant(place: InboxPlace, seen: Seen): Promise<readonly Plant[]> {
  const plants = new Map(plantedBatches(seen, rounds).map((one) => [one.key, one]));
  for (const { key, bytes } of plants.values()) if (!(await place.plant(key, bytes))) plants.delete(key);
  return [...plants.values()];
}

/** What an auditor sees: all verbs, as a person runs them. */
async function afterwards(place: InboxPlace, plants: readonly Plant[]): Promise<void> {
  const sealed = await place.lockkeeper('audit', 'seal');
  mustHold(sealed.code === 1, `audit seal ends with ${sealed.code}`);
  const verified = await place.lockkeeper('audit', 'verify');
  mustHold(verified.code === 1, `audit verify ends with ${verified.code}: ${verified.out}`);
  for (const { kind, key } of plants) {
    mustHold(sealed.err.includes(`${key} stays outside`), `audit seal does not name ${kind}: ${key}`);
    mustHold(verified.out.includes(key), `audit verify does not name ${kind}: ${key}`);
  }
  const shown = await place.lockkeeper('audit', 'show', '--output', 'json');
  mustHold(!shown.out.includes(forgedBy), 'audit show prints a forged approval');
  const keyless = await place.lockkeeper('audit', 'show', '--dir', place.directory);
  for (const line of keyless.out.split('\n').filter((one) => one.includes(forgedBy)))
    mustHold(line.startsWith('unproven'), `audit show --dir prints as fact: ${line}`);
  for (let number = 0; number < 8; number += 1)
    mustHold(shown.out.split(`"genuine-${number}"`).length === 2, `entry ${number} is not there once`);
  await exported(place);
}

async function exported(place: InboxPlace): Promise<void> {
  const out = `${place.directory}/export`;
  const done = await place.lockkeeper('audit', 'export', out);
  mustHold(done.code === 0, `audit export fails: ${done.err}`);
  const verified = await place.lockkeeper('audit', 'verify', '--dir', out);
  mustHold(verified.code === 0, `the export does not verify: ${verified.out}`);
  const shown = await place.lockkeeper('audit', 'show', '--dir', out);
  mustHold(!shown.out.includes(forgedBy), 'a forged approval is in the export');
  mustHold(shown.out.includes('genuine-6'), 'a genuine entry is not in the export');
}
