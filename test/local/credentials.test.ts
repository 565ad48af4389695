import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { rotationDeps, secretStores } from '../../functions/local/credentials.ts';
import { drivers } from '../../functions/local/credentials-wire.ts';
import { adminLogin, openedReference } from '../../functions/local/own-logins.ts';
import type { AllDrivers, Drivers } from '../../functions/local/drivers.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { hour } from '../../shared/base/time.ts';
import { systemWorld } from '../../shared/base/world.ts';
import { checkConfig } from '../../shared/config/check.ts';
import { memoryObjects } from '../../shared/objects/memory.ts';
import { importLogin } from '../../shared/rotation/import.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import { rotate, type RotationReport } from '../../shared/rotation/run.ts';
import { MemoryVault, memorySecrets } from '../../shared/secrets/memory.ts';
import { MemoryHost, memoryService } from '../../shared/services/memory.ts';
import { testWorld, type TestWorld } from '../world.ts';

const names = ['first', 'second', 'third'] as const;
const firstValue = 'first-value-of-everybody-0123456789';

/** The first has its password in a file, the second its whole login in a secret, the third both and an authority. */
const text = `version: 1
stores: { state: { kind: file-system, path: state }, log: { kind: file-system, path: log } }
networks: { office: { cloud: aws } }
secrets:
  first: { kind: local-file, path: first, keyFile: first.key }
  second: { kind: local-file, path: second, keyFile: second.key }
  third: { kind: local-file, path: third, keyFile: third.key }
  admins: { kind: local-file, path: admins, keyFile: admins.key }
services:
${names
  .map(
    (name, at) => `  - name: ${name}
    owner: anna
    network: office
    port: ${7001 + at}
    credential:
      engine: postgres
      strategy: alternating
      users: [${name}_a, ${name}_b]
      ownerRole: owner
      endpoints: ["${name}.internal:7000"]
      tls: ${name === 'third' ? '{ ca: ca.pem }' : 'off'}
      admin: ${name === 'second' ? '{ secret: { store: admins, name: admin, form: url } }' : `{ user: admin, password: { file: ${name}.password } }`}
      secrets: [{ store: ${name}, name: login${name === 'third' ? ', form: env' : ''} }]
      propagation: 1s`,
  )
  .join('\n')}
`;

/** Three credentials on services in memory, with everything else on this disk. */
interface Place {
  readonly directory: string;
  readonly world: TestWorld;
  readonly hosts: ReadonlyMap<string, MemoryHost>;
  /** The engine fails to open for this service. */
  broken: string | undefined;
  deps(): ReadonlyMap<string, RotationDeps>;
}

let place: Place;

beforeEach(async () => {
  place = await makePlace();
});
afterEach(() => rm(place.directory, { recursive: true }));

async function makePlace(): Promise<Place> {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-credentials-'));
  const { config, mistakes } = checkConfig(text, directory);
  if (!config) throw new Error(JSON.stringify(mistakes));
  const world = testWorld();
  const hosts = new Map(
    names.map((name) => {
      const host = new MemoryHost({ strategy: 'alternating', slots: [`${name}_a`, `${name}_b`], world });
      host.setByHand(`${name}_a`, firstValue);
      return [name, host] as const;
    }),
  );
  for (const name of ['first', 'third']) await writeFile(join(directory, `${name}.password`), 'own', { mode: 0o600 });
  await writeFile(join(directory, 'ca.pem'), 'an authority', { mode: 0o644 });
  const { localFileSecrets } = await import('../../shared/secrets/local-file.ts');
  const admins = localFileSecrets({
    directory: join(directory, 'admins'),
    keyFile: join(directory, 'admins.key'),
    world,
  });
  await admins.add('admin');
  const staged = await admins.stage('admin', 'r-1', new Sealed('postgres://admin:own@second.internal:7000/app'));
  await admins.promote('admin', { rotation: 'r-1', id: staged.id }, undefined);
  const state = memoryObjects();
  const made: Place = {
    directory,
    world,
    hosts,
    broken: undefined,
    deps() {
      const host = { world, environment: {} };
      const table: Drivers = { ...drivers, engines: { postgres: engine(made) } };
      const secrets = secretStores(config, table, host);
      const audit = { record: async () => ({ run: 'heard', n: 0, hash: '', at: world.now() }) };
      const notify = async () => undefined;
      const rest = { state, audit, notify, actor: 'anna', fingerprintKey: undefined };
      return rotationDeps({ ...host, config, drivers: table, secrets, ...rest });
    },
  };
  for (const [name, deps] of made.deps()) await importLogin(deps, { slot: `${name}_a`, value: new Sealed(firstValue) });
  return made;
}

