import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { atLeast, atMost, inform, type Figure } from '../bench/figure.ts';
import type { SetupReport } from './model/explore-setup.ts';
import { setups } from './model/setups.ts';
import { told } from './model/story.ts';

/** Of one setup so many states are looked at; a larger space is cut off, and said to be. */
const mostStates = 22_000;

/**
 * Every state that the real code of the rotation can reach on the memory drivers, breadth first, while calls fail, answers
 * get lost, hosts die, a second rotator interferes and people do what people do; within the moves that are printed. In
 * every state the promises hold, and from every state quiet runs end well. Violations go to stderr, each as a story.
 */
export async function rotationModel(): Promise<Figure[]> {
  const reports = await explored(setups.map(({ name }) => name));
  for (const report of reports) tell(report);
  const sum = (of: (report: SetupReport) => number) => reports.reduce((all, report) => all + of(report), 0);
  return [
    atMost(
      'rotation-model',
      sum(({ violations }) => violations.length),
      'violations',
      0,
    ),
    inform(
      'rotation-model-cut-off',
      sum(({ exhausted }) => (exhausted ? 0 : 1)),
      'configurations',
    ),
    atLeast(
      'rotation-model-exhausted',
      sum(({ exhausted }) => (exhausted ? 1 : 0)),
      'configurations',
      15,
    ),
    atLeast(
      'rotation-model-states',
      sum(({ states }) => states),
      'states',
      100_000,
    ),
    inform(
      'rotation-model-transitions',
      sum(({ transitions }) => transitions),
      'transitions',
    ),
    inform(
      'rotation-model-quiet-runs',
      sum(({ quietRuns }) => quietRuns),
      'quiet runs',
    ),
    inform(
      'rotation-model-weaker',
      sum(({ weaker }) => weaker),
      'states',
    ),
    ...reports.map(({ name, states }) => inform(`rotation-model ${name}`, states, 'states')),
  ];
}

function tell({
  name,
  moves,
  states,
  transitions,
  byMoves,
  worlds,
  weaker,
  seconds,
  exhausted,
  violations,
}: SetupReport): void {
  const cut = exhausted ? '' : '; CUT OFF, so this is no proof';
  const less = weaker > 0 ? `; in ${weaker} states a promise did not hold that its drivers cannot keep` : '';
  process.stderr.write(
    `${name}: ${states} states (${byMoves.join(' + ')} with 0 to ${moves} moves), ${transitions} transitions, ` +
      `${worlds} worlds followed to their end, ${seconds.toFixed(0)} s${less}${cut}\n`,
  );
  for (const { promise, path } of violations) process.stderr.write(`  NOT HELD: ${promise}\n${told(path)}\n`);
}

/** One thread a setup, so that its memory goes with it; as many at once as there are cores. */
async function explored(names: readonly string[]): Promise<readonly SetupReport[]> {
  const queue = [...names];
  const reports: SetupReport[] = [];
  const work = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) reports.push(await reportOf(name));
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), names.length) }, work));
  return reports.toSorted((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
}

async function reportOf(name: string): Promise<SetupReport> {
  const { promise, resolve, reject } = Promise.withResolvers<SetupReport>();
  const worker = new Worker(new URL('./model/worker.ts', import.meta.url), {
    workerData: { name, states: mostStates },
    resourceLimits: { maxOldGenerationSizeMb: 6_000 },
  });
  worker.once('message', resolve);
  worker.once('error', reject);
  worker.once('exit', (code) => reject(new Error(`${name}: the thread ended with ${code}`)));
  return await promise;
}
