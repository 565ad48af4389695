import { inform, atMost, type Figure } from '../bench/figure.ts';
import { runCrashTable, type CrashTable } from '../rotation/crash-table.ts';

const tables: readonly (readonly [string, CrashTable])[] = [
  ['alternating', { strategy: 'alternating' }],
  ['additive', { strategy: 'additive' }],
  ['single', { strategy: 'single' }],
  ['alternating-leaked', { strategy: 'alternating', leaked: { reason: 'found in a chat' } }],
  ['additive-leaked', { strategy: 'additive', leaked: { reason: 'found in a chat' } }],
  ['single-leaked', { strategy: 'single', leaked: { reason: 'found in a chat' } }],
];

/**
 * Whole rotations over memory drivers, broken at every write, in every way, once and twice in a row; recovered by
 * running again. A violation is any invariant that did not hold at any time. Details of violations go to stderr.
 */
export async function rotationCrashMemory(): Promise<Figure[]> {
  const figures: Figure[] = [];
  let total = 0;
  let broken = 0;
  for (const [name, table] of tables) {
    const { cases, violations } = await runCrashTable(table);
    for (const violation of violations) process.stderr.write(`${name}: ${violation}\n`);
    total += cases;
    broken += violations.length;
    figures.push(atMost(`rotation-crash-memory-violations-${name}`, violations.length, 'violations', 0));
  }
  return [
    atMost('rotation-crash-memory', broken, 'violations', 0),
    inform('rotation-crash-memory-cases', total, 'cases'),
    ...figures,
  ];
}
