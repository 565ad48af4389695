import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startPostgres, type PostgresServer } from '../services/postgres-server.ts';
import { FaultProxy } from '../services/fault-proxy.ts';
import { faultedCase } from './fault-case.ts';
import { killedCase } from './killed-case.ts';
import { Scene, type Kind } from './killed-scene.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(async () => server.stop());

const pair: Kind = { strategy: 'alternating', leaked: false };
const leaked: Kind = { strategy: 'alternating', leaked: true };
const single: Kind = { strategy: 'single', leaked: false };

/** A sample: the proof rotation-crash-postgres kills at every point. */
const samples: readonly (readonly [string, string, Kind])[] = [
  ['one.stage after', 'an alternating pair', pair],
  ['service.change guarded', 'an alternating pair', pair],
  ['service.retire guarded', 'an alternating pair', pair],
  ['one.promote after', 'a leaked value of a pair', leaked],
  ['service.change after', 'a single user', single],
];

describe('killed by the operating system in the middle of a rotation of a real PostgreSQL, it recovers and locks nobody out:', () => {
  test.each(samples)(
    '%s, %s',
    async (name, _who, kind) => {
      const scene = await Scene.make(server, kind);
      try {
        expect(await killedCase(scene, [name])).toMatchObject({ killedAt: [name], violations: [] });
      } finally {
        await scene.remove();
      }
    },
    60_000,
  );
});

test('a change whose answer is lost on its way is found out by the next run, and the value stays the same', async () => {
  const [scene, proxy] = [await Scene.make(server, pair), await FaultProxy.start(server.port)];
  try {
    const { messages } = await faultedCase({ scene, proxy }, []);
    const at = messages.indexOf('> Q COMMIT', messages.indexOf('> Q ALTER')) + 1;
    const { injected, violations, reports } = await faultedCase({ scene, proxy }, [{ at, kind: 'lost' }]);
    expect({ injected, violations }).toEqual({ injected: [`${at} > Q COMMIT lost`], violations: [] });
    expect(reports[0]).toMatchObject({ outcome: 'failed', error: { code: 'uncertain' } });
  } finally {
    await scene.remove();
    await proxy.stop();
  }
}, 60_000);
