import { describe, expect, test } from '@jest/globals';
import { Sealed } from '../../shared/base/sealed.ts';
import type { AdminOffer } from '../../shared/services/admin-login.ts';
import { postgresService } from '../../shared/services/postgres.ts';
import { testWorld } from '../world.ts';
import { connectAs, logsIn } from './postgres-pair.ts';
import type { PostgresServer } from './postgres-server.ts';
import { runPrinted } from './postgres-versions.ts';

const free = async () => undefined;
const sealed = (text: string) => new Sealed(`${text}-value-of-lockkeepers-own-login`);
const [dead, live, older] = [sealed('dead'), sealed('live'), sealed('older')];
let roles = 0;

/** A role of its own that changes itself, which has the value `live` and no right at all. */
async function ownRole(server: PostgresServer, attributes = '') {
  roles += 1;
  const user = `own_${roles}`;
  await server.sql(`CREATE ROLE ${user} LOGIN ${attributes} PASSWORD '${live.open()}'`);
  const service = (admin: () => Promise<AdminOffer>, endpoints = [server.endpoint]) =>
    postgresService({
      credential: user,
      strategy: 'single',
      users: [user],
      database: 'postgres',
      endpoints,
      tls: 'off',
      admin,
      world: testWorld('2026-10-01T00:00:00Z', user),
    });
  const offers = (first: Sealed, ...others: readonly Sealed[]) => {
    const login = (password: Sealed) => ({ user, password });
    return async () => ({ ...login(first), otherwise: async () => others.map(login) });
  };
  const failures = () => server.log().split(`password authentication failed for user "${user}"`).length - 1;
  return { user, service, offers, failures };
}

/** lockkeeper's own login, in the middle of its own rotation. */
export function ownLoginTests(server: () => PostgresServer): void {
  describe("lockkeeper's own login in the middle of its own rotation", () => {
    test('what the secret hands out is refused: what is staged is shown next, and the dead one not again', async () => {
      const own = await ownRole(server());
      const service = own.service(own.offers(dead, live, older));
      for (let connections = 0; connections < 3; connections += 1)
        expect((await service.describe()).problems).toEqual([]);
      expect(own.failures()).toBe(1);
    });

    test('it changes itself without any right, and a run that read the old value gets in with the next one', async () => {
      const own = await ownRole(server());
      await own.service(own.offers(live)).change({ slot: own.user, value: older }, undefined, free);
      const late = own.service(own.offers(live, older));
      await late.change({ slot: own.user, value: dead }, undefined, free);
      expect(await logsIn(server().port, { slot: own.user, value: dead })).toBe(true);
    });

    test('where every value is refused, each was shown once, and how many they were is told', async () => {
      const own = await ownRole(server());
      const told = /password authentication failed .*; 1 more that its secret still holds: refused, too/;
      await expect(own.service(own.offers(dead, older)).describe()).rejects.toMatchObject({
        code: 'denied',
        message: expect.stringMatching(told),
      });
      expect(own.failures()).toBe(2);
    });

    test('a server that does not answer refused nothing, so no other value is shown', async () => {
      const own = await ownRole(server());
      const admin = async () => ({
        user: own.user,
        password: live,
        otherwise: () => Promise.reject(new Error('asked without a refusal')),
      });
      await expect(own.service(admin, ['127.0.0.1:1']).describe()).rejects.toMatchObject({ code: 'unreachable' });
    });

    test('an emergency ends the sessions of the leaked value, and not the one that does it', async () => {
      const own = await ownRole(server());
      const stranger = await connectAs(server().port, { slot: own.user, value: live });
      const gone = new Promise<void>((resolve) => void stranger.once('end', () => resolve()));
      const service = own.service(own.offers(live));
      const keep = { slot: own.user, value: live };
      expect(await service.sessions(own.user)).toHaveLength(1);
      const ended = await service.retire(own.user, keep, free, { endSessions: true });
      expect(ended).toEqual([{ endpoint: server().endpoint, error: undefined }]);
      await gone;
      expect(await service.sessions(own.user)).toEqual([]);
    });

    test('a superuser may change itself: it is no consumer', async () => {
      const own = await ownRole(server(), 'SUPERUSER');
      expect((await own.service(own.offers(live)).describe()).problems).toEqual([]);
    });

    test('where the server restricts changes of passwords, the GRANT that helps is printed', async () => {
      const own = await ownRole(server());
      await server().sql(`DO $$ BEGIN CREATE ROLE rds_password NOLOGIN; EXCEPTION WHEN duplicate_object THEN END $$;
        ALTER ROLE ${own.user} SET "rds.restrict_password_commands" = 'on'`);
      const service = own.service(own.offers(live));
      expect((await service.describe()).problems).toEqual([
        expect.stringContaining('rds.restrict_password_commands is on'),
      ]);
      expect(await runPrinted(service, server())).toHaveLength(1);
      expect((await service.describe()).problems).toEqual([]);
    });
  });
}
