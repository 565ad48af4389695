import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { hasErrno } from '../../shared/base/errno.ts';
import { superuser, type PostgresServer } from '../services/postgres-server.ts';

/** What is looked at again and again while something else works. */
export interface Samples {
  /** Every text that was seen, once. */
  readonly seen: ReadonlySet<string>;
  /** How often it was looked. */
  looks(): number;
  /** Rejects with what kept it from looking. */
  end(): Promise<void>;
}

/** A superuser's session that reads what every session of the server runs, without a pause. */
export async function sampleActivity(server: PostgresServer): Promise<Samples> {
  const client = new pg.Client({ host: '127.0.0.1', port: server.port, database: 'postgres', ...superuser });
  // Where the server is stopped first, another error says why.
  client.on('error', () => undefined);
  await client.connect();
  const text = `/* sample */ SELECT concat_ws(' ', query, application_name, backend_type) AS seen FROM pg_stat_activity
    WHERE pid <> pg_backend_pid()`;
  const samples = repeated(async (seen) => {
    const { rows } = await client.query<{ readonly seen: string }>(text);
    for (const row of rows) seen.add(row.seen);
  }, 4);
  return {
    ...samples,
    async end() {
      await samples.end();
      await client.end();
    },
  };
}

/**
 * The words of every process that was started with `mark` in its environment, and the environment of those that run
 * lockkeeper; what a command is given on purpose is not looked at.
 */
export function sampleProcesses(mark: string): Samples {
  /** Processes that are somebody else's, by how often that was seen: one that was only forked is not itself yet. */
  const others = new Map<string, number>();
  return repeated(async (seen) => {
    const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    for (const number of numbers) {
      const timesOther = others.get(number) ?? 0;
      if (timesOther > 5) continue;
      const environment = await procFile(number, 'environ');
      if (!environment.includes(mark)) {
        others.set(number, timesOther + 1);
        continue;
      }
      const words = await procFile(number, 'cmdline');
      seen.add(words);
      if (words.includes('lockkeeper.js')) seen.add(environment);
    }
  }, 20);
}

function repeated(look: (seen: Set<string>) => Promise<void>, everyMs: number): Samples {
  const seen = new Set<string>();
  const stop = new AbortController();
  let looks = 0;
  const loop = (async () => {
    for (; !stop.signal.aborted; looks += 1) {
      await look(seen);
      await pause(everyMs);
    }
  })();
  // It is heard of at the end.
  loop.catch(() => undefined);
  return {
    seen,
    looks: () => looks,
    async end() {
      stop.abort();
      await loop;
    },
  };
}

/** Empty where the process is gone or belongs to somebody else. */
async function procFile(number: string, name: string): Promise<string> {
  try {
    return await readFile(`/proc/${number}/${name}`, 'latin1');
  } catch (thrown) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].some((code) => hasErrno(thrown, code))) return '';
    throw thrown;
  }
}
