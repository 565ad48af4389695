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

/** lockkeeper's own logins, by which another credential of the same server is rotated after every kill. */
const ownKinds: readonly Kind[] = [
  { strategy: 'single', leaked: false, role: 'itself' },
  { strategy: 'single', leaked: true, role: 'itself' },
  { strategy: 'alternating', leaked: false, role: 'pair' },
  { strategy: 'alternating', leaked: true, role: 'pair' },
];

/** What one proof kills, and how much of it there is at least. */
interface Matrix {
  readonly name: string;
  readonly kinds: readonly Kind[];
  /** Every so many points one is the first of a pair of kills. */
  readonly pairEvery: number;
  readonly once: number;
  readonly twice: number;
}

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
export function rotationCrashPostgres(): Promise<Figure[]> {
  return runMatrix({ name: 'rotation-crash-postgres', kinds, pairEvery: 3, once: 330, twice: 105 });
}

/**
 * The same of lockkeeper's own logins: two that a third one changes, and one that changes itself. After every kill another
 * credential has to go on with what lockkeeper finds in its own secret, before the killed rotation does.
 */
export function rotationCrashOwnLogin(): Promise<Figure[]> {
  return runMatrix({ name: 'rotation-crash-own-login', kinds: ownKinds, pairEvery: 9, once: 270, twice: 28 });
}

async function runMatrix(matrix: Matrix): Promise<Figure[]> {
  const { name } = matrix;
  const began = performance.now();
  const servers = await Promise.all(versionsHere.map((version) => startVersion(version)));
  const tally: Tally = { points: 0, once: 0, twice: 0, missed: 0, violations: [] };
  const scenes: Scenes[] = [];
  try {
    // One after the other: they share lockkeeper's own role.
    for (const kind of matrix.kinds) scenes.push(await scenesOf(servers, kind));
    await Promise.all(scenes.map((both) => killed(both, tally, matrix.pairEvery)));
  } finally {
    await Promise.all(scenes.flatMap(({ once, twice }) => [once.remove(), twice.remove()]));
    await Promise.all(servers.map((server) => server.stop()));
  }
  for (const violation of tally.violations.slice(0, 40)) process.stderr.write(`${violation}\n`);
  return [
    atMost(name, tally.violations.length, 'violations', 0),
    atLeast(`${name}-points`, tally.points, 'points', matrix.once),
    atLeast(`${name}-once`, tally.once, 'runs killed', matrix.once),
    atLeast(`${name}-twice`, tally.twice, 'runs killed', matrix.twice),
    inform(`${name}-done-before`, tally.missed, 'runs'),
    inform(`${name}-versions`, servers.length, 'versions'),
    inform(`${name}-seconds`, (performance.now() - began) / 1_000, 's'),
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

/** Killed at every point once, and at every so many again while it recovers. */
async function killed({ once, twice }: Scenes, tally: Tally, pairEvery: number): Promise<void> {
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

function nameOf({ strategy, leaked, role }: Kind): string {
  return [role ?? 'consumers', strategy, ...(leaked ? ['an emergency'] : [])].join(', ');
}
