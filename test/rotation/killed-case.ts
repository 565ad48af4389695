import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { hour } from '../../shared/base/time.ts';
import { watched } from './killed-events.ts';
import { watchedPlace } from './killed-log.ts';
import { durableDeps, runUntilDone, type DurablePlace } from './killed-place.ts';
import type { Scene } from './killed-scene.ts';
import { Watch } from './killed-watch.ts';

/** The number of a moment, from 1, or its name: the first one of that name. */
type Moment = number | string;

/** What became of one rotation. */
export interface KilledCase {
  /** At which moments its processes were killed; less than were asked for where one was done before. */
  readonly killedAt: readonly string[];
  /** Moments of the run that came after the last kill. */
  readonly moments: readonly string[];
  readonly violations: readonly string[];
}

/**
 * One rotation from its beginning: a process is killed at the moment of each of `kills`, each going on from where
 * the one before died; then it runs until it is done. Without any nobody dies.
 */
export async function killedCase(scene: Scene, kills: readonly Moment[]): Promise<KilledCase> {
  const place = await scene.anew();
  const watch = new Watch(scene, watchedPlace(place));
  const [killedAt, said, others]: [string[], string[], string[]] = [[], [], []];
  await watch.look('before');
  for (const moment of kills) {
    const child = await childOn({ ...place, aheadMs: killedAt.length * hour }, moment);
    said.push(child.said);
    if (!child.killedAt) break;
    killedAt.push(child.killedAt);
    await watch.look(`after a kill ${child.killedAt}`, { really: true });
    for (const what of (await scene.other?.goesOn(place)) ?? []) others.push(`after a kill ${child.killedAt}: ${what}`);
  }
  const moments: string[] = [];
  const deps = durableDeps({ ...place, aheadMs: kills.length * hour }, 'last');
  const followed = watched(deps, async (moment) => {
    moments.push(moment);
    if (isWritten(moment)) await watch.look(moment);
  });
  const reports = await runUntilDone(followed, place);
  await deps.audit.end();
  const { outcome, text } = reports.at(-1) ?? { outcome: 'done', text: '' };
  const violations = [
    ...(outcome === 'done' || outcome === 'idle' ? [] : [`it ends ${outcome}: ${text}`]),
    ...others,
    ...(await watch.verdict([...said, inspect(reports, { depth: 9 }), JSON.stringify(reports)])),
  ];
  return { killedAt, moments, violations };
}

/** After these something that consumers feel may be another. */
export function isWritten(moment: string): boolean {
  return /\.(change|retire|promote|abandon|stage) after$/.test(moment);
}

/** A process of its own, which dies at that moment of its rotation. */
async function childOn(place: DurablePlace, moment: Moment): Promise<{ killedAt: string | undefined; said: string }> {
  const words = ['--no-warnings', join(import.meta.dirname, 'killed-child.ts'), JSON.stringify(place), String(moment)];
  const child = spawn(process.execPath, words, {
    env: { ...process.env, NODE_COMPILE_CACHE: join(place.directory, '..', 'compiled') },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    killSignal: 'SIGTERM',
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => (said += part));
  await once(child, 'close');
  if (child.signalCode === 'SIGKILL') return { killedAt: said.trimEnd().split('\n').at(-1), said };
  if (child.exitCode === 0) return { killedAt: undefined, said };
  throw new Error(`the process ended with ${child.exitCode ?? child.signalCode ?? ''}: ${said}`);
}
