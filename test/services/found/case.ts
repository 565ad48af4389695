import type { PostgresServer } from '../postgres-server.ts';

/** A server on which cases run one after the other; each makes roles and databases of its own. */
export interface FoundServer {
  readonly server: PostgresServer;
  /** The major version. */
  readonly version: number;
}

/** One way in which PostgreSQL is found. */
export interface FoundCase {
  /** What is there, in a few words; the proof prints it. */
  readonly name: string;
  /** The first major version that can be found so; every version unless given. */
  readonly since?: number;
  /** The last major version on which it is arranged; every version unless given. */
  readonly until?: number;
  /** Arranges it, and throws where lockkeeper does not do what is right. */
  readonly run: (found: FoundServer) => Promise<void>;
}

/** What became of one case. */
export interface FoundResult {
  readonly name: string;
  readonly version: number;
  /** Undefined where all was right. */
  readonly wrong: string | undefined;
}

/** Runs the cases that the server's version can be found in, one after the other. */
export async function runCases(cases: readonly FoundCase[], found: FoundServer): Promise<readonly FoundResult[]> {
  const results: FoundResult[] = [];
  for (const { name, since = 0, until = Infinity, run } of cases) {
    if (since > found.version || until < found.version) continue;
    results.push({ name, version: found.version, wrong: await wrongWith(run(found)) });
  }
  return results;
}

async function wrongWith(running: Promise<void>): Promise<string | undefined> {
  try {
    await running;
    return undefined;
  } catch (thrown) {
    return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  }
}
