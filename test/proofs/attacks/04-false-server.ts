import { mkdtemp, rm, writeFile, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Sealed } from '../../../shared/base/sealed.ts';
import { postgresService, type PostgresOptions } from '../../../shared/services/postgres.ts';
import { PlantedSecret } from '../../planted-secret.ts';
import { certificate } from '../../services/certificate.ts';
import { startDebianPostgres } from '../../services/debian-postgres.ts';
import { hostileLogins, type HostileLogin } from '../../services/hostile-logins.ts';
import {
  hostilePostgres,
  letIn,
  say,
  scram,
  type Caller,
  type HostilePostgres,
} from '../../services/hostile-postgres.ts';
import { testWorld } from '../../world.ts';
import { mustHold, type Attack } from './attack.ts';
import type { LoginOutcome, LoginWork } from './postgres/login-worker.ts';

const password = 'pl4nted-password-of-a-login_7Qz-012345';
const login = { slot: 'app_a', value: new Sealed(password) };
const trust = 'shared/services/postgres-trust.ts';

/** Somebody else answers where the server should, and asks for passwords, claims to know them, or floods. */
export const attack: Attack = {
  number: 4,
  about: 'somebody else answers at the port of a PostgreSQL server',
  async run() {
    await loginsEverywhere();
    await downgraded();
    const echoes = await echoed();
    const honest = await honestServers();
    return `${hostileLogins.length} servers that ask, lie, flood or break off: no password sent, none believed, each answered in time; SCRAM bound to the certificate; ${echoes} errors that repeat our values withheld; ${honest}`;
  },
  switchedBack: [
    {
      name: 'watched',
      file: 'shared/services/postgres-stream.ts',
      find: '        this.#watch.check(chunk);\n',
      replace: '',
    },
    {
      name: 'md5-by-a-word',
      file: trust,
      find: " && this.#stage === 'nothing' && this.#md5)",
      replace: " && this.#stage === 'nothing')",
    },
    { name: 'proof-of-the-server', file: trust, find: "code === 0 && this.#stage === 'proven'", replace: 'code === 0' },
    {
      name: 'fewest-iterations',
      file: trust,
      find: 'if (iterations < fewestIterations)',
      replace: 'if (iterations < 0)',
    },
    {
      name: 'refused-once-asked',
      file: 'shared/services/postgres-connection.ts',
      find: 'if (!stream.wasAsked) throw refusedUnasked(thrown);',
      replace: 'if (!stream.wasAsked) throw thrown;',
    },
    {
      name: 'no-request-after-the-login',
      file: trust,
      find: "      if (type === 'R') throw outOfOrder();\n",
      replace: '',
    },
    {
      name: 'whole-messages',
      file: trust,
      find: ' || !isWellFormed(type, rest.subarray(header, 1 + length))',
      replace: '',
    },
    {
      name: 'channel-binding',
      file: 'shared/services/postgres-connection.ts',
      find: "enableChannelBinding: target.tls !== 'off'",
      replace: 'enableChannelBinding: false',
    },
    {
      name: 'most-iterations',
      file: 'shared/services/postgres-connection.ts',
      find: 'scramMaxIterations: mostIterations',
      replace: 'scramMaxIterations: 0',
    },
    {
      name: 'withheld',
      file: 'shared/services/postgres.ts',
      find: 'return withholding(driver, ours);',
      replace: 'return driver;',
    },
    {
      name: 'verifiers-withheld',
      file: 'shared/services/postgres.ts',
      find: "    this.#ours.add(new Sealed(verifier.slice(verifier.indexOf(':') + 1)));\n",
      replace: '',
    },
  ],
};

/** One thread logs in at all of them, in turn. */
async function loginsEverywhere(): Promise<void> {
  await using servers = new AsyncDisposableStack();
  const places: Place[] = [];
  for (const one of hostileLogins) {
    const seen = { proofs: 0 };
    const server = servers.use(await hostilePostgres((caller) => one.script(counting(caller, seen), password)));
    places.push({ one, server, seen });
  }
  const left = [...places];
  const work: LoginWork = { endpoints: places.map(({ server }) => server.endpoint), password, tls: 'off' };
  await inThread(work, (came) => {
    const place = left.shift();
    if (place) judge(place, came);
    return left.length === 0;
  });
}

interface Place {
  readonly one: HostileLogin;
  readonly server: HostilePostgres;
  readonly seen: { readonly proofs: number };
}

/** Counts the answers from which a password can be guessed. */
function counting(caller: Caller, seen: { proofs: number }): Caller {
  return {
    ...caller,
    async next() {
      const message = await caller.next();
      if (message.type === 'p' && message.body.includes(',p=')) seen.proofs += 1;
      return message;
    },
  };
}

function judge({ one: { name, knows }, server, seen }: Place, came: string): void {
  const heard = server.heard().toString('latin1');
  mustHold(!heard.includes(password), `a server that ${name} got the password`);
  mustHold(!/md5[0-9a-f]{32}/.test(heard), `a server that ${name} got the password as md5`);
  mustHold(came !== 'late', `a server that ${name} keeps lockkeeper busy for ever`);
  mustHold(came !== 'dead', `a server that ${name} kills lockkeeper`);
  mustHold(came !== 'refused', `a server that ${name} is taken for one that refuses the login`);
  mustHold(knows === true || came !== 'accepted', `a server that ${name} is taken for one that accepts the login`);
  const isOut = /asks for (0|1|4095|-4096|1e5|1000001|\d{10,}) iterations/.test(name);
  mustHold(!isOut || seen.proofs === 0, `a server that ${name} got an answer`);
}

