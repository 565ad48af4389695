import { LockkeeperError } from '../base/error.ts';
import type { PostgresAccess } from './postgres-access.ts';
import type { ElsewhereSeen } from './postgres-elsewhere.ts';
import { readDatabase, type OtherDatabase, type RolesWanted } from './postgres-roles.ts';
import { inPinned } from './postgres-session.ts';

/** More would keep a description too long; the ones after them are read once these are in order. */
const mostRead = 20;

/**
 * What names the users in other databases of the cluster, each read over a connection of its own: a catalog shows its own
 * database only. One that cannot be read is an answer, not a throw. `accessTo` opens connections to a database.
 */
export async function readElsewhere(
  endpoint: string,
  {
    others,
    version,
    wanted,
  }: { readonly others: readonly ElsewhereSeen[]; readonly version: number; readonly wanted: RolesWanted },
  accessTo: (database: string) => PostgresAccess,
): Promise<readonly OtherDatabase[]> {
  if (wanted.strategy === 'single') return [];
  const databases = Map.groupBy(others, ({ database }) => database);
  const found: OtherDatabase[] = [];
  let read = 0;
  // One after the other: lockkeeper's own login may have few connections.
  for (const [name, of] of databases) {
    const mustRead = of.some((one) => one.others > 0);
    read += mustRead ? 1 : 0;
    if (!mustRead) found.push({ name, of, seen: undefined });
    else if (read > mostRead) found.push({ name, of, seen: notYet() });
    else {
      const came = await accessTo(name).attempt(endpoint, `reading the rights in the database ${name}`, (client) =>
        inPinned(client, () => readDatabase(client, wanted, version)),
      );
      found.push({ name, of, seen: came.error ?? came.answer });
    }
  }
  return found;
}

function notYet(): LockkeeperError {
  return new LockkeeperError('conflict', `the users have rights in more than ${mostRead} other databases`, {
    hint: 'Put those in order first that are read already.',
  });
}
