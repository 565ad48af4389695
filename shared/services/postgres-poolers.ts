import type { Slot } from './contract.ts';
import type { PostgresAccess } from './postgres-access.ts';
import type { PostgresAuthentication } from './postgres-connection.ts';

/** What is asked about poolers, and of whom. */
export interface PoolersWanted {
  readonly access: PostgresAccess;
  /** The first is the primary. */
  readonly endpoints: readonly string[];
  /** True where the primary is known to be reached through a pooler. */
  readonly isBeforePrimary: boolean;
  readonly slots: readonly Slot[];
  readonly authentication: PostgresAuthentication;
}

/** What must be fixed at poolers before a change, and what may go wrong all the same. */
export interface PoolersFound {
  readonly problems: readonly string[];
  readonly risks: readonly string[];
}

/**
 * Finds the endpoints that are poolers, and how they come by passwords. Shows no password and fails no login: how SCRAM
 * is asked for tells the salt of the verifier that is held, and who reads it from the server tells the server's.
 */
export async function findPoolers(wanted: PoolersWanted): Promise<PoolersFound> {
  const [primary, ...others] = wanted.endpoints;
  const noticed = await Promise.all(others.map(async (one) => ((await isPooler(wanted, one)) ? [one] : [])));
  const poolers = [...(primary !== undefined && wanted.isBeforePrimary ? [primary] : []), ...noticed.flat()];
  if (poolers.length === 0) return { problems: [], risks: [] };
  const server = wanted.isBeforePrimary ? [] : await questions(wanted, primary);
  const found = await Promise.all(poolers.map((pooler) => problemsAt(wanted, pooler, server)));
  return { problems: found.flat(), risks: poolers.map(unseenClients) };
}

async function isPooler({ access, slots }: PoolersWanted, endpoint: string): Promise<boolean> {
  const [slot] = slots;
  return slot !== undefined && ((await access.question(endpoint, slot))?.isPooler ?? false);
}

type Asked = string | undefined;

async function questions({ access, slots }: PoolersWanted, endpoint: string | undefined): Promise<readonly Asked[]> {
  if (endpoint === undefined) return [];
  return Promise.all(slots.map(async (slot) => (await access.question(endpoint, slot))?.asked));
}

async function problemsAt(wanted: PoolersWanted, pooler: string, server: readonly Asked[]): Promise<readonly string[]> {
  const { slots, authentication } = wanted;
  const [once, again] = [await questions(wanted, pooler), await questions(wanted, pooler)];
  const found: string[] = [];
  // A user without a password is asked with a salt out of nothing, like one that a list holds in clear.
  if (slots.every((_slot, at) => isByHand(once[at], again[at], server[at])))
    found.push(
      `The pooler at ${pooler} takes the password of ${slots.join(' and ')} from a list of its own (auth_file) and not from the server, so it would refuse each new value until somebody writes that list anew. Set auth_user and auth_query in its configuration, take ${slots.join(' and ')} out of the list, and RELOAD it.`,
    );
  if (authentication === 'scram' && once.includes('md5'))
    found.push(
      `The pooler at ${pooler} asks for md5 where it holds no SCRAM verifier (auth_type = md5), so the end of a value could not be proven there. Set auth_type = scram-sha-256 in its configuration and RELOAD it, or write authentication: md5 for this service.`,
    );
  return found;
}

/** True where what the pooler holds of a user is surely not what the server holds. */
function isByHand(once: Asked, again: Asked, server: Asked): boolean {
  if (once === undefined || again === undefined) return false;
  return once !== again || (server !== undefined && once !== server);
}

function unseenClients(pooler: string): string {
  return `A client of the pooler at ${pooler} that is idle may show no session at the server (pool_mode = transaction), so a drain can end while it is still logged in; its next statement is then refused. Have consumers open new connections after each change (refresh).`;
}
