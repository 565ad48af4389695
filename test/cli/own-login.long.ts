import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { root } from '../house/sources.ts';
import { PlantedSecret } from '../planted-secret.ts';
import type { PostgresServer } from '../services/postgres-server.ts';
import { startVersion, versionsHere } from '../services/postgres-versions.ts';
import { personBeside, type Person } from './person.ts';
import { blocksUnder, type Block } from './readme-blocks.ts';

const planted = new PlantedSecret('what consumers use today, 0123456789');

/** A person who followed the README up to the import of what consumers use. */
interface Place {
  readonly server: PostgresServer;
  readonly person: Person;
  follows(blocks: readonly Block[]): Promise<string>;
}

async function place(version: number): Promise<Place> {
  const server = await startVersion(version);
  const person = await personBeside(server.port);
  await server.sql(`CREATE ROLE orders_a LOGIN PASSWORD '${planted.bare()}'`);
  await server.sql('CREATE DATABASE orders OWNER orders_a');
  const follows = async (blocks: readonly Block[]) => {
    let shown = '';
    for (const { language, text } of blocks) {
      const words = text.replaceAll('5432', String(server.port));
      if (language === 'yaml') {
        await writeFile(join(person.directory, 'lockkeeper.yaml'), words, { mode: 0o600 });
        continue;
      }
      const { code, out, err } = await person.types(words, `${planted.bare()}\n`);
      expect({ words, code, out, err }).toMatchObject({ code: 0 });
      shown += out + err;
    }
    return shown;
  };
  return { server, person, follows };
}

const page = (name: string) => readFile(join(root, name), 'utf8');

describe.each(versionsHere)(
  "PostgreSQL %d: docs/own-login.md, followed word for word after the README's own database",
  (version) => {
    let at: Place;
    beforeAll(async () => {
      at = await place(version);
      await at.follows(blocksUnder(await page('README.md'), 'Your own database').slice(0, 4));
    }, 120_000);
    afterAll(async () => {
      await at.person.leaves();
      await at.server.stop();
    });

    test('a login that changes itself', async () => {
      const shown = await at.follows(blocksUnder(await page('docs/own-login.md'), 'A login that changes itself'));
      expect(shown).toMatch(/lockkeeper-login: the login of lockkeeper works, and is now in vault\/lockkeeper-login/);
      expect(shown).toMatch(/lockkeeper-login: adopted/);
      expect(shown).toMatch(/failed logins: 0\. 0 if lockkeeper alone logs in as lockkeeper/);
      expect(shown).toMatch(/lockkeeper-login: done: .*tried on every endpoint and is refused/);
      expect(shown).toMatch(/orders-db: would finish/);
      const got = await at.person.types('npx lockkeeper secret get lockkeeper-login --field password');
      const exec = await at.person.types("npx lockkeeper secret exec lockkeeper-login -- sh -c 'echo $PGUSER'");
      expect(exec).toMatchObject({ code: 0, out: 'lockkeeper\n' });
      const fresh = new PlantedSecret(got.out.trim());
      fresh.search('what was shown', shown).search('the log of the server', at.server.log());
      (await fresh.searchDirectory(at.person.directory)).expectNowhere();
    }, 300_000);

    test('a leak of it is an emergency like any other, and lockkeeper gets in afterwards', async () => {
      const leaked = 'npx lockkeeper rotate lockkeeper-login --now --leaked --reason "found in a chat"';
      expect(await at.person.types(leaked)).toMatchObject({ code: 0 });
      expect(await at.person.types('npx lockkeeper rotate orders-db --rehearse')).toMatchObject({ code: 0 });
    }, 120_000);

    test('two logins and a third', async () => {
      const text = await page('docs/own-login.md');
      const [passwords] = blocksUnder(text, 'Two logins and a third');
      const sql = blocksUnder(text, version < 16 ? 'PostgreSQL 13 to 15' : 'PostgreSQL 16 to 18');
      const shown = await at.follows([...(passwords ? [passwords] : []), ...sql, ...blocksUnder(text, 'With either')]);
      for (const name of ['last-login', 'own-logins', 'orders-db']) expect(shown).toContain(`${name}: adopted`);
      expect(shown).toMatch(/last-login: done/);
      expect(shown).toMatch(/own-logins: done/);
      expect(shown).toMatch(/orders-db: would finish/);
    }, 300_000);
  },
);
