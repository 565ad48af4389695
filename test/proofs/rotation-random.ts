import { atLeast, atMost, inform, type Figure } from '../bench/figure.ts';
import type { Coverage } from './random-rotation/coverage.ts';
import { manyWalks } from './random-rotation/many-walks.ts';

/**
 * Long random walks over memory drivers: rotators with clocks of their own, alone, interleaved, paused, killed, with calls
 * that fail; endpoints that are silent, lag or come back old; persons who reset users, edit and roll back stores, lose the
 * journal, order emergencies. Every promise is checked after every effect. Then everything is well again, and simply
 * running again ends, or a person was told; one whole rotation follows of which everything must hold. Details of what
 * broke go to stderr: `node test/proofs/random-rotation/show.ts SEED` tells its shortest story.
 */
export async function rotationRandom(walks = 4_000): Promise<Figure[]> {
  const started = process.cpuUsage();
  const { broken, coverage } = await manyWalks(1, walks);
  for (const { seed, promise, text } of broken.slice(0, 20))
    process.stderr.write(`rotation-random: seed ${seed}: ${promise}: ${text}\n`);
  for (const missed of coverage.missed) process.stderr.write(`rotation-random: never reached: ${missed}\n`);
  return [
    atMost('rotation-random', broken.length, 'walks', 0),
    atLeast('rotation-random-walks', coverage.walks, 'walks', walks),
    atMost('rotation-random-never-reached', coverage.missed.length, 'places', 0),
    ...sizes(coverage, process.cpuUsage(started)),
  ];
}

function sizes(coverage: Coverage, { user, system }: NodeJS.CpuUsage): readonly Figure[] {
  const minutes = (user + system) / 60_000_000;
  return [
    inform('rotation-random-happenings', coverage.happenings, 'happenings'),
    inform('rotation-random-runs', coverage.runs, 'runs'),
    inform('rotation-random-settings', coverage.settings, 'settings'),
    inform('rotation-random-speed', coverage.walks / minutes, 'walks/CPU-min'),
  ];
}
