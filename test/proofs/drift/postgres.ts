import pg from 'pg';
import { testWorld } from '../../world.ts';
import { day, hour } from '../../../shared/base/time.ts';
import { memoryObjects } from '../../../shared/objects/memory.ts';
import { adopt } from '../../../shared/rotation/adopt.ts';
import { checkDrift } from '../../../shared/rotation/drift/check.ts';
import { consumerForm } from '../../../shared/rotation/forms/consumer-form.ts';
import { importLogin } from '../../../shared/rotation/import.ts';
import type { RotationDeps } from '../../../shared/rotation/plan.ts';
import { rotate } from '../../../shared/rotation/run.ts';
import { MemoryVault, memorySecrets } from '../../../shared/secrets/memory.ts';
import { postgresService } from '../../../shared/services/postgres.ts';
import { connectAs, makePair, type PostgresPair } from '../../services/postgres-pair.ts';
import type { PostgresServer } from '../../services/postgres-server.ts';
import { heardLog } from '../../rotation/place.ts';
import { loginOf, textOf } from './ground.ts';

const form = consumerForm();
const otherValue = 'a-value-that-an-administrator-chose-0123456789';

interface Pair {
  readonly server: PostgresServer;
  readonly pair: PostgresPair;
  readonly vault: MemoryVault;
  readonly deps: RotationDeps;
  readonly world: ReturnType<typeof testWorld>;
  /** The version that was handed out before the rotation. */
  readonly before: { readonly id: string; readonly text: string };
}

/** What an administrator does on a real server, and what must be found. */
interface PostgresCase {
  readonly name: string;
  act(at: Pair): Promise<(() => Promise<void>) | void>;
  ids(at: Pair): readonly string[];
}

const cases: readonly PostgresCase[] = [
  {
    name: 'the password of the current user is reset by hand',
    act: ({ server, pair }) => reset(server, pair.users[1], otherValue),
    ids: ({ pair, server }) => [`current-refused ${pair.users[1]}@${server.endpoint}`],
  },
  {
    name: 'the password of the idle user is reset by hand, and somebody uses it',
    async act({ server, pair }) {
      await reset(server, pair.users[0], otherValue);
      const session = await connectAs(server.port, loginOf(pair.users[0], otherValue));
      return () => session.end();
    },
    ids: ({ pair }) => [`idle-user-in-use ${pair.users[0]}`],
  },
  {
    name: 'the idle user got its earlier password again, which a restored store shows',
    async act({ server, pair, vault, before }) {
      await reset(server, pair.users[0], pair.initial.value.open());
      const shelf = vault.shelves.get('app-db');
      if (shelf) vault.shelves.set('app-db', { ...shelf, earlier: [{ ...before }] });
    },
    ids: ({ pair, server, before }) => [
      `ended-version-kept one/app-db ${before.id}`,
      `ended-accepted ${pair.users[0]}@${server.endpoint}`,
    ],
  },
  {
    name: 'the store was edited by hand',
    async act({ pair, vault }) {
      vault.setByHand('app-db', textOf(loginOf(pair.users[1], otherValue)));
    },
    ids: ({ pair, server }) => ['store-changed one/app-db', `current-refused ${pair.users[1]}@${server.endpoint}`],
  },
  {
    name: 'the owner role may log in by itself',
    act: ({ server, pair }) => server.sql(`ALTER ROLE ${pair.owner} LOGIN`).then(() => undefined),
    ids: () => ['service-not-ready '],
  },
];

/** Every case on a real PostgreSQL, found, then gone after `lockkeeper rotate NAME --now` or what the SQL says; what went wrong. */
export async function postgresCases(
  server: PostgresServer,
): Promise<{ readonly cases: number; readonly wrong: readonly string[] }> {
  const wrong: string[] = [];
  for (const one of cases) {
    const at = await makeCase(server);
    const quiet = await checkDrift(at.deps);
    if (quiet.outcome !== 'agrees')
      wrong.push(`${one.name}: before: ${quiet.text} ${quiet.findings.map(({ id }) => id).join()}`);
    const over = await one.act(at);
    const found = (await checkDrift(at.deps)).findings.map(({ id }) => id);
    const expected = one.ids(at);
    if (found.length !== expected.length || !expected.every((id) => found.some((is) => is.startsWith(id))))
      wrong.push(`${one.name}: found ${found.join(', ')} instead of ${expected.join(', ')}`);
    await over?.();
    await server.sql(`ALTER ROLE ${at.pair.owner} NOLOGIN`);
    await rotated(at);
    const after = await checkDrift(at.deps);
    if (after.outcome !== 'agrees')
      wrong.push(`${one.name}: after: ${[...after.findings, ...after.open].map(({ id }) => id).join(', ')}`);
  }
  return { cases: cases.length, wrong };
}

async function reset(server: PostgresServer, user: string, value: string): Promise<void> {
  await server.sql(`ALTER ROLE ${user} PASSWORD ${pg.escapeLiteral(value)}`);
}

async function makeCase(server: PostgresServer): Promise<Pair> {
  const pair = await makePair(server);
  const world = testWorld();
  const vault = new MemoryVault({ world });
  vault.add('app-db');
  const name = pair.options().credential;
  const deps: RotationDeps = {
    plan: {
      name,
      service: 'postgres',
      stores: [{ store: 'one', secret: 'app-db', form }],
      address: { engine: 'postgres', host: '127.0.0.1', port: server.port, dbname: 'postgres' },
      refreshes: [],
      propagationMs: 0,
      everyMs: 30 * day,
      acceptDowntime: false,
    },
    stores: { one: memorySecrets(vault) },
    service: postgresService(pair.options()),
    state: memoryObjects(),
    audit: heardLog(world),
    world,
    notify: async () => undefined,
    actor: 'proof',
  };
  await importLogin(deps, pair.initial);
  const { current } = vault.shelves.get('app-db') ?? {};
  if (!(await adopt(deps)).adopted || !current) throw new Error('not adopted');
  const at: Pair = { server, pair, vault, deps, world, before: { id: current.id, text: current.text } };
  await rotated(at);
  return at;
}

async function rotated({ deps, world }: Pair): Promise<void> {
  for (let runs = 0; runs < 12; runs += 1) {
    const report = await rotate(deps, { now: runs === 0 });
    if (report.outcome === 'done') return;
    if (report.outcome !== 'waiting') throw new Error(`${report.outcome}: ${report.text}`);
    world.pass(hour);
  }
  throw new Error('the rotation does not end');
}
