import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { watched } from '../rotation/killed-events.ts';
import { durableDeps, form, runUntilDone, type DurableDeps, type DurablePlace } from '../rotation/killed-place.ts';
import { Scene } from '../rotation/killed-scene.ts';
import { adminPassword } from '../services/postgres-pair.ts';
import type { PostgresServer } from '../services/postgres-server.ts';
import { inspectAll } from '../services/printed.ts';
import { Canaries } from './canaries.ts';

/**
 * A rotation in which every call of every driver throws once, and processes that end by an exception nobody catches: what
 * is thrown, reported, written and printed is searched, and the values they made are planted in `canaries`, for who
 * searches the server. Answers how many exceptions there were.
 */
export async function crashesWithCanaries(server: PostgresServer, canaries: Canaries): Promise<number> {
  const scene = await Scene.make(server, { strategy: 'alternating', leaked: false });
  try {
    const names = await momentsOf(scene);
    for (const name of names) await thrownAt(scene, name, canaries);
    const loud = names.filter((name) => /^(service\.change|service\.retire|one\.promote) /.test(name));
    for (const name of loud) await printedAt(scene, name, canaries);
    return names.length + loud.length;
  } finally {
    await scene.remove();
  }
}

async function momentsOf(scene: Scene): Promise<readonly string[]> {
  const place = await scene.anew();
  const names = new Set<string>();
  const deps = durableDeps(place, 'good');
  await runUntilDone(
    watched(deps, (name) => void names.add(name)),
    place,
  );
  await deps.audit.end();
  return [...names];
}

async function thrownAt(scene: Scene, name: string, canaries: Canaries): Promise<void> {
  const place = await scene.anew();
  const deps = durableDeps(place, 'thrown');
  let isThrown = false;
  const broken = watched(deps, (moment) => {
    if (isThrown || moment !== name) return;
    isThrown = true;
    throw new TypeError(`a defect at ${name}`);
  });
  const said: string[] = [];
  const noted = async (report: unknown) => void said.push(inspect(report, { depth: null, showHidden: true }));
  try {
    await runUntilDone(broken, place, noted);
  } catch (thrown) {
    said.push(inspect(thrown, { depth: null, showHidden: true }), inspectAll(thrown));
  }
  await deps.audit.end();
  await search(scene, { place, name, said, stores: deps.stores }, canaries);
}

/** A process whose exception nobody catches, with the report that Node writes about it. */
async function printedAt(scene: Scene, name: string, canaries: Canaries): Promise<void> {
  const place = await scene.anew();
  const child = join(import.meta.dirname, '..', 'rotation', 'killed-child.ts');
  const words = ['--no-warnings', '--report-uncaught-exception', `--report-directory=${place.directory}`];
  const said = await new Promise<string>((resolve) => {
    const given = [...words, child, JSON.stringify(place), name, 'throw'];
    execFile(process.execPath, given, { timeout: 60_000 }, (error, out, err) =>
      resolve(`${error === null ? 'it did not fail' : 'failed'}\n${out}\n${err}`),
    );
  });
  if (!said.includes('a defect at')) throw new Error(`${name}: the process says nothing of its end: ${said}`);
  await search(scene, { place, name, said: [said], stores: durableDeps(place, 'look').stores }, canaries);
}

interface Crash {
  readonly place: DurablePlace;
  readonly name: string;
  readonly said: readonly string[];
  readonly stores: DurableDeps['stores'];
}

async function search(scene: Scene, { place, name, said, stores }: Crash, canaries: Canaries): Promise<void> {
  // These two stand in the log of the server, for the scene made its users with them.
  const own = new Canaries().plant('first', scene.pair.initial.value.open()).plant('own login', adminPassword);
  for (const store of Object.values(stores)) {
    const { current, previous, pending } = await store.read('app');
    for (const version of [current, previous, pending]) {
      const value = version && form.read(version.value, []).value;
      if (!value || value.equals(scene.pair.initial.value)) continue;
      own.plant(`new at ${name}`, value.open());
      canaries.plant(`new at ${name}`, value.open());
    }
  }
  for (const text of said) own.search(`an exception at ${name}`, text);
  await own.searchDirectory(place.directory);
  canaries.took(own);
}
