import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startPostgres, type PostgresServer } from '../services/postgres-server.ts';
import { killedCase } from './killed-case.ts';
import { Scene, type Kind } from './killed-scene.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(async () => server.stop());

/** The proof rotation-crash-postgres kills at every point. */
const samples: readonly (readonly [string, Kind, readonly string[]])[] = [
  [
    'an alternating pair',
    { strategy: 'alternating', leaked: false },
    ['one.stage after', 'service.change guarded', 'service.change after', 'service.retire guarded'],
  ],
  ['a leaked value of a pair', { strategy: 'alternating', leaked: true }, ['one.promote after']],
  ['a single user', { strategy: 'single', leaked: false }, ['service.change after']],
];

describe('killed by the operating system in the middle of a rotation of a real PostgreSQL, it recovers and locks nobody out:', () => {
  test.each(samples)(
    '%s',
    async (_name, kind, names) => {
      const scene = await Scene.make(server, kind);
      try {
        const { moments, violations } = await killedCase(scene, []);
        expect(violations).toEqual([]);
        for (const name of names) {
          const found = await killedCase(scene, [moments.indexOf(name) + 1]);
          expect(found).toMatchObject({ killedAt: [name], violations: [] });
        }
      } finally {
        await scene.remove();
      }
    },
    60_000,
  );
});