/**
 * Runs the logins in another thread. `each` hears what came of every one, and says when it was the last: an outcome, or
 * `late` where none came in time, `dead` where the thread ended by what the server sent.
 */
async function inThread(work: LoginWork, each: (came: string) => boolean): Promise<void> {
  const worker = new Worker(join(import.meta.dirname, 'postgres', 'login-worker.ts'), {
    workerData: work,
    execArgv: ['--no-warnings'],
  });
  const over = Promise.withResolvers<void>();
  const hear = (came: string) => {
    timer.refresh();
    try {
      if (each(came) || came === 'late' || came === 'dead') over.resolve();
    } catch (thrown) {
      over.reject(thrown);
    }
  };
  const timer = setTimeout(() => hear('late'), 15_000);
  worker.on('message', (outcome: LoginOutcome) => hear(outcome.came));
  worker.once('error', () => hear('dead'));
  try {
    await over.promise;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}

function serviceAt(endpoint: string, more: Partial<PostgresOptions> = {}) {
  return postgresService({
    credential: 'orders-db',
    strategy: 'alternating',
    users: ['app_a', 'app_b'],
    database: 'postgres',
    endpoints: [endpoint],
    tls: 'off',
    admin: async () => ({ user: 'lockkeeper', password: new Sealed(password) }),
    world: testWorld('2026-10-01T00:00:00Z', 'false-server'),
    ...more,
  });
}

/** In the middle of TLS, the offer of channel binding is taken out: the client says that it could. */
async function downgraded(): Promise<void> {
  for (const [offer, says] of [
    [['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'], 'p=tls-server-end-point,,'],
    [['SCRAM-SHA-256'], 'y,,'],
  ] as const) {
    let first = '';
    await using server = await hostilePostgres(
      async (caller) => {
        caller.send(say.sasl(...offer));
        first = (await caller.next()).body.toString('latin1');
        caller.close();
      },
      { tls: true },
    );
    await serviceAt(server.endpoint, { tls: { ca: async () => certificate } })
      .accepts(login)
      .catch(() => undefined);
    mustHold(first.includes(says), `with ${offer.join(', ')} offered, SCRAM is not bound to the certificate`);
  }
}

/** A server that knows all that it was shown repeats it in every field of an error. */
async function echoed(): Promise<number> {
  let sent = '';
  await using server = await hostilePostgres(async (caller) => {
    await scram(caller, password);
    await letIn(caller, (text) => {
      sent = /SCRAM-SHA-256\$[^']+/.exec(text)?.[0] ?? sent;
      if (sent === '') return [say.message('C', 'BEGIN\0')];
      const all = `${password} ${encodeURIComponent(password)} ${Buffer.from(password).toString('base64')} ${sent}`;
      return [say.error({ S: 'ERROR', C: '42501', M: all, D: all, H: all, W: all, q: all, n: all })];
    });
  });
  const error: unknown = await serviceAt(server.endpoint)
    .change(login, undefined, async () => undefined)
    .catch((thrown: unknown) => thrown);
  if (sent === '') throw new Error('the verifier was not seen');
  const verifier = sent.slice(sent.indexOf(':') + 1).split(/[:$]/);
  for (const part of [password, ...verifier]) {
    try {
      new PlantedSecret(part).search('error', error).expectNowhere();
    } catch {
      mustHold(false, `a value of ours is in the error: ${String(error)}`);
    }
  }
  return verifier.length + 1;
}

/** A real server: SCRAM works, trust proves nothing, md5 needs its word, and a password in clear is never sent. */
async function honestServers(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-hba-'));
  await chmod(directory, 0o755);
  const rules = join(directory, 'pg_hba.conf');
  await writeFile(
    rules,
    ['trusted trust', 'hashed md5', 'plain password', 'elsewhere reject', 'all scram-sha-256']
      .map((rule) => `host all ${rule.replace(' ', ' 127.0.0.1/32 ')}\n`)
      .join(''),
    { mode: 0o644 },
  );
  const server = await startDebianPostgres(15, [`hba_file=${rules}`]);
  try {
    await server.sql(`CREATE ROLE bound LOGIN PASSWORD '${password}'; CREATE ROLE trusted LOGIN PASSWORD '${password}';
      CREATE ROLE plain LOGIN PASSWORD '${password}'; CREATE ROLE elsewhere LOGIN PASSWORD '${password}'; SET password_encryption = md5;
      CREATE ROLE hashed LOGIN PASSWORD '${password}'`);
    const logIn = (slot: string, more: Partial<PostgresOptions> = {}, value = password) =>
      serviceAt(server.endpoint, more)
        .accepts({ slot, value: new Sealed(value) })
        .then(([answer]) => answer?.answer);
    const told = [
      await logIn('bound'),
      await logIn('bound', {}, 'wrong-password-0123456789'),
      await logIn('trusted'),
      await logIn('trusted', { authentication: 'md5' }),
      await logIn('plain'),
      await logIn('plain', { authentication: 'md5' }),
      await logIn('elsewhere'),
      await logIn('hashed'),
      await logIn('hashed', { authentication: 'md5' }),
      await logIn('hashed', { authentication: 'md5' }, 'wrong-password-0123456789'),
    ];
    mustHold(
      !told.slice(2, 8).some((one) => one !== 'no-answer'),
      `trust, reject, password or md5 is believed: ${told.join(', ')}`,
    );
    const works = [told[0], told[1], told[8], told[9]].join(', ');
    if (works !== 'accepted, refused, accepted, refused') throw new Error(`honest logins do not work: ${works}`);
    return 'a real PostgreSQL 15 accepts by SCRAM, and by md5 with its word; its trust, reject and password rules prove nothing';
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}
