import { beforeEach, describe, expect, test } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { LockkeeperError } from '../../shared/base/error.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import type { Login } from '../../shared/services/contract.ts';
import { postgresService, type PostgresOptions } from '../../shared/services/postgres.ts';
import { adminPassword, connectAs, holdSession, logsIn, makePair, type PostgresPair } from './postgres-pair.ts';
import type { PostgresServer } from './postgres-server.ts';
import { inspectAll } from './printed.ts';

const free = async () => undefined;
const silent = '127.0.0.1:1';
let one: PostgresServer;
let two: PostgresServer;

/** Two servers with the same pair of users, as a primary and its replica have them. */
let pair: PostgresPair;
let old: Login;
let next: Login;

/** What several endpoints do, and what lockkeeper's own login does there. `servers` has two. */
export function endpointTests(servers: () => readonly PostgresServer[]): void {
  beforeEach(async () => {
    const [first, second] = servers();
    if (!first || !second) throw new Error('two servers are needed');
    one = first;
    two = second;
    await makePairs();
  });
  everyEndpoint();
  ownLogin();
}

async function makePairs(): Promise<void> {
  pair = await makePair(one);
  const value = pair.initial.value.open();
  await makePair(two);
  await two.sql(
    `CREATE ROLE ${pair.owner}_2; ${pair.users
      .map((user) => `DO $$ BEGIN CREATE ROLE ${user} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;`)
      .join('')} ALTER ROLE ${pair.users[0]} PASSWORD '${value}'`,
  );
  old = pair.initial;
  next = { slot: pair.users[1], value: new Sealed('value-of-the-next-01234567890') };
}

function service(more: Partial<PostgresOptions> = {}) {
  return postgresService(pair.options({ endpoints: [one.endpoint, two.endpoint, silent], ...more }));
}

const single = () => ({ strategy: 'single', users: [pair.users[0]] }) as const;

function everyEndpoint(): void {
  describe('every endpoint answers for itself:', () => {
    test('accepts says of each what it said, and of a silent one why', async () => {
      await service().change(next, old, free);
      expect(await service().accepts(next)).toEqual([
        { endpoint: one.endpoint, answer: 'accepted', encrypted: false },
        { endpoint: two.endpoint, answer: 'refused', encrypted: false },
        { endpoint: silent, answer: 'no-answer', encrypted: false, error: expect.any(LockkeeperError) },
      ]);
      const [, , last] = await service().accepts(next);
      expect(last?.error).toMatchObject({
        code: 'unreachable',
        message: expect.stringContaining(`logging in as ${next.slot} at ${silent}`),
        hint: expect.stringMatching(/./),
      });
    });

    test('sessions are those of all, and a silent one is named', async () => {
      const held = await Promise.all([holdSession(one.port, old), holdSession(two.port, old)]);
      const both = service({ endpoints: [one.endpoint, two.endpoint] });
      expect(await both.sessions(old.slot)).toHaveLength(2);
      await expect(service().sessions(old.slot)).rejects.toMatchObject({
        code: 'unreachable',
        message: expect.stringContaining(`reading the sessions of ${old.slot} at ${silent}`),
      });
      for (const session of held) await session.close();
    });

    test('retire ends sessions wherever it can, and names the endpoint where it cannot', async () => {
      const held = await Promise.all([holdSession(one.port, old), holdSession(two.port, old)]);
      const results = await service().retire(old.slot, next, free, { endSessions: true });
      expect(results).toEqual([
        { endpoint: one.endpoint, error: undefined },
        { endpoint: two.endpoint, error: undefined },
        { endpoint: silent, error: expect.objectContaining({ code: 'unreachable' }) },
      ]);
      expect(results[2]?.error?.message).toContain(silent);
      for (const session of held) expect(await session.isOpen()).toBe(false);
      expect(await logsIn(one.port, old)).toBe(false);
    });

    test('without sessions to end only the primary is asked', async () => {
      expect(await service().retire(old.slot, next, free)).toEqual([{ endpoint: one.endpoint, error: undefined }]);
      const headless = service({ endpoints: [silent, one.endpoint] });
      await expect(headless.retire(old.slot, next, free, { endSessions: true })).rejects.toMatchObject({
        code: 'unreachable',
      });
    });

    test('a mark holds the time of each, and of a silent one nothing that would hold a rotation up', async () => {
      const before = await Promise.all([holdSession(one.port, old), holdSession(two.port, old)]);
      const { mark } = await service(single()).describe();
      const after = await Promise.all([holdSession(one.port, old), holdSession(two.port, old)]);
      const both = service({ ...single(), endpoints: [one.endpoint, two.endpoint] });
      expect(await both.sessions(old.slot, mark)).toHaveLength(2);
      for (const session of before) await session.close();
      await pause(50);
      expect(await both.sessions(old.slot, mark)).toEqual([]);
      expect(await both.sessions(old.slot)).toHaveLength(2);
      for (const session of after) await session.close();
    });

    test('the sessions of a single user are ended once, however many come again meanwhile', async () => {
      const over = new AbortController();
      const consumer = async () => {
        while (!over.signal.aborted) {
          const client = await connectAs(one.port, old);
          await client.query('SELECT pg_sleep(0.05)').catch((thrown: unknown) => thrown);
          await client.end().catch((thrown: unknown) => thrown);
        }
      };
      const consumers = [consumer(), consumer(), consumer()];
      const held = await holdSession(one.port, old);
      const alone = service({ ...single(), endpoints: [one.endpoint] });
      expect(await alone.retire(old.slot, old, free, { endSessions: true })).toEqual([
        { endpoint: one.endpoint, error: undefined },
      ]);
      expect(await held.isOpen()).toBe(false);
      over.abort();
      await Promise.all(consumers);
      expect(await logsIn(one.port, old)).toBe(true);
    });
  });
}

