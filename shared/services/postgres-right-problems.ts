import type { Becoming } from './postgres-defaults.ts';
import { fixAsSuperuser, listed, q, type Problem } from './postgres-fixes.ts';
import type { RightSeen } from './postgres-rights.ts';

/** How many objects one statement names at most. */
const most = 50;

/**
 * Rights that were granted to a user itself are none of the role that it becomes: they are granted to the owner role too,
 * by object and privilege, and taken from nobody. CONNECT is for the users, see connectProblems.
 */
export function rightProblems(
  becoming: Becoming,
  rights: readonly RightSeen[],
  also: (right: RightSeen) => boolean,
): readonly Problem[] {
  const { user, owner } = becoming;
  const lacking = rights.filter(
    (right) =>
      right.grantee !== null &&
      becoming.sources.has(right.grantee) &&
      !isConnect(right) &&
      !also(right) &&
      !isHeld(right, becoming.holders, rights),
  );
  return statementsOf(lacking, owner).map(({ sql, objects }) =>
    fixAsSuperuser(`${user} was granted rights on ${listed(objects)} directly, which ${owner} has not`, sql),
  );
}

/** True where one of `holders` owns the object, or was granted all of `right` on it. */
export function isHeld(right: RightSeen, holders: ReadonlySet<string>, rights: readonly RightSeen[]): boolean {
  if (holders.has(right.owner)) return true;
  return rights.some(
    (one) =>
      one.object === right.object &&
      one.kind === right.kind &&
      one.privilege === right.privilege &&
      (one.column === null || one.column === right.column) &&
      (one.grantable || !right.grantable) &&
      (one.grantee === null || holders.has(one.grantee)),
  );
}

/**
 * CONNECT is asked for before a session becomes the owner role, so each user needs it: on this database, and wherever the
 * other user may connect by a right of its own. `holdersOf`: a user, and the roles whose rights it has.
 */
export function connectProblems(
  users: readonly string[],
  holdersOf: (user: string) => ReadonlySet<string>,
  { rights, database }: { readonly rights: readonly RightSeen[]; readonly database: string },
): readonly Problem[] {
  const here = q(database);
  const databases = new Set(rights.filter(({ kind }) => kind === 'DATABASE').map(({ object }) => object));
  return [...databases].flatMap((object) => {
    const isThis = object === here || object === database;
    const connects = (user: string) => isHeld(connectTo(object, rights), holdersOf(user), rights);
    const wanted = isThis || users.some((user) => connects(user));
    return users
      .filter((user) => wanted && !connects(user))
      .map((user) =>
        fixAsSuperuser(
          `${user} may not connect to the database ${object}`,
          `GRANT CONNECT ON DATABASE ${object} TO ${q(user)}`,
        ),
      );
  });
}

/** Handing CONNECT on is a right like others: it is asked of who the session has become. */
function isConnect({ kind, privilege, grantable }: RightSeen): boolean {
  return kind === 'DATABASE' && privilege === 'CONNECT' && !grantable;
}

function connectTo(object: string, rights: readonly RightSeen[]): RightSeen {
  const owner = rights.find((one) => one.kind === 'DATABASE' && one.object === object)?.owner ?? '';
  return { kind: 'DATABASE', object, column: null, owner, privilege: 'CONNECT', grantee: null, grantable: false };
}

interface Statement {
  readonly sql: string;
  readonly objects: readonly string[];
}

/** One statement for the objects of a kind on which the same is lacking; columns need one for each table. */
function statementsOf(lacking: readonly RightSeen[], owner: string): readonly Statement[] {
  const byObject = Map.groupBy(lacking, ({ kind, object, grantable }) => JSON.stringify([kind, object, grantable]));
  const single = [...byObject.values()].flatMap((rights) => {
    const [first] = rights;
    if (!first) return [];
    const { kind, object, grantable } = first;
    const isByColumn = rights.some(({ column }) => column !== null);
    return { kind, object, grantable, what: [...new Set(rights.map(privilegeText))].join(', '), isByColumn };
  });
  const alike = Map.groupBy(single, (one) =>
    JSON.stringify([one.kind, one.what, one.grantable, one.isByColumn ? one.object : '']),
  );
  return [...alike.values()].flatMap((all) =>
    chunks(all, most).flatMap((some) => {
      const [first] = some;
      if (!first) return [];
      const objects = some.map(({ object }) => object);
      const option = first.grantable ? ' WITH GRANT OPTION' : '';
      const sql = `GRANT ${first.what} ON ${first.kind} ${objects.join(', ')} TO ${q(owner)}${option}`;
      return { sql, objects: objects.map((object) => `${first.kind.toLowerCase()} ${object}`) };
    }),
  );
}

function privilegeText({ privilege, column }: RightSeen): string {
  return column === null ? privilege : `${privilege} (${column})`;
}

function chunks<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  const count = Math.ceil(all.length / size);
  return Array.from({ length: count }, (_, at) => all.slice(at * size, (at + 1) * size));
}
