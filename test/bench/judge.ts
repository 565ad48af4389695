import { performance } from 'node:perf_hooks';
import { opening, row, verdictsOf } from '../idle-ports/judge-facts.ts';
import { atMost, type Figure } from './figure.ts';

/** Seconds that judging 1,000 openings of one interface by 100,000 rows of usage takes, the best of three. */
export async function judgeRules(): Promise<Figure[]> {
  const openings = Array.from({ length: 1000 }, (_, index) =>
    opening({
      id: `sgr-${index}`,
      from: index % 3 === 0 ? '10.0.0.0/8' : `10.${index % 200}.0.0/16`,
      ports: { from: index * 7, to: index * 7 + (index % 50) },
    }),
  );
  const rows = Array.from({ length: 50_000 }, (_, index) => {
    const where = { port: (index * 13) % 7000, peer: `10.${index % 200}.${index % 251}.${index % 13}` };
    return [row('opened-in', where), row('answered', where)];
  }).flat();
  const seconds = [1, 2, 3].map(() => {
    const began = performance.now();
    verdictsOf({ openings, rows });
    return (performance.now() - began) / 1000;
  });
  return [atMost('judge-1000-openings-100000-rows', Math.min(...seconds), 's', 10)];
}
