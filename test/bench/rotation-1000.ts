import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { after, day } from '../../shared/base/time.ts';
import { systemWorld } from '../../shared/base/world.ts';
import { atOnce } from '../../shared/rotation/many/at-once.ts';
import { rotateMany, type ManyReport } from '../../shared/rotation/many/rotate-many.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import { startPostgres } from '../services/postgres-server.ts';
import { atLeast, atMost, inform, type Figure } from './figure.ts';
import { manyCredentials, type ManyCredentials, type Recording } from './rotation-1000/place.ts';
import { recordPostgres } from './rotation-1000/record-calls.ts';
import { median, rounded } from './turns.ts';

const concurrency = 8;
/** So many at least, so that not half of a block is its end. */
const leastInBlock = 25;
const limit = 1.2;

/**
 * A thousand alternating credentials of one PostgreSQL through a whole rotation, against the same connections,
 * statements, verifiers and store calls made bare, as many at once; tenth by tenth, the ratio of the middle tenth. Then all
 * of them once more, with a deadline in the middle: what the process holds, and that the next run goes on where that one
 * stopped.
 * `CREDENTIALS=100` rotates fewer, for a machine that is busy.
 */
export async function rotation1000(): Promise<Figure[]> {
  const server = await startPostgres();
  try {
    const many = await manyCredentials(server, Number(process.env['CREDENTIALS'] ?? 1_000));
    const compared = await comparedWithBare(many);
    return [...compared, ...(await cutShort(many))];
  } finally {
    await server.stop();
  }
}

/** Milliseconds, and those of them in which this process computed. */
interface Taken {
  readonly ms: number;
  readonly cpuMs: number;
}

interface Block {
  readonly product: Taken;
  readonly bare: Taken;
  readonly counts: ReturnType<Recording['counts']>;
}

async function comparedWithBare(many: ManyCredentials): Promise<readonly Figure[]> {
  const each = Math.max(leastInBlock, Math.ceil(many.names.length / 10));
  const all: Block[] = [];
  for (let at = 0; at < many.names.length; at += each)
    all.push(await block(many, many.names.slice(at, at + each), all.length % 2 === 1));
  const sum = (of: (one: Block) => number) => all.reduce((total, one) => total + of(one), 0);
  const count = many.names.length;
  return [
    atMost('rotation-1000', median(all.map(({ product, bare }) => product.ms / bare.ms)), 'x of bare', limit),
    inform('rotation-1000-of-all', rounded(sum(({ product }) => product.ms) / sum(({ bare }) => bare.ms)), 'x of bare'),
    inform('rotation-1000-time', rounded(sum(({ product }) => product.ms) / 1_000), 's'),
    inform('rotation-1000-bare-time', rounded(sum(({ bare }) => bare.ms) / 1_000), 's'),
    inform('rotation-1000-own-cpu', rounded(sum(({ product }) => product.cpuMs) / count), 'ms a rotation'),
    inform('rotation-1000-bare-cpu', rounded(sum(({ bare }) => bare.cpuMs) / count), 'ms a rotation'),
    inform('rotation-1000-credentials', count, 'credentials'),
    inform('rotation-1000-connections', rounded(sum(({ counts }) => counts.connections) / count), 'a rotation'),
    inform('rotation-1000-statements', rounded(sum(({ counts }) => counts.statements) / count), 'a rotation'),
    inform('rotation-1000-store-calls', rounded(sum(({ counts }) => counts.storeCalls) / count), 'a rotation'),
  ];
}

/**
 * Recorded once, which takes time of its own; then made bare, and rotated once more unrecorded. In every other block the
 * rotation is measured first: neither has always the warmer caches.
 */
async function block(many: ManyCredentials, names: readonly string[], isProductFirst: boolean): Promise<Block> {
  const product = (): Promise<Taken> => timed(() => rotateAll(many.deps(names)));
  const first = isProductFirst ? await product() : undefined;
  const recording = await many.record(names);
  const postgres = recordPostgres();
  await rotateAll(recording.deps);
  postgres.stop();
  const replay = await recording.putBack();
  const bare = await timed(() => atOnce(names, concurrency, replay));
  const taken = { product: first ?? (await product()), bare };
  many.forgetLog();
  return { ...taken, counts: recording.counts() };
}

async function rotateAll(deps: ReadonlyMap<string, RotationDeps>): Promise<void> {
  const report = await rotateMany(deps, { concurrency, request: { now: true } });
  if (doneIn(report).length === deps.size) return;
  const [wrong] = [...report.reports.values()].filter(({ outcome }) => outcome !== 'done');
  throw new Error(`not all were rotated: ${wrong?.text ?? [...report.problems.values()].join(', ')}`);
}

/** A month later all are due again. The first run is stopped by its deadline in the middle, the second one goes on. */
async function cutShort(many: ManyCredentials): Promise<readonly Figure[]> {
  const { names } = many;
  const heldMb: number[] = [];
  let total = 0;
  const onDone = (): void => {
    total += 1;
    if (total % 50 === 0) many.forgetLog();
    if (total === Math.floor(names.length / 10) || total === names.length) heldMb.push(residentMb());
  };
  const middle = Math.floor(names.length / 2);
  const first = await monthLater(many, () => total >= middle, onDone);
  const second = await monthLater(many, () => false, onDone);
  const done = [first, second].map(doneIn);
  const [early = Number.NaN, late = Number.NaN] = heldMb;
  return [
    atLeast('rotation-1000-left-by-the-deadline', first.left.length, 'credentials', 1),
    atLeast('rotation-1000-done-by-the-next-run', new Set(done.flat()).size, 'credentials', names.length),
    atMost('rotation-1000-rotated-twice', done.flat().length - names.length, 'credentials', 0),
    atMost('rotation-1000-memory', rounded(late - early), 'MB from 10 to 100 %', 16),
    inform('rotation-1000-resident', rounded(late), 'MB'),
  ];
}

/** One run of the schedule, whose deadline has come once `isOver`. */
async function monthLater(many: ManyCredentials, isOver: () => boolean, onDone: () => void): Promise<ManyReport> {
  const real = systemWorld();
  const now = () => after(real.now(), 31 * day);
  many.world = { ...real, now, deadline: () => (isOver() ? now() : real.deadline()) };
  return await rotateMany(many.deps(many.names), {
    concurrency,
    onProgress: ({ report }) => void (report?.outcome === 'done' && onDone()),
  });
}

function doneIn({ reports }: ManyReport): readonly string[] {
  return [...reports].filter(([, { outcome }]) => outcome === 'done').map(([name]) => name);
}

async function timed(work: () => Promise<unknown>): Promise<Taken> {
  const [began, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { ms: performance.now() - began, cpuMs: (user + system) / 1_000 };
}

/** After what nobody needs was freed. */
function residentMb(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc()');
  return process.memoryUsage().rss / 1_048_576;
}
