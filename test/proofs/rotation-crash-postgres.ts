import { atLeast, atMost, inform, type Figure } from '../bench/figure.ts';
import { killedCase } from '../rotation/killed-case.ts';
import { pointsOf, secondAt } from '../rotation/killed-points.ts';
import { Scene, type Kind } from '../rotation/killed-scene.ts';
import type { PostgresServer } from '../services/postgres-server.ts';
import { startVersion, versionsHere } from '../services/postgres-versions.ts';

const kinds: readonly Kind[] = [
  { strategy: 'alternating', leaked: false },
  { strategy: 'alternating', leaked: true },
  { strategy: 'single', leaked: false },
  { strategy: 'single', leaked: true },
];

/** Every third point is the first of a pair of kills. */
const pairEvery = 3;

interface Tally {
  points: number;
  once: number;
  twice: number;
  missed: number;
  readonly violations: string[];
}

/**
 * Processes that rotate a credential of a real PostgreSQL, each killed by SIGKILL at another point: before, in and after
 * every call of service, stores, state, log, people and receivers. Afterwards it is run until done. Once at every point;
 * twice at every third, the second kill at points of the recovery that spread over all of it. Pairs run on Debian's
 * PostgreSQL where it is installed, the others on the version of the tests.
 */
export async function rotationCrashPostgres(): Promise<Figure[]> {
  const began = performance.now();
  const servers = await Promise.all(versionsHere.map((version) => startVersion(version)));
  const tally: Tally = { points: 0, once: 0, twice: 0, missed: 0, violations: [] };
  const scenes: Scenes[] = [];
  try {
    // One after the other: they share lockkeeper's own role.
    for (const kind of kinds) scenes.push(await scenesOf(servers, kind));
    await Promise.all(scenes.map((both) => killed(both, tally)));
  } finally {
    await Promise.all(scenes.flatMap(({ once, twice }) => [once.remove(), twice.remove()]));
    await Promise.all(servers.map((server) => server.stop()));
  }
  for (const violation of tally.violations.slice(0, 40)) process.stderr.write(`${violation}\n`);
  return [
    atMost('rotation-crash-postgres', tally.violations.length, 'violations', 0),
    atLeast('rotation-crash-postgres-points', tally.points, 'points', 330),
    atLeast('rotation-crash-postgres-once', tally.once, 'runs killed', 330),
    atLeast('rotation-crash-postgres-twice', tally.twice, 'runs killed', 105),
    inform('rotation-crash-postgres-done-before', tally.missed, 'runs'),
    inform('rotation-crash-postgres-versions', servers.length, 'versions'),
    inform('rotation-crash-postgres-seconds', (performance.now() - began) / 1_000, 's'),
  ];
}

/** Where processes of one kind of rotation are killed once, and where twice. */
interface Scenes {
  readonly once: Scene;
  readonly twice: Scene;
}

async function scenesOf([newest, older = newest]: readonly PostgresServer[], kind: Kind): Promise<Scenes> {
  if (!newest || !older) throw new Error('no server');
  return { once: await Scene.make(newest, kind), twice: await Scene.make(older, kind) };
}

/** Killed at every point once, and at every third again while it recovers. */
async function killed({ once, twice }: Scenes, tally: Tally): Promise<void> {
  const good = await killedCase(once, []);
  note(tally, `${nameOf(once.kind)}, nobody killed`, good.violations);
  const points = pointsOf(good.moments);
  tally.points += points.length;
  for (const [at, point] of points.entries()) {
    const after = await runOne(once, [point], tally);
    if (at % pairEvery === 0) await runOne(twice, [point, secondAt(point, pointsOf(after))], tally);
  }
}

/** Answers the moments of what came after. */
async function runOne(scene: Scene, kills: readonly number[], tally: Tally): Promise<readonly string[]> {
  const { killedAt, moments, violations } = await killedCase(scene, kills);
  note(tally, `${nameOf(scene.kind)}, killed at ${kills.join(' and ')} (${killedAt.join('; ')})`, violations);
  if (killedAt.length < kills.length) tally.missed += 1;
  else if (kills.length === 1) tally.once += 1;
  else tally.twice += 1;
  return moments;
}

function note(tally: Tally, name: string, violations: readonly string[]): void {
  tally.violations.push(...violations.map((what) => `${name}: ${what}`));
}

function nameOf({ strategy, leaked }: Kind): string {
  return leaked ? `${strategy}, an emergency` : strategy;
}
