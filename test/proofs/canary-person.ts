import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Sealed } from '../../shared/base/sealed.ts';
import { scramVerifier } from '../../shared/services/scram.ts';
import { personBeside, type Person } from '../cli/person.ts';
import type { PostgresServer } from '../services/postgres-server.ts';
import { sqlOn, superuser } from '../services/postgres-server.ts';
import type { Canaries } from './canaries.ts';
import { sampleProcesses } from './canary-samples.ts';

/** The file that lockkeeper's own password lies in, as the README has it. */
export const passwordFile = 'lockkeeper.password';

const passwords = {
  admin: 'canary/admin+0123456789"x',
  old: 'canary/old+0123456789"x',
  single: 'canary/single+0123456789"x',
  wrong: 'canary/wrong+0123456789"x',
};

/**
 * A person who uses lockkeeper on a database of their own, with everything that the command line offers for it: adopting,
 * importing, rotating a pair and a single user, an emergency, and what goes wrong on the way. What they see is searched
 * for the canaries, and so are the words and variables of their processes.
 */
export async function personWithCanaries(server: PostgresServer, canaries: Canaries): Promise<Person> {
  await rolesAndDatabase(server);
  for (const [name, text] of Object.entries(passwords)) canaries.plant(name, text);
  const person = await personBeside(server.port);
  await writeFile(join(person.directory, 'lockkeeper.yaml'), configuration(server.port), { mode: 0o600 });
  await writeFile(join(person.directory, passwordFile), passwords.admin, { mode: 0o600 });
  const processes = sampleProcesses(person.directory.replace(/work$/, ''));
  try {
    await new Walk(person, server, canaries).whole();
  } finally {
    await processes.end();
  }
  for (const seen of processes.seen) canaries.search(`a process: ${seen.slice(0, 60)}`, seen);
  return person;
}

/** As an administrator who knows what logs hold: passwords as verifiers. */
async function rolesAndDatabase(server: PostgresServer): Promise<void> {
  const verifier = (text: string) =>
    scramVerifier(new Sealed(text), { iterations: 4096, salt: Buffer.alloc(16, text) });
  await server.sql(`CREATE ROLE keeper LOGIN PASSWORD '${verifier(passwords.admin)}';
    CREATE ROLE orders_a LOGIN PASSWORD '${verifier(passwords.old)}';
    CREATE ROLE shop LOGIN PASSWORD '${verifier(passwords.single)}';`);
  for (const [name, owner] of [
    ['orders', 'orders_a'],
    ['shop', 'shop'],
  ] as const)
    // prettier-ignore
    await server.sql(`CREATE DATABASE ${name} OWNER ${owner}`);
  const login = { port: server.port, user: 'orders_a', password: passwords.old, database: 'orders' };
  await sqlOn(login, 'CREATE TABLE invoices (id int); INSERT INTO invoices VALUES (1)');
}

class Walk {
  readonly #person: Person;
  readonly #server: PostgresServer;
  readonly #canaries: Canaries;
  #values = 0;

  constructor(person: Person, server: PostgresServer, canaries: Canaries) {
    this.#person = person;
    this.#server = server;
    this.#canaries = canaries;
  }

  async whole(): Promise<void> {
    await this.#adopted('orders', 'orders_a', passwords.old);
    await this.#adopted('shop', 'shop', passwords.single);
    await this.#denied();
    await this.#types('rotate shop-db --now');
    await this.#toTheEnd('shop');
    await this.#types('rotate orders-db --now');
    await this.#toTheEnd('orders');
    await this.#types('rotate orders-db --rehearse --leaked');
    await this.#types('rotate orders-db --now --leaked --reason "found in a chat"');
    await this.#toTheEnd('orders');
    await this.#locked();
    await this.#toTheEnd('orders');
    for (const words of [
      'audit verify',
      'audit show --output json',
      'audit export exported',
      'review list',
      'config check',
    ])
      await this.#types(words);
    await this.#types('drift', { mayFail: true });
  }

