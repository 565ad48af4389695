import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { root } from '../house/sources.ts';
import { superuser } from '../services/postgres-server.ts';

/** What a person got to see, and how it ended. */
export interface Shown {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A person at a terminal of this machine, with a directory and a home of their own. */
export interface Person {
  readonly directory: string;
  /** Runs a text in a shell that stops at the first failure; `typed` is what they type meanwhile. */
  types(text: string, typed?: string): Promise<Shown>;
  leaves(): Promise<void>;
}

/**
 * A person beside a PostgreSQL on `port`, whose superuser they may become. What they call is what is there: a real
 * psql where this machine has one, and this checkout as `npx lockkeeper`.
 */
export async function personBeside(port: number): Promise<Person> {
  const place = await mkdtemp(join(tmpdir(), 'lockkeeper-person-'));
  const [directory, programs] = [join(place, 'work'), join(place, 'bin')];
  for (const path of [directory, programs]) await mkdir(path, { mode: 0o700 });
  const node = `${process.execPath} --no-warnings`;
  const lines = {
    npx: `shift; exec ${node} ${join(root, 'functions/cli/lockkeeper.js')} "$@"`,
    sudo: `shift 2; PGUSER=${superuser.user} PGPASSWORD=${superuser.password} exec "$@"`,
    ...(!hasPsql() && { psql: `exec ${node} ${join(root, 'test/cli/psql.ts')} "$@"` }),
  };
  for (const [name, line] of Object.entries(lines)) {
    await writeFile(join(programs, name), `#!/bin/sh\n${line}\n`);
    await chmod(join(programs, name), 0o700);
  }
  const path = [programs, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter);
  const env = { PATH: path, HOME: place, LANG: 'C.UTF-8', PGHOST: '127.0.0.1', PGPORT: String(port) };
  return {
    directory,
    types: (text, typed = '') => shell(text, { cwd: directory, env, typed }),
    leaves: () => rm(place, { recursive: true, force: true }),
  };
}

function hasPsql(): boolean {
  return ['/usr/bin/psql', '/bin/psql'].some((path) => existsSync(path));
}

async function shell(
  text: string,
  { typed, ...where }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly typed: string },
): Promise<Shown> {
  const child = spawn('/bin/sh', ['-euc', text], { ...where, stdio: 'pipe', timeout: 60_000 });
  const shown = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (part: string) => (shown.out += part));
  child.stderr.setEncoding('utf8').on('data', (part: string) => (shown.err += part));
  // Who needs nothing typed may be gone before it is.
  child.stdin.on('error', () => undefined).end(typed);
  return await new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve({ code, ...shown }));
  });
}
