import { seeded } from '../audit/seeded.ts';
import { history, type HistoryReport, type RoughPlace } from './linear-history.ts';

/** Which histories, and how many at once. */
export interface Histories {
  readonly firstSeed: number;
  readonly count: number;
  readonly atOnce: number;
}

/**
 * Two to five clients a history, on one or two keys, each history below a prefix of its own. What they choose comes
 * from the seed; who is first does not.
 */
export async function histories(
  place: RoughPlace,
  { firstSeed, count, atOnce }: Histories,
): Promise<readonly HistoryReport[]> {
  const seeds = Array.from({ length: count }, (_, i) => firstSeed + i);
  const reports: HistoryReport[] = [];
  const work = async () => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) reports.push(await one(place, seed));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return reports;
}

async function one(place: RoughPlace, seed: number): Promise<HistoryReport> {
  const random = seeded(seed);
  const [clients, keys] = [2 + Math.floor(random() * 4), 1 + Math.floor(random() * 2)];
  return await history(place, { seed: `h${seed}`, random, clients, keys, calls: 7, roughness: 40 });
}
