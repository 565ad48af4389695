import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile, chown, chmod } from 'node:fs/promises';
import { createServer, connect, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { LockkeeperError } from '../../shared/base/error.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { postgresService } from '../../shared/services/postgres.ts';
import { certificate, certificateKey } from './certificate.ts';
import { adminPassword, connectAs, holdSession, logsIn, makePair } from './postgres-pair.ts';
import { startPostgres, type PostgresServer } from './postgres-server.ts';
import { statementTests } from './postgres-statements.ts';
import { inspectAll, printedIn } from './printed.ts';

let server: PostgresServer;
let keys: string;
beforeAll(async () => {
  keys = await mkdtemp(join(tmpdir(), 'lockkeeper-tls-'));
  await chmod(keys, 0o755);
  await writeFile(join(keys, 'cert.pem'), certificate);
  await writeFile(join(keys, 'key.pem'), certificateKey, { mode: 0o600 });
  if (userInfo().uid === 0) await chown(join(keys, 'key.pem'), await postgresUser(), 0);
  server = await startPostgres([
    'log_statement=all',
    'log_line_prefix=<%u|%a>',
    'log_min_duration_statement=0',
    'ssl=on',
    `ssl_cert_file=${join(keys, 'cert.pem')}`,
    `ssl_key_file=${join(keys, 'key.pem')}`,
  ]);
}, 60_000);
afterAll(async () => {
  await server.stop();
  await rm(keys, { recursive: true, force: true });
});

const free = async () => undefined;
const ca = async () => certificate;
const fresh = (slot: string) => ({ slot, value: new Sealed('planted-canary-0123456789-abcdefghij') });

statementTests(() => server);

describe('TLS', () => {
  test('is used where it is asked for, and the answer says so', async () => {
    const pair = await makePair(server);
    const service = postgresService(pair.options({ tls: { ca } }));
    expect(await service.describe()).toMatchObject({ encrypted: true });
    expect(await service.accepts(pair.initial)).toEqual([
      { endpoint: server.endpoint, answer: 'accepted', encrypted: true },
    ]);
    expect(await postgresService(pair.options({ tls: 'off' })).accepts(pair.initial)).toMatchObject([
      { answer: 'accepted', encrypted: false },
    ]);
  });

  test('with a certificate that nobody vouches for is refused, and plain text is not tried', async () => {
    const pair = await makePair(server);
    const service = postgresService(pair.options({ tls: 'require' }));
    const error = { code: 'unreachable', hint: expect.stringContaining('ca') };
    expect(await service.accepts(pair.initial)).toMatchObject([{ answer: 'no-answer', error }]);
    await expect(service.describe()).rejects.toMatchObject(error);
  });

  test('at a server without TLS is an error, not a login in plain text', async () => {
    const plain = await startPostgres();
    try {
      const pair = await makePair(plain);
      const error = { code: 'unreachable', hint: expect.stringContaining('TLS') };
      expect(await postgresService(pair.options({ tls: 'require' })).accepts(pair.initial)).toMatchObject([
        { answer: 'no-answer', error },
      ]);
    } finally {
      await plain.stop();
    }
  }, 30_000);
});

describe('no value reaches the server in clear:', () => {
  test('not its log with every statement logged, not a failing statement, not a stored password', async () => {
    const pair = await makePair(server);
    const service = postgresService(pair.options());
    const login = fresh(pair.users[1]);
    await service.change(login, pair.initial, free);
    await service.accepts(login);
    await server.sql(`REVOKE ${pair.users[1]} FROM lockkeeper`);
    const denied = await service.change(login, pair.initial, free).then(() => '', inspectAll);
    expect(denied).toMatch(/42501/);
    await server.sql(`GRANT ${pair.users[1]} TO lockkeeper WITH ADMIN OPTION`);
    await service.retire(login.slot, pair.initial, free, { endSessions: true });
    const log = server.log();
    expect(log).toContain('ALTER ROLE');
    for (const text of [log, denied])
      for (const value of [login.value.open(), adminPassword]) expect(withoutSetUp(text)).not.toContain(value);
    const [stored] = await server.sql<{ rolpassword: string | null }>(
      'SELECT rolpassword FROM pg_authid WHERE rolname = $1',
      [pair.users[1]],
    );
    expect(stored?.rolpassword).toBeNull();
  });

  test('the server keeps exactly the verifier that was sent', async () => {
    const pair = await makePair(server);
    const login = fresh(pair.users[1]);
    await postgresService(pair.options({ iterations: 5000 })).change(login, pair.initial, free);
    const [stored] = await server.sql<{ rolpassword: string }>('SELECT rolpassword FROM pg_authid WHERE rolname = $1', [
      pair.users[1],
    ]);
    expect(stored?.rolpassword).toMatch(/^SCRAM-SHA-256\$5000:/);
    expect(await logsIn(server.port, login)).toBe(true);
  });
});

describe('what a server says is not always about the password:', () => {
  test('a full server is throttled, not a refusal', async () => {
    const pair = await makePair(server);
    await server.sql(`ALTER ROLE ${pair.users[0]} CONNECTION LIMIT 1; ALTER ROLE ${pair.users[1]} CONNECTION LIMIT 1`);
    const session = await holdSession(server.port, pair.initial);
    const error = { code: 'throttled', message: expect.stringMatching(`at ${server.endpoint}: .*53300`) };
    expect(await postgresService(pair.options()).accepts(pair.initial)).toMatchObject([{ answer: 'no-answer', error }]);
    await session.close();
  });

  test("a wrong password of lockkeeper's own login is denied, not a refusal of the consumer", async () => {
    const pair = await makePair(server);
    const service = postgresService(
      pair.options({ admin: async () => ({ user: 'lockkeeper', password: new Sealed('wrong') }) }),
    );
    await expect(service.describe()).rejects.toMatchObject({ code: 'denied' });
    await expect(service.change(pair.initial, undefined, free)).rejects.toMatchObject({ code: 'denied' });
  });

  test('who may not log in, or not to this database, has shown the right password all the same', async () => {
    const pair = await makePair(server);
    const [user] = pair.users;
    const unfit = async (more: Parameters<typeof pair.options>[0] = {}) => {
      const [answer] = await postgresService(pair.options(more)).accepts(pair.initial);
      expect(answer).toMatchObject({ answer: 'accepted' });
      return answer?.unfit;
    };
    await server.sql(`ALTER ROLE ${user} NOLOGIN`);
    expect(await unfit()).toContain(`may not log in. Run: ALTER ROLE "${user}" LOGIN;`);
    await server.sql(`ALTER ROLE ${user} LOGIN`);
    expect(await unfit()).toBeUndefined();
    expect(await unfit({ database: 'missing' })).toContain('there is no database missing here');
    await server.sql('CREATE DATABASE closed');
    await server.sql('REVOKE CONNECT ON DATABASE closed FROM PUBLIC');
    const said = await unfit({ database: 'closed' });
    expect(said).toContain(`may not connect to the database closed. Run: GRANT CONNECT ON DATABASE "closed" TO`);
    await server.sql(printedIn(said));
    expect(await unfit({ database: 'closed' })).toBeUndefined();
  });

  test('a lock that another process keeps is a conflict after five seconds', async () => {
    const pair = await makePair(server);
    const service = postgresService(pair.options());
    const release = Promise.withResolvers<void>();
    const holding = Promise.withResolvers<void>();
    const holder = service.change(fresh(pair.users[1]), undefined, async () => {
      holding.resolve();
      await release.promise;
    });
    await holding.promise;
    await expect(postgresService(pair.options()).change(fresh(pair.users[1]), undefined, free)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('55P03'),
    });
    release.resolve();
    await holder;
  });

  test('a connection that dies while COMMIT is under way is uncertain, and before it nothing happened', async () => {
    const pair = await makePair(server);
    const login = fresh(pair.users[1]);
    for (const [cutAt, code] of [
      ['COMMIT', 'uncertain'],
      ['ALTER ROLE', 'unreachable'],
    ] as const) {
      await using proxy = await cuttingProxy(server.port, cutAt);
      const cut = postgresService(pair.options({ endpoints: [proxy.endpoint] }));
      const error: unknown = await cut.change(login, pair.initial, free).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(LockkeeperError);
      expect(error).toMatchObject({ code });
    }
  });

  test('an address that is none is invalid', async () => {
    const pair = await makePair(server);
    for (const endpoint of ['db', 'db:', 'db:99999', 'a b:1', '']) {
      await expect(postgresService(pair.options({ endpoints: [endpoint] })).describe()).rejects.toMatchObject({
        code: 'invalid',
      });
    }
  });

  test('sessions shows consumers by address and program, also one that calls itself lockkeeper', async () => {
    const pair = await makePair(server);
    const client = await connectAs(server.port, pair.initial);
    await client.query("SET application_name = 'lockkeeper'");
    expect(await postgresService(pair.options()).sessions(pair.users[0])).toMatchObject([
      { peer: '127.0.0.1 (lockkeeper)' },
    ]);
    await client.end();
  });
});

/**
 * A proxy that hands everything on until the client sends `word`: then the server gets it and the client loses the
 * connection.
 */
async function cuttingProxy(port: number, word: string): Promise<{ readonly endpoint: string } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    upstream.pipe(client);
    client.on('data', (bytes) => {
      if (bytes.includes(word)) client.destroy();
      if (word === 'COMMIT' || !bytes.includes(word)) upstream.write(bytes);
      else upstream.destroy();
    });
  });
  await new Promise<void>((resolve) => void proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    endpoint: `127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => void proxy.close(() => resolve()));
    },
  };
}

/** The test's own set-up creates lockkeeper's role with its password in clear; that line is not lockkeeper's. */
function withoutSetUp(log: string): string {
  return log.replaceAll(/CREATE ROLE lockkeeper [^;]*;/g, '');
}

async function postgresUser(): Promise<number> {
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((one) => one.startsWith('postgres:'));
  return Number(line?.split(':')[2] ?? 0);
}
