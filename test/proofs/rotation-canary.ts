import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atLeast, atMost, inform, type Figure } from '../bench/figure.ts';
import type { PostgresServer } from '../services/postgres-server.ts';
import { startVersion, versionsHere } from '../services/postgres-versions.ts';
import { Canaries } from './canaries.ts';
import { crashesWithCanaries } from './canary-crashes.ts';
import { passwordFile, personWithCanaries } from './canary-person.ts';
import { sampleActivity } from './canary-samples.ts';

/** Everything that a server can be made to write about its statements. */
const talkative = [
  'shared_preload_libraries=auto_explain,pg_stat_statements',
  'auto_explain.log_min_duration=0',
  'auto_explain.log_verbose=on',
  'auto_explain.log_nested_statements=on',
  'pg_stat_statements.track=all',
  'pg_stat_statements.track_utility=on',
  'log_statement=all',
  'log_min_duration_statement=0',
  'log_connections=on',
  'log_disconnections=on',
  'log_error_verbosity=verbose',
  'log_parameter_max_length=-1',
  'log_parameter_max_length_on_error=-1',
  'log_min_error_statement=debug5',
  'log_min_messages=debug1',
  'log_lock_waits=on',
  'deadlock_timeout=100ms',
  'track_activity_query_size=65536',
];

interface Tally {
  readonly finds: string[];
  searched: number;
  samples: number;
  controls: number;
  canaries: number;
  crashes: number;
}

/**
 * Known passwords (old, new, leaked, imported, lockkeeper's own) are looked for in all that comes out while lockkeeper
 * adopts, imports and rotates: logs and statistics of servers that write down everything, what sessions run, output, files,
 * processes, exceptions. A password that a person sets by hand must be found, or the search proves nothing.
 */
export async function rotationCanary(): Promise<Figure[]> {
  const began = performance.now();
  const tally: Tally = { finds: [], searched: 0, samples: 0, controls: 0, canaries: 0, crashes: 0 };
  for (const version of versionsHere) {
    const server = await startVersion(version, talkative);
    try {
      await searchAll(server, version, tally);
    } finally {
      await server.stop();
    }
  }
  for (const find of tally.finds) process.stderr.write(`${find}\n`);
  return [
    atMost('rotation-canary', tally.finds.length, 'finds', 0),
    atLeast('rotation-canary-searched', tally.searched, 'places', 300 * versionsHere.length),
    atLeast('rotation-canary-samples', tally.samples, 'looks', 500 * versionsHere.length),
    atLeast('rotation-canary-controls', tally.controls, 'found', controls.length * versionsHere.length),
    atLeast('rotation-canary-passwords', tally.canaries, 'passwords', 8 * versionsHere.length),
    atLeast('rotation-canary-exceptions', tally.crashes, 'exceptions', 40 * versionsHere.length),
    inform('rotation-canary-versions', versionsHere.length, 'versions'),
    inform('rotation-canary-seconds', (performance.now() - began) / 1_000, 's'),
  ];
}

async function searchAll(server: PostgresServer, version: number, tally: Tally): Promise<void> {
  await server.sql('CREATE EXTENSION pg_stat_statements');
  const canaries = new Canaries();
  const activity = await sampleActivity(server);
  const person = await personWithCanaries(server, canaries);
  try {
    tally.crashes += await crashesWithCanaries(server, canaries);
    tally.controls += await controlsFound(server, activity.seen);
    await activity.end();
    for (const seen of activity.seen) canaries.search(`a session runs ${seen.slice(0, 60)}`, seen);
    canaries.search('the log of the server', Buffer.from(server.log()));
    for (const query of await statisticsOf(server)) canaries.search('the statistics of the server', query);
    await canaries.searchDirectory(person.directory, passwordFile);
  } finally {
    await person.leaves();
  }
  tally.searched += canaries.searched;
  tally.samples += activity.looks();
  tally.canaries += canaries.names.length;
  tally.finds.push(...canaries.finds.map((find) => `PostgreSQL ${version}: ${find}`));
}

const byHand = 'canary/control+0123456789"x';
const controls = ['log', 'activity', 'statistics', 'file'];

/** What a person gives away by hand on the same server, in four ways, is found in each. Answers how many were. */
async function controlsFound(server: PostgresServer, seen: ReadonlySet<string>): Promise<number> {
  await server.sql(`ALTER ROLE shop PASSWORD '${byHand}'`);
  await server.sql(`SELECT pg_sleep(0.5), '${byHand}'`);
  const statements = await statisticsOf(server);
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-canary-'));
  await writeFile(join(directory, 'dump'), Buffer.from(`x${byHand}`, 'utf16le'));
  const places: Readonly<Record<string, (hand: Canaries) => unknown>> = {
    log: (hand) => hand.search('log', server.log()),
    activity: (hand) => hand.search('activity', [...seen].join('\n')),
    statistics: (hand) => hand.search('statistics', statements.join('\n')),
    file: async (hand) => hand.searchDirectory(directory),
  };
  let found = 0;
  for (const name of controls) {
    const hand = new Canaries().plant('by hand', byHand);
    await places[name]?.(hand);
    if (hand.finds.length > 0) found += 1;
    else process.stderr.write(`a password that was set by hand is not found in: ${name}\n`);
  }
  await rm(directory, { recursive: true });
  return found;
}

async function statisticsOf(server: PostgresServer): Promise<readonly string[]> {
  return (await server.sql<{ query: string }>('SELECT query FROM pg_stat_statements')).map(({ query }) => query);
}
