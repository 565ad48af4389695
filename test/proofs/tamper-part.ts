import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import { minute } from '../../shared/base/time.ts';
import { longLog } from '../audit/long-log.ts';
import { carryOut, deletions, moves } from './tamper-attacks.ts';
import { blindSpots, forks, omissions, resignings, truncations } from './tamper-endings.ts';
import { flipAlone, flipByObject, flipEveryByte, soundByObject, type Tampering } from './tamper-flips.ts';
import { hideBehindMarkers } from './tamper-past.ts';
import type { hostileDirectories } from './tamper-directories.ts';
import { rewrites } from './tamper-rewrites.ts';
import { livelyLog, tamperAtRandom } from './tamper-random.ts';
import { forgeExtracts, rollBackAtRandom } from './tamper-stores.ts';

/** What each part of the proof came to, by class. */
export type Classes = { readonly [name: string]: Tampering };

/** A log of ten thousand entries. */
const large = { turns: 40 };

const parts: Readonly<Record<string, () => Promise<Classes>>> = {
  async flips() {
    const small = await longLog({ turns: 1 });
    const at = await longLog(large);
    return {
      sound: await soundByObject(at),
      'flips-by-object': await flipByObject(at),
      'flips-every-byte-of-small-objects': await flipEveryByte(small, [
        'published',
        'log.vkey',
        'self-test',
        'evidence',
        'cp',
        'cosig',
      ]),
      'flips-in-a-small-log': await flipAlone(small, 50),
      hidden: await hideBehindMarkers(),
    };
  },
  async attacks() {
    const at = await longLog(large);
    return {
      'flips-in-the-whole-log': await flipAlone(at, 5),
      deleted: await carryOut(at, deletions(at)),
      'moved-and-doubled': await carryOut(at, moves(at)),
      rewritten: await carryOut(at, rewrites),
      'signed-with-another-key': await carryOut(at, resignings),
      'cut-off': await carryOut(at, truncations),
      forked: await carryOut(at, forks),
      'left-out': await carryOut(at, omissions),
      'not-to-be-seen': await blindSpots(at),
    };
  },
  directories1: () => directories(1),
  directories2: () => directories(2),
  async random() {
    return {
      ...(await tamperAtRandom(await livelyLog(), { seed: 1, rounds: 400 })),
      'random-extract': await forgeExtracts({ seed: 1, rounds: 300 }),
      ...(await rollBackAtRandom({ seed: 1, rounds: 40 })),
    };
  },
};

/** Directories on the disk, in as many parts as there are processes for them. */
async function directories(seed: number): Promise<Classes> {
  const script = join(import.meta.dirname, 'tamper-directories-run.ts');
  const words = ['--no-warnings', script, String(seed), '5000'];
  const { stdout } = await promisify(execFile)(process.execPath, words, { maxBuffer: 1 << 26, timeout: 20 * minute });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own script wrote it
  const { done, left } = JSON.parse(stdout) as Awaited<ReturnType<typeof hostileDirectories>>;
  for (const name of left) process.stderr.write(`not made here, so not in the hostile directories: ${name}\n`);
  return { [`directories-${seed}`]: done };
}

parentPort?.postMessage(await parts[String(workerData)]?.(), []);