/** In memory, but lockkeeper's own login and the authority are asked for by every connection, as real drivers do. */
function engine(of: Place): AllDrivers['engines']['postgres'] {
  return async ({ tls }, { name, admin, authority }) => {
    const host = of.hosts.get(name);
    if (!host || of.broken === name) throw new LockkeeperError('denied', `the driver of ${name} does not open`);
    const service = memoryService(host);
    const connected = async () => {
      const { user, password } = await admin();
      expect([user, password.open()]).toEqual(['admin', 'own']);
      if (typeof tls !== 'string') expect(await authority(tls.ca)).toBe('an authority');
      return service;
    };
    return {
      describe: async () => (await connected()).describe(),
      change: async (login, keep, guard) => (await connected()).change(login, keep, guard),
      accepts: (login) => service.accepts(login),
      sessions: async (slot, before) => (await connected()).sessions(slot, before),
      retire: async (slot, keep, guard, options) => (await connected()).retire(slot, keep, guard, options),
    };
  };
}

/** One run of every credential, by one process, until the window of the published ones is over. */
async function rotateAll(): Promise<ReadonlyMap<string, RotationReport>> {
  const reports = new Map<string, RotationReport>();
  const deps = place.deps();
  for (let run = 1; run <= 3; run += 1) {
    for (const [name, one] of deps)
      if (reports.get(name)?.outcome !== 'done') reports.set(name, await rotate(one, { now: true }));
    place.world.pass(3 * hour);
  }
  return reports;
}

const file = (name: string) => join(place.directory, name);
const aside = (name: string) => rename(file(name), file(`${name}.aside`));
const back = async (name: string) => {
  await rm(file(name), { recursive: true, force: true });
  await rename(file(`${name}.aside`), file(name));
};

describe('what is wrong with one of three credentials is its own: the other two rotate, and it does once that is right', () => {
  test.each<[what: string, name: string, breaks: () => unknown, rights: () => unknown]>([
    ['the file with its own password is gone', 'first', () => aside('first.password'), () => back('first.password')],
    ['the secret with its own login is unreadable', 'second', () => aside('admins.key'), () => back('admins.key')],
    ['its authority is gone', 'third', () => aside('ca.pem'), () => back('ca.pem')],
    ['the key of its store is gone', 'third', () => aside('third.key'), () => back('third.key')],
    [
      'its store is no directory',
      'first',
      async () => {
        await aside('first');
        await writeFile(file('first'), '');
      },
      () => back('first'),
    ],
    ['its driver does not open', 'second', () => (place.broken = 'second'), () => (place.broken = undefined)],
  ])('%s', async (_, name, breaks, rights) => {
    await breaks();
    const reports = await rotateAll();
    expect([...reports].filter(([, { outcome }]) => outcome === 'done').map(([one]) => one)).toEqual(
      names.filter((one) => one !== name),
    );
    expect(reports.get(name)?.outcome).not.toBe('done');
    expect(place.hosts.get(name)?.holds(`${name}_a`, firstValue)).toBe(true);
    await rights();
    place.world.pass(48 * hour);
    const later = await rotateAll();
    expect(later.get(name)?.outcome).toBe('done');
    expect(place.hosts.get(name)?.holds(`${name}_a`, firstValue)).toBe(false);
  });
});

test('a host that offers no driver of an engine says so at the run of that credential', async () => {
  const { config } = checkConfig(text, place.directory);
  if (!config) throw new Error('the configuration is wrong');
  const host = { world: place.world, environment: {} };
  const offers: Drivers = { engines: {}, secretStores: {}, refreshes: {} };
  const secrets = secretStores(config, offers, host);
  const audit = { record: async () => ({ run: 'heard', n: 0, hash: '', at: place.world.now() }) };
  const rest = {
    state: memoryObjects(),
    audit,
    notify: async () => undefined,
    actor: 'anna',
    fingerprintKey: undefined,
  };
  const deps = rotationDeps({ ...host, config, drivers: offers, secrets, ...rest });
  expect([...deps.keys()]).toEqual([...names]);
  await expect(deps.get('first')?.service.describe()).rejects.toMatchObject({ code: 'unsupported' });
  await expect(secrets['first']?.read('login')).rejects.toMatchObject({ code: 'unsupported' });
});

