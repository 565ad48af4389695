import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rawEd25519 } from '../../shared/base/ed25519.ts';
import { encodeBase64 } from '../../shared/audit/tlog/base64.ts';
import { emptyRoot, type Hash } from '../../shared/audit/tlog/merkle.ts';
import { verifierKey } from '../../shared/audit/tlog/note.ts';
import { installed } from './installed.ts';
import { namedKey } from './plain-log.ts';
import { startServer } from './server.ts';
import { startSshAgent } from './ssh-agent.ts';

/** A real witness on this machine, which has seen nothing of the log yet. */
export interface Witness {
  /** C2SP tlog-witness: `add-checkpoint` is below it. */
  readonly url: string;
  /** The key that its cosignatures verify under, of type 0x04. */
  readonly vkey: string;
  stop(): Promise<void>;
}

const name = 'example.com/witness';

/**
 * Starts litewitness for one log. Its tool for adding logs cannot be installed, so the row is written as that tool
 * would. In a `home` it remembers what another one before it saw there; without it everything ends with it.
 */
export async function startWitness(origin: string, vkey: string, home?: string): Promise<Witness> {
  const program = await installed('litewitness');
  const directory = home ?? (await mkdtemp(join(tmpdir(), 'lk-witness-')));
  const database = join(directory, 'witness.db');
  if (!existsSync(database)) addLog(database, origin, vkey);
  const key = namedKey(name);
  const socket = join(directory, 'agent');
  const agent = await startSshAgent(socket, key);
  const server = await startServer({
    program,
    words: (port) => [
      '-db',
      database,
      '-name',
      name,
      '-key',
      agent.fingerprint,
      '-ssh-agent',
      socket,
      '-listen',
      `127.0.0.1:${port}`,
    ],
  });
  return {
    url: server.url,
    vkey: verifierKey(name, rawEd25519(key), 0x04),
    async stop() {
      await server.stop();
      await agent.stop();
      if (home === undefined) await rm(directory, { recursive: true });
    },
  };
}

function addLog(path: string, origin: string, vkey: string): void {
  const database = new DatabaseSync(path);
  database.exec('CREATE TABLE log (origin TEXT PRIMARY KEY, tree_size INTEGER NOT NULL, tree_hash TEXT NOT NULL)');
  database.exec(
    'CREATE TABLE key (origin TEXT NOT NULL, key TEXT NOT NULL, FOREIGN KEY(origin) REFERENCES log(origin))',
  );
  database.prepare('INSERT INTO log VALUES (?, 0, ?)').run(origin, encodeBase64(emptyRoot));
  database.prepare('INSERT INTO key VALUES (?, ?)').run(origin, vkey);
  database.close();
}

/** What a witness is asked: that `checkpoint` follows what it has seen at size `old`. */
export interface AddCheckpoint {
  readonly old: number;
  readonly proof: readonly Hash[];
  /** The signed note. */
  readonly checkpoint: string;
}

/**
 * Asks it, and answers its status and body: 200 with signature lines, 409 with the size it knows, 422, 403, 404, 400.
 */
export async function addCheckpoint(
  witness: Witness,
  { old, proof, checkpoint }: AddCheckpoint,
): Promise<{ readonly status: number; readonly body: string }> {
  const lines = [`old ${old}`, ...proof.map(encodeBase64), '', checkpoint];
  const answer = await fetch(`${witness.url}/add-checkpoint`, {
    method: 'POST',
    body: lines.join('\n'),
    signal: AbortSignal.timeout(10_000),
  });
  return { status: answer.status, body: await answer.text() };
}
