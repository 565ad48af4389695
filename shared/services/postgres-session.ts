import type pg from 'pg';

/**
 * What every session of lockkeeper begins with. Consumers may set these for a database that they own and for their own
 * role, and a setting of the connection beats both.
 *
 * - search_path: else their functions, operators, casts and tables stand before those of the server.
 * - role: else the session is somebody else, who may do less, and sees less.
 * - local_preload_libraries: else it loads a library of their choice.
 * - the others: else it may only read, waits for ever, or is cut off at once.
 */
const pinned: readonly (readonly [name: string, value: string])[] = [
  ['search_path', 'pg_catalog,pg_temp'],
  ['role', 'none'],
  ['local_preload_libraries', ''],
  ['default_transaction_read_only', 'off'],
  ['default_transaction_isolation', 'read committed'],
  ['statement_timeout', '10000'],
  ['lock_timeout', '5000'],
  ['idle_in_transaction_session_timeout', '60000'],
];

/** How long the server works on one statement, in milliseconds. */
export const statementMs = 10_000;

/** What decides as whom a consumer works and whether it may write: a login that asks for just that leaves it alone. */
const ofConsumers = ['role', 'default_transaction_read_only'];

/** The one startup parameter `options` that pins a session before anything runs in it, even a trigger at login. */
export const sessionOptions = optionsOf(pinned);

/** As sessionOptions for a login that is to see what a consumer gets. */
export const consumerOptions = optionsOf(pinned.filter(([name]) => !ofConsumers.includes(name)));

function optionsOf(settings: typeof pinned): string {
  return settings.map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`).join(' ');
}

/**
 * The first statement of a transaction says it again, for a pooler between the two may drop startup parameters. It has
 * no operator and no CASE of values, and its functions are named with their schema, so nobody's search path matters to
 * it. `transaction_timeout` came with 17.
 */
const pinTransaction = `SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),
  pg_catalog.set_config('role', 'none', true), pg_catalog.set_config('lock_timeout', '5000', true),
  pg_catalog.set_config('statement_timeout', '${statementMs}', true),
  CASE WHEN pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL
    THEN pg_catalog.set_config('transaction_timeout', '0', true) END`;

/** A change that was answered is on the server's disk, even where the database's settings ask for less. */
export const durableCommit = `SELECT pg_catalog.set_config('synchronous_commit', 'local', true)
  WHERE pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.=) 'off'`;

/**
 * Begins a transaction in which only the server's own names are found. `writes`: whatever the settings say; a standby
 * refuses that.
 */
export async function beginPinned(client: pg.Client, { writes = false } = {}): Promise<void> {
  await client.query(writes ? 'BEGIN READ WRITE' : 'BEGIN');
  await pinNow(client);
}

/** Pins the transaction that is open. */
export async function pinNow(client: pg.Client): Promise<void> {
  await client.query(pinTransaction);
}

/** Runs reading or signalling `work` in one pinned transaction. What throws leaves it to the end of the connection. */
export async function inPinned<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await beginPinned(client);
  const answer = await work();
  await client.query('COMMIT');
  return answer;
}