  async #adopted(database: string, user: string, password: string): Promise<void> {
    const name = `${database}-db`;
    const { code } = await this.#types(`rotate ${name} --adopt --sql`, { to: 'adopt.sql', mayFail: true });
    // Before 16 the rights of the first service are enough for the second one.
    if (code === 0) await this.#shell(`sudo -u postgres psql --quiet -d ${database} -v ON_ERROR_STOP=1 < adopt.sql`);
    await this.#types(`secret import ${name} --user ${user}`, { mayFail: true, typed: passwords.wrong });
    await this.#types(`secret import ${name} --user ${user}`, { typed: password });
    await this.#types(`secret exec ${name} -- psql -c 'SELECT session_user'`);
    await this.#types(`secret exec ${name} -- no-such-program`, { mayFail: true });
    await this.#types(`secret import ${name} --user ${user}`, { mayFail: true, typed: password });
    await this.#types(`rotate ${name} --adopt`);
    await this.#types(`rotate ${name} --rehearse`);
  }

  /** The server refuses the statement, and its log quotes it. */
  async #denied(): Promise<void> {
    await this.#server.sql('ALTER ROLE orders_b SUPERUSER');
    await this.#types('rotate orders-db --now', { mayFail: true });
    await this.#server.sql('ALTER ROLE orders_b NOSUPERUSER');
  }

  /** Somebody else holds the role: the statement waits, is given up, and the server's log quotes it. */
  async #locked(): Promise<void> {
    const holding = sqlOn(
      { port: this.#server.port, ...superuser },
      `BEGIN; SELECT set_config('application_name', 'holds', false);
      ALTER ROLE orders_a CONNECTION LIMIT 50; ALTER ROLE orders_b CONNECTION LIMIT 50; SELECT pg_sleep(9); COMMIT`,
    );
    await pause(200);
    await this.#types('rotate orders-db --now', { mayFail: true });
    await holding;
  }

  /** Runs it again, as a schedule would, until it is done; and learns the value that consumers get. */
  async #toTheEnd(database: string): Promise<void> {
    for (let runs = 0; runs < 12; runs += 1) {
      await this.#learn(database);
      const { out, err } = await this.#types(`rotate ${database}-db --now`, { mayFail: true });
      if (/idle|done|nothing to do|not due/.test(out + err)) return await this.#learn(database);
      await pause(1_200);
    }
    throw new Error(`the rotation of ${database}-db does not end`);
  }

  async #learn(database: string): Promise<void> {
    const { out } = await this.#person.types(`npx lockkeeper secret get ${database}-db --field password`);
    this.#values += 1;
    this.#canaries.plant(`new ${this.#values}`, out.trim());
  }

  async #types(words: string, more: Typing = {}) {
    return await this.#shell(`npx lockkeeper ${words}${more.to ? ` > ${more.to}` : ''}`, more);
  }

  async #shell(text: string, { typed = '', mayFail = false }: Typing = {}) {
    const shown = await this.#person.types(text, `${typed}\n`);
    this.#canaries.search(`what was shown by ${text}`, `${shown.out}\n${shown.err}`);
    if (shown.code !== 0 && !mayFail) throw new Error(`${text}: ${shown.code}: ${shown.out}${shown.err}`);
    return shown;
  }
}

interface Typing {
  readonly typed?: string;
  readonly mayFail?: boolean;
  /** The file that gets what it shows. */
  readonly to?: string;
}

function configuration(port: number): string {
  const common = `endpoints: ["127.0.0.1:${port}"], tls: off, propagation: 1s,
      admin: { user: keeper, password: { file: ${passwordFile} } }`;
  return `version: 1
stores:
  state: { kind: file-system, path: state }
  log: { kind: file-system, path: log }
secrets:
  vault: { kind: local-file, path: secrets, keyFile: secrets.key }
networks:
  here: { cloud: local }
  there: { cloud: local }
services:
  - { name: orders-db, owner: olga, network: here, port: ${port}, credential: { engine: postgres, strategy: alternating,
      users: [orders_a, orders_b], ownerRole: orders_owner, database: orders, ${common},
      secrets: [{ store: vault, name: orders-db }] } }
  - { name: shop-db, owner: olga, network: there, port: ${port}, credential: { engine: postgres, strategy: single,
      users: [shop], acceptDowntime: true, database: shop, ${common},
      secrets: [{ store: vault, name: shop-db }] } }
approvals: { kind: local-page, needed: 1, approvers: [ada] }
`;
}
