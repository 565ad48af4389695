import pg from 'pg';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importLogin } from '../../shared/rotation/import.ts';
import { makePair, type PostgresPair } from '../services/postgres-pair.ts';
import { superuser, type PostgresServer } from '../services/postgres-server.ts';
import { Other } from './killed-other.ts';
import { durableDeps, type DurablePlace, type KilledRole } from './killed-place.ts';

/** Which rotation is killed. */
export interface Kind {
  readonly strategy: 'alternating' | 'single';
  /** An emergency. */
  readonly leaked: boolean;
  /** `consumers` unless given. */
  readonly role?: KilledRole;
}

/** What the server knows of one user: the verifier of its password, null where it has none. */
export type Verifiers = Readonly<Record<string, string | null>>;

/** A process that is killed loses nothing of what it wrote, on whichever kind of disk; a power loss is another proof. */
const quickest = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

interface Parts {
  readonly pair: PostgresPair;
  readonly other: Other | undefined;
  readonly root: string;
  readonly admin: pg.Client;
}

/** A pair of users of one server, with its login imported into two stores; every case begins there again. */
export class Scene {
  readonly server: PostgresServer;
  readonly kind: Kind;
  readonly pair: PostgresPair;
  /** Consumers' credential that lockkeeper changes by the login that is killed in its own rotation. */
  readonly other: Other | undefined;
  readonly #root: string;
  readonly #admin: pg.Client;
  #before: Verifiers = {};
  #cases = 0;

  private constructor(server: PostgresServer, kind: Kind, of: Parts) {
    this.server = server;
    this.kind = kind;
    this.pair = of.pair;
    this.other = of.other;
    this.#root = of.root;
    this.#admin = of.admin;
  }

  static async make(server: PostgresServer, kind: Kind): Promise<Scene> {
    const pair = await makePair(server);
    const other = kind.role === undefined ? undefined : await Other.make(server, pair);
    const root = await mkdtemp(join(quickest, 'lockkeeper-killed-'));
    const admin = new pg.Client({ host: '127.0.0.1', port: server.port, database: 'postgres', ...superuser });
    // Where a server is stopped before its scenes are removed, another error says why.
    admin.on('error', () => undefined);
    await admin.connect();
    const scene = new Scene(server, kind, { pair, other, root, admin });
    const deps = durableDeps(scene.#placeIn('first'), 'import');
    for (const store of Object.values(deps.stores)) await store.add('app');
    await importLogin(deps, pair.initial);
    await deps.audit.end();
    scene.#before = await scene.verifiers();
    return scene;
  }

  /** A copy of how it began, files and users alike; the one before is gone. */
  async anew(): Promise<DurablePlace> {
    await rm(join(this.#root, `case-${this.#cases}`), { recursive: true, force: true });
    this.#cases += 1;
    const place = this.#placeIn(`case-${this.#cases}`);
    await cp(join(this.#root, 'first'), place.directory, { recursive: true });
    const resets = Object.entries(this.#before).map(
      ([user, verifier]) =>
        `ALTER ROLE ${pg.escapeIdentifier(user)} PASSWORD ${verifier === null ? 'NULL' : pg.escapeLiteral(verifier)};`,
    );
    const ends = this.pair.users.map((user) => pg.escapeLiteral(user)).join(', ');
    await this.#admin.query(
      `${resets.join(' ')} SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IN (${ends});`,
    );
    return place;
  }

  /** What the server would compare a login with, now. */
  async verifiers(): Promise<Verifiers> {
    const { rows } = await this.#admin.query<{ rolname: string; rolpassword: string | null }>(
      'SELECT rolname, rolpassword FROM pg_authid WHERE rolname = ANY($1)',
      [this.pair.users],
    );
    return Object.fromEntries(rows.map(({ rolname, rolpassword }) => [rolname, rolpassword]));
  }

  async remove(): Promise<void> {
    await this.#admin.end();
    await rm(this.#root, { recursive: true, force: true });
  }

  #placeIn(name: string): DurablePlace {
    const { users, owner } = this.pair;
    return {
      directory: join(this.#root, name),
      endpoint: this.server.endpoint,
      users: this.kind.strategy === 'single' ? [users[0]] : users,
      owner,
      leaked: this.kind.leaked,
      role: this.kind.role ?? 'consumers',
      aheadMs: 0,
    };
  }
}
