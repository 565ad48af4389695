import type { Service } from '../../shared/services/contract.ts';
import { hasDebianPostgres, startDebianPostgres } from './debian-postgres.ts';
import { startPostgres, type PostgresServer } from './postgres-server.ts';

/** The versions that this machine can run: the one that comes with the tests, and Debian's where it is installed. */
export const versionsHere: readonly number[] = [18, ...[15].filter(hasDebianPostgres)];

/** Starts a server of one of `versionsHere`. */
export async function startVersion(version: number, settings: readonly string[] = []): Promise<PostgresServer> {
  return version === 18 ? startPostgres(settings) : startDebianPostgres(version, settings);
}

/**
 * Runs what `describe` prints once, statement by statement from top to bottom, as a person with psql would: in another
 * database where the statement ends with its name. `runAs` runs what does not say that it needs a superuser. Answers
 * what was run.
 */
export async function runPrinted(
  service: Service,
  server: { sql(text: string): Promise<unknown>; sqlIn?(database: string, text: string): Promise<unknown> },
  runAs: (sql: string) => Promise<unknown> = (sql) => server.sql(sql),
): Promise<readonly string[]> {
  const { fixes, problems } = await service.describe();
  for (const sql of fixes) {
    const needsSuperuser = problems.some((text) => text.endsWith(`Run as a superuser: ${sql}`));
    const elsewhere = /; -- in the database (".*")$/.exec(sql)?.[1];
    if (elsewhere !== undefined) await server.sqlIn?.(String(JSON.parse(elsewhere)), sql);
    else await (needsSuperuser ? server.sql(sql) : runAs(sql));
  }
  return fixes;
}