function ownLogin(): void {
  describe("lockkeeper's own login is asked for by every connection:", () => {
    const own = (password: string, user = 'lockkeeper') => ({ user, password: new Sealed(password) });

    /** Answers one after the other, and the last one for ever. */
    function asked(...logins: readonly ReturnType<typeof own>[]) {
      let calls = 0;
      const admin = async () => {
        calls += 1;
        const login = logins[Math.min(calls, logins.length) - 1];
        if (!login) throw new Error('no login');
        return login;
      };
      return { admin, calls: () => calls };
    }

    const failures = () => one.log().split('password authentication failed for user "lockkeeper"').length - 1;

    test('one that was rotated between two calls is asked for again, once', async () => {
      const before = failures();
      const stale = asked(own('what-was-valid-before-0123456789'), own(adminPassword));
      const alone = service({ endpoints: [one.endpoint], admin: stale.admin });
      await alone.describe();
      await alone.change(next, old, free);
      expect(stale.calls()).toBe(3);
      await one.sql(`DO $$ BEGIN CREATE ROLE lockkeeper_b LOGIN SUPERUSER PASSWORD '${adminPassword}';
      EXCEPTION WHEN duplicate_object THEN NULL; END $$`);
      const other = asked(own('what-was-valid-before-0123456789'), own(adminPassword, 'lockkeeper_b'));
      const results = await service({ endpoints: [one.endpoint], admin: other.admin }).retire(old.slot, next, free);
      expect(results).toEqual([{ endpoint: one.endpoint, error: undefined }]);
      expect(failures() - before).toBe(2);
    });

    test('one that is wrong is tried once, not twice', async () => {
      const before = failures();
      const wrong = asked(own('wrong-password-0123456789-abcdef'));
      const alone = service({ endpoints: [one.endpoint], admin: wrong.admin });
      const thrown: unknown = await alone.describe().catch((error: unknown) => error);
      expect(thrown).toMatchObject({ code: 'denied', hint: expect.stringContaining("lockkeeper's own login") });
      expect(inspectAll(thrown)).not.toContain('wrong-password');
      expect(wrong.calls()).toBe(2);
      expect(failures() - before).toBe(1);
    });

    test('one that cannot be opened fails what needs it with its own error, and no login of a consumer', async () => {
      const unreadable = new LockkeeperError('denied', 'the password file cannot be read', { hint: 'chmod 600' });
      const closed = service({ endpoints: [one.endpoint], admin: () => Promise.reject(unreadable) });
      await expect(closed.describe()).rejects.toBe(unreadable);
      await expect(closed.change(next, old, free)).rejects.toBe(unreadable);
      await expect(closed.sessions(old.slot)).rejects.toBe(unreadable);
      await expect(closed.retire(old.slot, next, free, { endSessions: true })).rejects.toBe(unreadable);
      expect(await closed.accepts(old)).toMatchObject([{ answer: 'accepted' }]);
    });

    test('one that can no longer be opened once the password is gone is an answer, not a throw', async () => {
      let calls = 0;
      const admin = async () => {
        calls += 1;
        if (calls > 1) throw new LockkeeperError('denied', 'the password file cannot be read');
        return own(adminPassword);
      };
      const results = await service({ endpoints: [one.endpoint], admin }).retire(old.slot, next, free, {
        endSessions: true,
      });
      expect(results).toMatchObject([{ endpoint: one.endpoint, error: { code: 'denied' } }]);
      expect(await logsIn(one.port, old)).toBe(false);
    });

    test('an authority that cannot be opened fails every call with its own error', async () => {
      const missing = new LockkeeperError('not-found', 'there is no authority at /ca.pem', { hint: 'Check tls.ca.' });
      const closed = service({ tls: { ca: () => Promise.reject(missing) } });
      const calls = [closed.describe(), closed.accepts(old), closed.change(next, old, free), closed.sessions(old.slot)];
      for (const call of calls) await expect(call).rejects.toBe(missing);
    });

    test('a login may rotate itself', async () => {
      const user = `${pair.owner}_self`;
      let now = own('value-of-the-own-login-before-01', user);
      await one.sql(`CREATE ROLE ${user} LOGIN PASSWORD '${now.password.open()}'`);
      const admin = async () => now;
      const itself = service({ strategy: 'single', users: [user], endpoints: [one.endpoint], admin });
      expect((await itself.describe()).problems).toEqual([]);
      const fresh = { slot: user, value: new Sealed('value-of-the-own-login-after-012') };
      await itself.change(fresh, { slot: user, value: now.password }, free);
      now = { user, password: fresh.value };
      expect(await itself.retire(user, fresh, free)).toEqual([{ endpoint: one.endpoint, error: undefined }]);
      expect(await itself.accepts(fresh)).toMatchObject([{ answer: 'accepted' }]);
    });
  });
}
