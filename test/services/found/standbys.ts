import { postgresService } from '../../../shared/services/postgres.ts';
import { startDebianStandby } from '../debian-postgres.ts';
import type { FoundCase } from './case.ts';
import { must, toldIn } from './expect.ts';
import { foundPair } from './found-pair.ts';

const free = async () => undefined;

/** A standby where the primary should be, as after a failover; Debian has the programs that make one. */
export const standbyCases: readonly FoundCase[] = [
  {
    name: 'a standby named first, as after a failover: told with its primary, and right again once the order is, or it is promoted',
    until: 15,
    async run(found) {
      const pair = await foundPair(found, 'ready');
      const standby = await startDebianStandby(found.version, found.server);
      try {
        const [primary, follower] = [found.server.endpoint, standby.endpoint];
        const wrong = postgresService(pair.options({ endpoints: [follower, primary] }));
        const standbyTold = new RegExp(
          `first endpoint ${follower} is a standby of 127\\.0\\.0\\.1:${found.server.port} and`,
        );
        toldIn((await wrong.describe()).problems, standbyTold);
        const [answer, other] = await wrong.accepts(pair.login(pair.a));
        toldIn([answer?.unfit], /this endpoint is a standby, where nobody can write/);
        must(other?.unfit === undefined, `the primary is unfit: ${other?.unfit}`);
        const thrown: unknown = await wrong
          .change(pair.login(pair.b), undefined, free)
          .catch((error: unknown) => error);
        toldIn(
          [thrown instanceof Error && 'hint' in thrown ? String(thrown.hint) : String(thrown)],
          /must be the primary, and this one is a standby/,
        );
        const right = postgresService(pair.options({ endpoints: [primary, follower] }));
        must((await right.describe()).problems.length === 0, 'it is not ready in the right order');
        for (const { answer: said, unfit } of await right.accepts(pair.login(pair.a)))
          must(said === 'accepted' && unfit === undefined, `${said} ${unfit}`);
        await standby.sql('SELECT pg_promote()');
        must((await wrong.describe()).problems.length === 0, 'it is not ready when promoted');
      } finally {
        await standby.stop();
      }
    },
  },
];
