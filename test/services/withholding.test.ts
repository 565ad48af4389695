import { expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { OurValues } from '../../shared/base/our-values.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { instant } from '../../shared/base/time.ts';
import { MemoryHost, memoryService } from '../../shared/services/memory.ts';
import type { EndpointResult, Service } from '../../shared/services/contract.ts';
import { withholding } from '../../shared/services/withholding.ts';
import { PlantedSecret } from '../planted-secret.ts';
import { testWorld } from '../world.ts';

const admin = 'adm1n-password-of-ours-0123456789';
const value = 'v4lue-of-a-consumer-0123456789-xyz';
const kept = 'k3pt-value-of-a-consumer-987654321';
const login = { slot: 'app_a', value: new Sealed(value) };
const keep = { slot: 'app_a', value: new Sealed(kept) };
const free = async () => undefined;
const texts = [`${admin} and ${value} and ${kept}`, Buffer.from(value).toString('base64'), `the table "${kept}"`];

const ways: readonly (readonly [how: string, make: (text: string) => Service])[] = [
  ['throws', throwing],
  ['answers', answering],
];

test.each(ways)('whatever a driver %s, no value that it was given comes out', async (_, make) => {
  for (const text of texts) {
    const service = withholding(make(text), new OurValues([new Sealed(admin)]));
    const planted = [admin, value, kept].map((one) => new PlantedSecret(one));
    const calls = [
      () => service.accepts(login),
      () => service.change(login, keep, free),
      () => service.retire('app_a', keep, free),
      () => service.describe(),
      () => service.sessions('app_a'),
    ];
    for (const call of calls) {
      const came: unknown = await call().catch((thrown: unknown) => thrown);
      for (const one of planted) one.search('what came', came);
    }
    for (const one of planted) expect(() => one.expectNowhere()).not.toThrow();
  }
});

test('the value to keep is withheld from the first call that names it', async () => {
  for (const call of [
    (service: Service) => service.change(login, keep, free),
    (service: Service) => service.retire('app_a', keep, free),
  ]) {
    const planted = new PlantedSecret(kept);
    const came: unknown = await call(withholding(throwing(kept), new OurValues())).catch((thrown: unknown) => thrown);
    expect(came).toMatchObject({ code: 'rejected' });
    planted.search('what came', came).expectNowhere();
  }
});

test('errors keep their code, and what holds no value of ours comes through as it is', async () => {
  const driver = answering('pg_hba.conf rejects it');
  const service = withholding(driver, new OurValues([new Sealed(admin)]));
  const guard = free;
  expect(await service.describe()).toEqual(await driver.describe());
  expect(await service.accepts(login)).toEqual(await driver.accepts(login));
  expect(await service.change(login, keep, guard)).toEqual(await driver.change(login, keep, guard));
  expect(await service.retire('app_a', keep, guard)).toEqual(await driver.retire('app_a', keep, guard));
  expect(await service.sessions('app_a', '7')).toEqual(await driver.sessions('app_a', '7'));
  const [, other] = await withholding(answering(value), new OurValues()).change(login, keep, guard);
  expect(other?.error).toMatchObject({ code: 'rejected' });
});

test('every argument reaches the driver', async () => {
  const heard: unknown[] = [];
  const note =
    <T>(answer: T) =>
    async (...given: readonly unknown[]) => {
      heard.push(given);
      return answer;
    };
  const results: readonly EndpointResult[] = [];
  const driver: Service = {
    ...answering('x'),
    change: note(results),
    retire: note(results),
    sessions: note([]),
  };
  const service = withholding(driver, new OurValues());
  await service.change(login, keep, free);
  await service.retire('app_a', keep, free, { endSessions: true });
  await service.sessions('app_a', '7');
  expect(heard).toEqual([
    [login, keep, free],
    ['app_a', keep, free, { endSessions: true }],
    ['app_a', '7'],
  ]);
});

function quiet(text: string): Service {
  const host = new MemoryHost({
    strategy: 'additive',
    slots: ['app_a'],
    world: testWorld('2026-10-01T00:00:00Z', 'w'),
  });
  host.problems = [`in the way: ${text}`];
  host.risks = [`a risk: ${text}`];
  host.fixes = [`ALTER TABLE "${text}" OWNER TO app`];
  return memoryService(host);
}

function error(text: string): LockkeeperError {
  const cause = Object.assign(new Error(text), { detail: text });
  return new LockkeeperError('rejected', `changing app_a: ${text}`, { hint: text, cause });
}

/** A driver on a service that repeats `text` in what it throws. */
function throwing(text: string): Service {
  const angry = async () => {
    throw error(text);
  };
  return { ...quiet(text), change: angry, accepts: angry, retire: angry, sessions: angry };
}

/** A driver on a service that repeats `text` in what it answers. */
function answering(text: string): Service {
  const results: readonly EndpointResult[] = [
    { endpoint: 'one', error: undefined },
    { endpoint: 'two', error: error(text) },
  ];
  return {
    ...quiet(text),
    change: async () => results,
    retire: async () => results,
    accepts: async () => [
      { endpoint: 'one', answer: 'accepted', encrypted: true, unfit: `it is ${text} there` },
      { endpoint: 'two', answer: 'no-answer', encrypted: false, error: error(text) },
    ],
    sessions: async (slot) => [{ slot, peer: `10.0.0.1 (${text})`, since: instant(0) }],
  };
}
