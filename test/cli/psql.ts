import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import pg from 'pg';

/** As much of psql as the README needs, for machines that have none: the login comes from the environment. */
const { values } = parseArgs({
  options: {
    quiet: { type: 'boolean' },
    dbname: { type: 'string', short: 'd', default: process.env['PGDATABASE'] ?? process.env['PGUSER'] ?? '' },
    command: { type: 'string', short: 'c' },
    set: { type: 'string', short: 'v' },
  },
});
const client = new pg.Client({ database: values.dbname });
await client.connect();
try {
  const answer = await client.query<Record<string, unknown>>(values.command ?? (await text(process.stdin)));
  // Of several statements there are several answers.
  for (const row of [answer].flat().flatMap(({ rows }) => rows)) {
    process.stdout.write(`${Object.values(row).join('|')}\n`);
  }
} finally {
  await client.end();
}
