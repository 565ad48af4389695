import { atLeast, atMost, inform, type Figure } from '../bench/figure.ts';
import { faultedCase, type FaultedCase, type FaultScene } from '../rotation/fault-case.ts';
import { faultPlan, type Density, type FaultPlan, type Faults } from '../rotation/fault-points.ts';
import { Scene, type Kind } from '../rotation/killed-scene.ts';
import { certificate } from '../services/certificate.ts';
import { FaultProxy } from '../services/fault-proxy.ts';
import { serverKeys } from '../services/server-keys.ts';
import { startPostgres, type PostgresServer } from '../services/postgres-server.ts';

/** A rotation that is disturbed, and how densely. */
interface Disturbed extends Kind {
  readonly tls: boolean;
  readonly density: Density;
}

const plain = { tls: false, density: { singles: 1, pairs: 8, stalls: 40 } };
/** What differs from an ordinary one is the order of its steps, and not what it says to the server. */
const emergency = { leaked: true, tls: false, density: { singles: 3, pairs: 8, stalls: 60 } };
const kinds: readonly Disturbed[] = [
  { strategy: 'alternating', leaked: false, ...plain },
  { strategy: 'alternating', ...emergency },
  { strategy: 'single', leaked: false, ...plain },
  { strategy: 'single', ...emergency },
  { strategy: 'alternating', leaked: false, tls: true, density: { singles: 3, pairs: 20, stalls: 80 } },
];

/** Rotations at once: what stalls only waits, and costs nothing meanwhile. */
const lanes = { quick: 2, stalled: 3 };
const seed = process.env['SEED'] ?? 'rotation-faults';

class Tally {
  rotations = 0;
  once = 0;
  twice = 0;
  missed = 0;
  points = 0;
  failedRuns = 0;
  readonly byKind = new Map<string, number>();
  readonly violations: string[] = [];

  note(kind: Disturbed, faults: Faults, { injected, violations, reports }: FaultedCase): void {
    if (injected.length < faults.length) this.missed += 1;
    else if (faults.length === 2) this.twice += 1;
    else if (faults.length === 1) this.once += 1;
    this.failedRuns += reports.filter(({ outcome }) => outcome === 'failed').length;
    for (const one of injected) {
      const name = one.split(' ').at(-1) ?? '';
      this.byKind.set(name, (this.byKind.get(name) ?? 0) + 1);
    }
    for (const what of violations) {
      const told = `${nameOf(kind)}, ${injected.join(' and ')}: ${what}`;
      if (this.violations.push(told) <= 40) process.stderr.write(`${told}\n`);
    }
    this.rotations += 1;
    if (this.rotations % 250 === 0) process.stderr.write(`  ${this.rotations} rotations\n`);
  }
}

/**
 * Rotations of a real PostgreSQL through a proxy that breaks the connection: before a message arrives, in the middle of it,
 * after it was carried out and before its answer arrives; that stalls, delays, cuts messages into bytes and joins
 * them. Once at every message of a rotation and twice at a sample; then the faults stop and it simply runs again.
 */
export async function rotationFaults(): Promise<Figure[]> {
  const began = performance.now();
  const tally = new Tally();
  const keys = await serverKeys();
  const server = await startPostgres([...keys.settings, 'max_connections=200']);
  try {
    await disturbAll(server, tally);
  } finally {
    await server.stop();
    await keys.remove();
  }
  const injected = [...tally.byKind.values()].reduce((sum, count) => sum + count, 0);
  return [
    atMost('rotation-faults', tally.violations.length, 'violations', 0),
    atLeast('rotation-faults-points', tally.points, 'messages', 1_000),
    atLeast('rotation-faults-once', tally.once, 'rotations', 1_300),
    atLeast('rotation-faults-twice', tally.twice, 'rotations', 130),
    atLeast('rotation-faults-failed-runs', tally.failedRuns, 'runs', 1_000),
    atLeast('rotation-faults-injected', injected, 'faults', 1_600),
    ...[...tally.byKind].map(([kind, count]) => inform(`rotation-faults-${kind}`, count, 'faults')),
    inform('rotation-faults-done-before', tally.missed, 'rotations'),
    inform('rotation-faults-seconds', (performance.now() - began) / 1_000, 's'),
  ];
}

async function disturbAll(server: PostgresServer, tally: Tally): Promise<void> {
  const scenes: FaultScene[] = [];
  const works: (() => Promise<void>)[] = [];
  try {
    for (const kind of kinds) {
      const quick = await scenesOf(server, kind, lanes.quick);
      const stalled = await scenesOf(server, kind, lanes.stalled);
      scenes.push(...quick, ...stalled);
      const [first] = quick;
      if (!first) continue;
      const good = await faultedCase(first, []);
      tally.note(kind, [], good);
      const plan = faultPlan(good.messages, kind.density, seed);
      tally.points += new Set(plan.singles.map(([fault]) => fault?.at)).size;
      process.stderr.write(`  ${nameOf(kind)}: ${JSON.stringify(lengthsOf(plan))}\n`);
      const [fast, slow] = [[...plan.singles, ...plan.pairs], [...plan.stalls]];
      works.push(...quick.map((scene) => () => disturb(scene, { kind, left: fast, tally })));
      works.push(...stalled.map((scene) => () => disturb(scene, { kind, left: slow, tally })));
    }
    await Promise.all(works.map((work) => work()));
  } finally {
    await Promise.all(scenes.map(async ({ scene, proxy }) => Promise.all([scene.remove(), proxy.stop()])));
  }
}

/** Takes one case after the other out of `left`, which others take from, too. */
async function disturb(
  scene: FaultScene,
  { kind, left, tally }: { readonly kind: Disturbed; readonly left: Faults[]; readonly tally: Tally },
): Promise<void> {
  for (let faults = left.shift(); faults; faults = left.shift())
    tally.note(kind, faults, await faultedCase(scene, faults));
}

function lengthsOf(plan: FaultPlan) {
  return Object.fromEntries(
    Object.entries(plan).map(([name, cases]: [string, readonly Faults[]]) => [name, cases.length]),
  );
}

/** One after the other: they share lockkeeper's own role. */
async function scenesOf(server: PostgresServer, kind: Disturbed, count: number): Promise<readonly FaultScene[]> {
  const made: FaultScene[] = [];
  for (let at = 0; at < count; at += 1) {
    const [scene, proxy] = [await Scene.make(server, kind), await FaultProxy.start(server.port)];
    made.push({ scene, proxy, ...(kind.tls && { ca: certificate }) });
  }
  return made;
}

function nameOf({ strategy, leaked, tls }: Disturbed): string {
  return [strategy, ...(leaked ? ['an emergency'] : []), ...(tls ? ['by TLS'] : [])].join(', ');
}