test('plans say where consumers reach the service, in which form they read, and who is told', () => {
  const plans = [...place.deps().values()].map(({ plan }) => plan);
  expect(plans.map(({ stores }) => stores.map(({ form }) => form.name))).toEqual([['json'], ['json'], ['env']]);
  expect(plans[0]).toMatchObject({
    address: { engine: 'postgres', host: 'first.internal', port: 7000, dbname: 'postgres' },
    refreshes: [],
  });
});

describe('lockkeeper reads its own logins anew for each connection, so that they can be rotated meanwhile', () => {
  const vault = new MemoryVault();
  const places = { environment: {}, secrets: { vault: memorySecrets(vault) } };
  const put = (name: string, value: string) => {
    vault.add(name);
    vault.setByHand(name, value);
  };
  const opened = async (login: ReturnType<typeof adminLogin>) => {
    const { user, password } = await login();
    return [user, password.open()];
  };

  test('user and password from one secret, in whatever form it is', async () => {
    put('own', 'postgres://own_a:one@db:5432/app');
    const login = adminLogin({ secret: { store: 'vault', name: 'own', form: 'url' } }, places);
    expect(await opened(login)).toEqual(['own_a', 'one']);
    put('own', 'postgres://own_b:two@db:5432/app');
    expect(await opened(login)).toEqual(['own_b', 'two']);
  });

  test('a password from a secret that names nobody', async () => {
    put('word', 'one');
    const reference = { secret: { store: 'vault', name: 'word', form: 'plain' } } as const;
    const login = adminLogin({ user: 'own', password: reference }, places);
    expect(await opened(login)).toEqual(['own', 'one']);
    put('word', 'two');
    expect(await opened(login)).toEqual(['own', 'two']);
    expect((await openedReference(places)(reference)).open()).toBe('two');
  });

  test.each([
    ['nothing there', 'not-found', undefined],
    ['no login there', 'invalid', 'planted-text'],
  ])('with %s it says so, and neither what stands there nor how the secret is called', async (_, code, value) => {
    if (value !== undefined) put('planted-name', value);
    const secret = { store: 'vault', name: 'planted-name' };
    const logins = [adminLogin({ secret }, places), adminLogin({ user: 'own', password: { secret } }, places)];
    for (const login of logins) {
      const thrown: unknown = await login().catch((error: unknown) => error);
      expect(thrown).toMatchObject({ code });
      expect(inspect(thrown, { depth: 10 })).not.toContain('planted');
    }
  });
});

test('what else a secret of its own holds is read without naming it where it cannot be read any more', async () => {
  const vault = new MemoryVault();
  vault.add('planted-name');
  vault.setByHand('planted-name', 'postgres://own:one@db:5432/app');
  const places = { environment: {}, secrets: { vault: memorySecrets(vault) } };
  const offer = await adminLogin({ secret: { store: 'vault', name: 'planted-name', form: 'url' } }, places)();
  vault.put('planted-name', undefined);
  const thrown: unknown = await offer.otherwise?.().catch((error: unknown) => error);
  expect(thrown).toMatchObject({ code: 'not-found' });
  expect(inspect(thrown, { depth: 10 })).not.toContain('planted');
});

test('receivers are opened when they are told, by their names, in the order of the configuration', async () => {
  const receivers = '[{ kind: command, name: second, run: ["false"] }, { kind: command, name: first, run: ["true"] }]';
  const { config } = checkConfig(text.replace('propagation: 1s', `refreshes: ${receivers}`), place.directory);
  if (!config) throw new Error('the configuration is wrong');
  const host = { world: systemWorld(), environment: { PATH: '/usr/bin:/bin' } };
  const audit = { record: async () => ({ run: 'heard', n: 0, hash: '', at: place.world.now() }) };
  const rest = {
    state: memoryObjects(),
    audit,
    notify: async () => undefined,
    actor: 'anna',
    fingerprintKey: undefined,
  };
  const deps = rotationDeps({ ...host, config, drivers, secrets: {}, ...rest }).get('first');
  expect(deps?.plan.refreshes).toEqual(['second', 'first']);
  const news = { credential: 'first', rotation: 'r-1', secrets: [] };
  await deps?.refreshes?.['first']?.poke(news);
  await expect(deps?.refreshes?.['second']?.poke(news)).rejects.toMatchObject({ code: 'rejected' });
});
