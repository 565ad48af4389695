import { minute } from '../../shared/base/time.ts';
import type { MemoryVaultOptions } from '../../shared/secrets/memory.ts';
import { atLeast, atMost, inform, type Figure } from '../bench/figure.ts';
import { startPostgres } from '../services/postgres-server.ts';
import { caseText, pairs, singles, tried, type Case, type Miss } from './drift/cases.ts';
import { postgresCases } from './drift/postgres.ts';
import { quietDays, type Quiet } from './drift/quiet.ts';
import { Choice } from './hostile/seeded.ts';

/**
 * Every way in which journal, stores and service can differ, alone and two at once, for every strategy and kind of store,
 * before, during and after a rotation: each found by its name, told once, and over once what it says was done. Then days
 * on which nothing is wrong. Then real cases on a real PostgreSQL. What went wrong goes to stderr.
 */
export async function rotationDrift(days = 1_000): Promise<Figure[]> {
  const alone = singles();
  const both = pairs();
  const misses = [...(await all(alone)), ...(await all(both))];
  const quiet = await quietEverywhere(days);
  for (const text of quiet.invented.slice(0, 20)) process.stderr.write(`rotation-drift: on a quiet day: ${text}\n`);
  const invented = misses.filter(({ kind }) => kind === 'invented').length + quiet.invented.length;
  return [
    atMost('rotation-drift-missed', misses.filter(({ kind }) => kind === 'missed').length, 'findings', 0),
    atMost('rotation-drift-invented', invented, 'findings', 0),
    atMost('rotation-drift-told-wrongly', misses.filter(({ kind }) => kind === 'told').length, 'cases', 0),
    atMost('rotation-drift-not-over', misses.filter(({ kind }) => kind === 'not-over').length, 'cases', 0),
    atLeast('rotation-drift-singles', alone.length, 'cases', 1_500),
    atLeast('rotation-drift-pairs', both.length, 'cases', 15_000),
    atLeast('rotation-drift-quiet-days', quiet.days, 'days', days),
    inform('rotation-drift-quiet-checks', quiet.checks, 'checks'),
    inform('rotation-drift-quiet-checks-during', quiet.during, 'checks'),
    inform('rotation-drift-quiet-rotations', quiet.rotations, 'rotations'),
    ...(await onPostgres()),
  ];
}

async function all(cases: readonly Case[]): Promise<readonly Miss[]> {
  const misses: Miss[] = [];
  for (const one of cases) {
    const found = await tried(one);
    for (const { kind, text } of found.slice(0, misses.length < 50 ? 5 : 0))
      process.stderr.write(`rotation-drift: ${kind}: ${text}: ${caseText(one)}\n`);
    misses.push(...found);
  }
  return misses;
}

const vaults: readonly MemoryVaultOptions[] = [
  {},
  { writes: 'checked' },
  { settlesMs: 5 * minute },
  { settlesMs: 40 * minute, ids: 'renewed' },
  { keepsPrevious: false },
];

/** `days` days, shared out among every strategy and kind of store. */
async function quietEverywhere(days: number): Promise<Quiet> {
  const settings = (['alternating', 'additive', 'replacing', 'single'] as const).flatMap((strategy) =>
    vaults.map((vault) => ({ strategy, vault })),
  );
  const share = Math.ceil(days / settings.length);
  const each: Quiet[] = [];
  for (const [n, setting] of settings.entries()) each.push(await quietDays(setting, share, new Choice(n + 1)));
  const sum = (of: (one: Quiet) => number) => each.reduce((total, one) => total + of(one), 0);
  return {
    days: sum((one) => one.days),
    checks: sum(({ checks }) => checks),
    moved: sum(({ moved }) => moved),
    during: sum(({ during }) => during),
    rotations: sum(({ rotations }) => rotations),
    invented: each.flatMap(({ invented }) => invented),
  };
}

async function onPostgres(): Promise<readonly Figure[]> {
  const server = await startPostgres();
  try {
    const { cases, wrong } = await postgresCases(server);
    for (const text of wrong) process.stderr.write(`rotation-drift: on PostgreSQL: ${text}\n`);
    return [
      atMost('rotation-drift-postgres-wrong', wrong.length, 'cases', 0),
      atLeast('rotation-drift-postgres', cases, 'cases', 5),
    ];
  } finally {
    await server.stop();
  }
}
