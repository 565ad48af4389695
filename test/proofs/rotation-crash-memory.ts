import { minute } from '../../shared/base/time.ts';
import { inform, atMost, type Figure } from '../bench/figure.ts';
import { runCrashTable, type CrashTable } from '../rotation/crash-table.ts';

const leaked = { reason: 'found in a chat' };
const refreshes = { refreshes: ['web'] };
const issued = { kind: 'issued' } as const;
const [checked, renewed] = [{ writes: 'checked' } as const, { ids: 'renewed', keepsPrevious: false } as const];
const settling = { settlesMs: 3 * minute };

const itself = { strategy: 'single', changesItself: true, oneStore: true } as const;

const tables: readonly (readonly [string, CrashTable])[] = [
  ['alternating', { strategy: 'alternating', plan: refreshes }],
  ['additive', { strategy: 'additive', plan: refreshes }],
  ['additive-two', { strategy: 'additive', host: { capacity: 2, fence: 'exact' } }],
  ['replacing', { strategy: 'replacing', plan: refreshes }],
  ['single', { strategy: 'single' }],
  ['issued', { strategy: 'additive', host: { value: issued }, plan: refreshes }],
  ['alternating-checked', { strategy: 'alternating', vault: checked }],
  ['additive-checked', { strategy: 'additive', vault: checked }],
  ['alternating-settling', { strategy: 'alternating', vault: settling }],
  ['additive-settling', { strategy: 'additive', vault: { ...checked, ...settling } }],
  ['alternating-renewed', { strategy: 'alternating', vault: renewed }],
  ['additive-renewed', { strategy: 'additive', vault: { ...renewed, ...settling } }],
  ['alternating-leaked', { strategy: 'alternating', leaked, plan: refreshes }],
  ['additive-leaked', { strategy: 'additive', leaked }],
  ['additive-two-leaked', { strategy: 'additive', leaked, host: { capacity: 2, fence: 'exact' } }],
  ['replacing-leaked', { strategy: 'replacing', leaked }],
  ['single-leaked', { strategy: 'single', leaked }],
  ['issued-leaked', { strategy: 'additive', leaked, host: { value: issued } }],
  ['checked-leaked', { strategy: 'alternating', leaked, vault: checked }],
  ['settling-leaked', { strategy: 'alternating', leaked, vault: settling }],
  ['own-login', itself],
  ['own-login-settling', { ...itself, vault: { ...checked, ...settling } }],
  ['own-login-renewed', { ...itself, vault: { ...renewed, ...settling } }],
  ['own-login-leaked', { ...itself, leaked }],
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
    for (const violation of violations.slice(0, 10)) process.stderr.write(`${name}: ${violation}\n`);
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
