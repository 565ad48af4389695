import { randomBytes } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { adminLogin } from '../../functions/local/own-logins.ts';
import { ownVersions } from '../../functions/local/own-versions.ts';
import { auditLog, type RunLog } from '../../shared/audit/log.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { instant } from '../../shared/base/time.ts';
import type { World } from '../../shared/base/world.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import { consumerForm } from '../../shared/rotation/forms/consumer-form.ts';
import { journals } from '../../shared/rotation/journal/journals.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import { rotate, type RotationReport } from '../../shared/rotation/run.ts';
import { localFileSecrets, type LocalFileSecrets } from '../../shared/secrets/local-file.ts';
import type { AdminOffer } from '../../shared/services/admin-login.ts';
import { postgresService, type PostgresOptions } from '../../shared/services/postgres.ts';
import { keyFileSigner } from '../../shared/signers/key-file.ts';
import { adminPassword } from '../services/postgres-pair.ts';

/**
 * What the credential is: `consumers`' alone; lockkeeper's own `pair` of logins, which a third one changes; lockkeeper's
 * own login that changes `itself`.
 */
export type KilledRole = 'consumers' | 'pair' | 'itself';

/** What a process needs to rotate one credential on a real PostgreSQL with everything durable in one directory. */
export interface DurablePlace {
  readonly directory: string;
  readonly endpoint: string;
  /** Two: an alternating pair; one: a single user. */
  readonly users: readonly string[];
  readonly owner: string;
  readonly leaked: boolean;
  /** The authority (PEM) of a server that is spoken to by TLS. */
  readonly ca?: string;
  /** What it is to lockkeeper: a service's credential, or lockkeeper's own login, which may change itself. */
  readonly role: KilledRole;
  /** How far the clock of this process is ahead, in milliseconds. */
  readonly aheadMs: number;
}

/** A clock that goes on by itself and can be moved. */
export interface MovedWorld extends World {
  pass(ms: number): void;
}

/** What one process has of the place. */
export interface DurableDeps extends RotationDeps {
  readonly stores: Readonly<Record<string, LocalFileSecrets>>;
  readonly audit: RunLog;
  readonly world: MovedWorld;
}

export const form = consumerForm();
export const credential = 'app-db';
/** The log's name. */
export const origin = 'lockkeeper.test/killed';

/** The key of the log's proofs. */
export const writerKey = async (): Promise<Uint8Array> => new Uint8Array(32).fill(9);

/** Where the log of a place lies. */
export function logOf({ directory }: Pick<DurablePlace, 'directory'>) {
  const objects = (name: string) => fileSystemObjects({ directory: join(directory, name) });
  return { log: objects('log'), state: objects('log-state') };
}

/** The dependencies of one process; `run` names it in the log. */
export function durableDeps(place: DurablePlace, run: string): DurableDeps {
  const { directory, users, endpoint } = place;
  const world = movedWorld(place.aheadMs);
  const told = (file: string, what: unknown) => appendFile(join(directory, file), `${JSON.stringify(what)}\n`);
  const [host = '', port = ''] = endpoint.split(':');
  const isItself = place.role === 'itself';
  const stores = storesOf(place, world);
  const state = fileSystemObjects({ directory: join(directory, 'state'), world });
  const as = (admin: () => Promise<AdminOffer>) => postgresService({ ...serviceOf(place), admin, world });
  return {
    plan: {
      name: credential,
      service: 'postgres',
      stores: Object.keys(stores).map((store) => ({ store, secret: 'app', form })),
      address: { engine: 'postgres', host, port: Number(port) },
      propagationMs: 1,
      everyMs: 1,
      refreshes: ['web'],
      acceptDowntime: users.length === 1 && !isItself,
      changesItself: isItself,
    },
    stores,
    service: as(isItself ? ownLogin(place) : fixedLogin),
    ...(isItself && { serviceAs: ({ slot, value }) => as(async () => ({ user: slot, password: value })) }),
    refreshes: { web: { poke: (news) => told('refreshes', news) } },
    state,
    audit: auditLog({
      ...logOf(place),
      world,
      origin,
      signer: keyFileSigner({ path: join(directory, 'audit.key'), world }),
      writerKey,
      run,
    }),
    world,
    notify: (notice) => told('notices', notice),
    actor: 'test',
    fingerprintKey: new Uint8Array(32).fill(7),
  };
}

const fixedLogin = async (): Promise<AdminOffer> => ({ user: 'lockkeeper', password: new Sealed(adminPassword) });

/** lockkeeper's own login as whoever reads it in the secret of this place finds it. */
export function ownLogin(place: DurablePlace): () => Promise<AdminOffer> {
  const world = movedWorld(place.aheadMs);
  const stores = storesOf(place, world);
  const secrets = Object.keys(stores).map((store) => ({ store, name: 'app' }));
  const state = fileSystemObjects({ directory: join(place.directory, 'state'), world });
  const versionsOf = ownVersions({ services: [{ name: credential, credential: { secrets } }], state, world });
  return adminLogin({ secret: { store: 'one', name: 'app' } }, { environment: {}, secrets: stores, versionsOf });
}

function storesOf({ directory, role }: DurablePlace, world: World): DurableDeps['stores'] {
  const secrets = (name: string) =>
    localFileSecrets({ directory: join(directory, name), keyFile: join(directory, 'key'), world });
  return role === 'itself' ? { one: secrets('one') } : { one: secrets('one'), two: secrets('two') };
}

function serviceOf({ users, owner, endpoint, ca }: DurablePlace): Omit<PostgresOptions, 'admin' | 'world'> {
  return {
    credential,
    strategy: users.length === 1 ? 'single' : 'alternating',
    users,
    ownerRole: owner,
    database: 'postgres',
    endpoints: [endpoint],
    tls: ca === undefined ? 'off' : { ca: async () => ca },
  };
}

function movedWorld(aheadMs: number): MovedWorld {
  let ahead = aheadMs;
  return {
    now: () => instant(Date.now() + ahead),
    random: (bytes) => randomBytes(bytes),
    deadline: () => instant(Number.MAX_SAFE_INTEGER / 4),
    pass: (ms) => void (ahead += ms),
  };
}

/**
 * Runs as a schedule would until the rotation is done; a person asks until a journal says that it was understood.
 * `ended` is awaited after each run.
 */
export async function runUntilDone(
  deps: RotationDeps & { readonly world: MovedWorld },
  { leaked }: Pick<DurablePlace, 'leaked'>,
  ended: (report: RotationReport) => Promise<void> = async () => undefined,
): Promise<readonly RotationReport[]> {
  const reports: RotationReport[] = [];
  for (let runs = 0; runs < 30; runs += 1) {
    const held = await journals(deps.state, deps.world).read(credential);
    if (held?.journal.phase === 'done' && held.journal.finishedAt !== null && held.journal.orders.length === 0)
      return reports;
    const request = leaked ? { leaked: { reason: 'found in a chat' } } : { now: true };
    const report = await rotate(deps, held ? {} : request);
    reports.push(report);
    await ended(report);
    // The window is a millisecond, by the service's clock too; back-offs are minutes.
    await pause(2);
    deps.world.pass(Math.max((report.until ?? 0) - deps.world.now(), 1));
  }
  return reports;
}
