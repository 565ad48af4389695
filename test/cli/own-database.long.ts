import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { root } from '../house/sources.ts';
import { PlantedSecret } from '../planted-secret.ts';
import { hasDebianPostgres } from '../services/debian-postgres.ts';
import { logsIn } from '../services/postgres-pair.ts';
import { sqlOn, type PostgresServer } from '../services/postgres-server.ts';
import { startVersion } from '../services/postgres-versions.ts';
import { personBeside, type Person } from './person.ts';
import { blocksUnder } from './readme-blocks.ts';

/** What consumers use before lockkeeper comes. */
const planted = new PlantedSecret('what/consumers+use "today"');

let server: PostgresServer;
let person: Person;
beforeAll(async () => {
  server = await startVersion(hasDebianPostgres(15) ? 15 : 18);
  person = await personBeside(server.port);
  await server.sql(`CREATE ROLE orders_a LOGIN PASSWORD '${planted.bare()}'`);
  await server.sql('CREATE DATABASE orders OWNER orders_a');
  const owner = { port: server.port, user: 'orders_a', password: planted.bare(), database: 'orders' };
  await sqlOn(owner, 'CREATE TABLE invoices (id int); INSERT INTO invoices VALUES (1)');
});
afterAll(async () => {
  await person.leaves();
  await server.stop();
});

test("the README's own database, followed word for word on a fresh server, ends with a rotated login", async () => {
  const blocks = blocksUnder(await readFile(join(root, 'README.md'), 'utf8'), 'Your own database');
  expect(blocks.map(({ language }) => language)).toEqual(['sh', 'yaml', 'sh', 'sh', 'sh', 'sh']);
  let shown = '';
  for (const { language, text } of blocks) {
    // The only word that differs: a test's server cannot have the port of everybody's.
    const words = text.replaceAll('5432', String(server.port));
    if (language === 'yaml') {
      await writeFile(join(person.directory, /^# (.*)\n/.exec(text)?.[1] ?? ''), words, { mode: 0o600 });
      continue;
    }
    const { code, out, err } = await person.types(words, `${planted.bare()}\n`);
    expect({ words, code, out, err }).toMatchObject({ code: 0 });
    shown += out + err;
  }
  expect(shown).toMatch(/orders-db: the login of orders_a works, and is now in vault\/orders-db/);
  expect(shown).toMatch(/orders-db: adopted/);
  expect([...shown.matchAll(/^[ |]*(orders_[ab])$/gm)].map(([, user]) => user)).toEqual(['orders_a', 'orders_b']);
  expect(shown).toMatch(/orders-db: done: .*tried on every endpoint and is refused/);
  expect(shown).toMatch(/^orders-db +vault\/orders-db +json +orders_b +\S+ +\d{4}-/m);

  expect(await logsIn(server.port, { slot: 'orders_a', value: planted.sealed() })).toBe(false);
  const now = await person.types('npx lockkeeper secret get orders-db --field password');
  const login = { port: server.port, user: 'orders_b', password: now.out.trim(), database: 'orders' };
  expect(await sqlOn(login, 'SELECT id FROM invoices')).toEqual([{ id: 1 }]);

  const fresh = new PlantedSecret(now.out.trim());
  for (const secret of [planted, fresh]) {
    secret.search('what was shown', shown).search('the log of the server', server.log());
    (await secret.searchDirectory(person.directory)).expectNowhere();
  }
}, 90_000);
