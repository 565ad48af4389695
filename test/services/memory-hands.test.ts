import { describe, expect, test } from '@jest/globals';
import { fc } from '../properties.ts';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { Sealed } from '../../shared/base/sealed.ts';
import { hour } from '../../shared/base/time.ts';
import type { Login } from '../../shared/services/contract.ts';
import { MemoryHost, memoryService } from '../../shared/services/memory.ts';
import type { MemoryHostOptions } from '../../shared/services/memory-options.ts';
import { exactStep, withOnly, withValue } from '../../shared/services/memory-state.ts';
import { drawnKey, free } from '../conformance/service-harness.ts';
import { PlantedSecret } from '../planted-secret.ts';
import { testWorld } from '../world.ts';

const endpoints = ['one', 'two', 'three'];

function open(options: Partial<MemoryHostOptions> = {}): MemoryHost {
  const host = new MemoryHost({ strategy: 'additive', slots: ['app'], world: testWorld(), endpoints, ...options });
  host.setByHand('app', 'old');
  return host;
}

function login(value: string): Login {
  return { slot: 'app', value: new Sealed(value) };
}

function otherKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** How the endpoints answer to a value, in order: y, n or - where silent. */
async function answers(host: MemoryHost, value: string): Promise<string> {
  const letters = { accepted: 'y', refused: 'n', 'no-answer': '-' } as const;
  return (await memoryService(host).accepts(login(value))).map(({ answer }) => letters[answer]).join('');
}

describe('a fleet in memory', () => {
  test('an endpoint that lags shows what was valid before, until it catches up', async () => {
    for (const fleet of ['shared', 'each'] as const) {
      const host = open({ fleet, strategy: 'single' });
      host.lag('two');
      await memoryService(host).change(login('new'), undefined, free);
      expect([await answers(host, 'old'), await answers(host, 'new')]).toEqual(['nyn', 'yny']);
      host.catchUp('two');
      expect([await answers(host, 'old'), await answers(host, 'new')]).toEqual(['nnn', 'yyy']);
    }
  });

  test('an endpoint of a shared fleet that was silent comes back as it was and then catches up', async () => {
    const host = open();
    host.setUp('three', false);
    const results = await memoryService(host).change(login('new'), login('old'), free);
    expect(results).toEqual([{ endpoint: 'one', error: undefined }]);
    expect(await answers(host, 'new')).toBe('yy-');
    host.setUp('three', true);
    expect(await answers(host, 'new')).toBe('yyn');
    host.catchUp();
    expect(await answers(host, 'new')).toBe('yyy');
  });

  test('a shared fleet whose first endpoint is silent takes no change, and the others answer', async () => {
    const host = open();
    host.setUp('one', false);
    await expect(memoryService(host).change(login('new'), login('old'), free)).rejects.toMatchObject({
      code: 'unreachable',
    });
    expect(await answers(host, 'old')).toBe('-yy');
  });

  test('where each endpoint is changed, one that was silent never follows by itself; its result names it', async () => {
    const host = open({ fleet: 'each' });
    host.setUp('two', false);
    const results = await memoryService(host).change(login('new'), login('old'), free);
    expect(results.map(({ error }) => error?.code)).toEqual([undefined, 'unreachable', undefined]);
    host.setUp('two', true);
    host.catchUp();
    expect(await answers(host, 'new')).toBe('yny');
  });

  test('a refused login is counted at the endpoint that refused it, and looking is no login', async () => {
    const host = open();
    host.setByHand('app', 'other', 'two');
    host.holds('app', 'wrong');
    host.clientLogsIn('app', 'wrong');
    expect([...host.failedLogins]).toEqual([]);
    await answers(host, 'old');
    expect(host.state.failedLogins).toEqual({ two: { app: 1 } });
    await answers(host, 'wrong');
    expect([...host.failedLogins]).toEqual([['app', 2]]);
  });

  test('an endpoint is reset alone by hand, and comes back with an old state', async () => {
    const host = open({ fleet: 'each' });
    const before = host.state;
    host.setByHand('app', 'other', 'two');
    expect([await answers(host, 'old'), await answers(host, 'other')]).toEqual(['yny', 'nyn']);
    expect([host.holds('app', 'old'), host.holds('app', 'old', 'one')]).toEqual([false, true]);
    expect([host.holdsSomewhere('app', 'other'), host.holdsSomewhere('app', 'none')]).toEqual([true, false]);
    const service = memoryService(host);
    await service.change(login('new'), login('old'), free);
    await service.retire('app', login('new'), free);
    host.putBack('three', before);
    expect([await answers(host, 'old'), await answers(host, 'new')]).toEqual(['nny', 'yyn']);
  });

  test('a value that was added by hand at one endpoint is counted', async () => {
    const host = open();
    host.addByHand('app', 'forgotten', 'two');
    expect((await memoryService(host).describe()).holds).toEqual({ app: 2 });
    expect([host.count('app'), host.count('app', 'one')]).toEqual([2, 1]);
  });

  test('ended sessions are ended everywhere; an endpoint where they may live on is named', async () => {
    for (const fleet of ['shared', 'each'] as const) {
      const host = open({ fleet });
      const held = endpoints.map((name) => host.openSession('app', 'old', { peer: '10.0.0.7', endpoint: name }));
      host.setUp('three', false);
      const results = await memoryService(host).retire('app', undefined, free, { endSessions: true });
      expect(held.map((session) => session?.isOpen())).toEqual([false, false, true]);
      expect(results.map(({ endpoint, error }) => [endpoint, error?.code])).toEqual([
        ['one', undefined],
        ['two', undefined],
        ['three', 'unreachable'],
      ]);
    }
  });
});

test('clients of a replacing service get in with any value that was not retired, if one is shown at all', async () => {
  const host = open({ strategy: 'replacing', fleet: 'each' });
  const service = memoryService(host);
  const lets = () => ['old', 'new', 'never'].map((value) => host.clientLogsIn('app', value));
  expect(lets()).toEqual([true, false, false]);
  host.setUp('three', false);
  await service.change(login('new'), login('old'), free);
  host.setUp('three', true);
  expect(lets()).toEqual([true, true, false]);
  await service.change(login('new'), login('old'), free);
  await service.retire('app', login('new'), free);
  expect(lets()).toEqual([false, true, false]);
  await service.retire('app', undefined, free);
  expect(lets()).toEqual([false, false, false]);
});

test('a key-pair logs in by its private key; what is no such key is refused and never taken', async () => {
  const [first, second] = [drawnKey(), drawnKey()];
  const options = { strategy: 'additive', slots: ['app'], world: testWorld(), value: { kind: 'key-pair' } } as const;
  const host = new MemoryHost(options);
  host.setByHand('app', first);
  const publicHalf = createPublicKey(first).export({ type: 'spki', format: 'pem' }).toString();
  const [other, broken] = [otherKey(), `${first.slice(0, 60)}\n-----END PRIVATE KEY-----\n`];
  expect(await answers(host, first)).toBe('y');
  for (const value of [second, publicHalf, other, broken, 'no key', '']) expect(await answers(host, value)).toBe('n');
  for (const value of [publicHalf, other, broken, 'no key', '']) {
    const thrown: unknown = await memoryService(host)
      .change(login(value), login(first), free)
      .catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: 'rejected' });
    if (value.length > 0) new PlantedSecret(value).search('what came', thrown).expectNowhere();
  }
  await memoryService(host).change(login(second), login(first), free);
  expect(await answers(host, second)).toBe('y');
});

test('a lock that does not wait answers conflict at once; restoring sets it free and stops who held it', async () => {
  const host = open({ lockWaits: false });
  const service = memoryService(host);
  const { state } = host;
  const outer = service.change(login('new'), login('old'), async () => {
    await expect(service.change(login('other'), login('old'), free)).rejects.toMatchObject({ code: 'conflict' });
    host.restore(state);
    await service.change(login('third'), login('old'), free);
  });
  await expect(outer).rejects.toMatchObject({ code: 'conflict' });
  expect(['old', 'new', 'third'].map((value) => host.holds('app', value))).toEqual([true, false, true]);
});

test('it tells its own time, how many values and which mark only where it was told to', async () => {
  const world = testWorld();
  const service = memoryService(open({ world }));
  world.pass(hour);
  expect(await service.describe()).toMatchObject({ clock: world.now(), holds: { app: 1 }, mark: '0' });
  const silent = memoryService(open({ clock: false, counts: false, sessionsSeen: 'none' }));
  expect(await silent.describe()).toMatchObject({ clock: undefined, holds: {}, mark: undefined });
});

describe('states', () => {
  const values = ['old', 'v1', 'v2', 'v3'];
  const step = fc.record({
    what: fc.constantFrom('change', 'retire', 'hand', 'silent', 'lag', 'back', 'session', 'logIn', 'catchUp'),
    value: fc.constantFrom(...values),
    endpoint: fc.constantFrom(...endpoints),
  });
  const service = fc.record({
    strategy: fc.constantFrom('additive' as const, 'replacing' as const, 'single' as const),
    fleet: fc.constantFrom('shared' as const, 'each' as const),
    fence: fc.constantFrom('lock' as const, 'exact' as const, 'none' as const),
  });

  async function run(host: MemoryHost, steps: readonly { what: string; value: string; endpoint: string }[]) {
    const driver = memoryService(host);
    const came: unknown[] = [];
    for (const { what, value, endpoint } of steps) {
      if (what === 'change') came.push(await driver.change(login(value), login('old'), free).catch(String));
      if (what === 'retire') came.push(await driver.retire('app', login(value), free).catch(String));
      if (what === 'hand') host.setByHand('app', value, endpoint);
      if (what === 'silent') host.setUp(endpoint, false);
      if (what === 'back') host.setUp(endpoint, true);
      if (what === 'lag') host.lag(endpoint);
      if (what === 'catchUp') host.catchUp(endpoint);
      if (what === 'logIn') came.push(await answers(host, value));
      if (what === 'session' && host.clientLogsIn('app', value)) {
        host.setUp(endpoint, true);
        came.push(host.openSession('app', value, { peer: '10.0.0.7', endpoint })?.isOpen());
      }
    }
    return came;
  }

  test('going back to a state and doing the same gives the same; a state never alters, and is plain', async () => {
    const steps = fc.array(step, { maxLength: 15 });
    await fc.assert(
      fc.asyncProperty(service, steps, steps, async (options, before, later) => {
        const host = open(options);
        await run(host, before);
        const { state } = host;
        const text = JSON.stringify(state);
        expect(structuredClone(state)).toEqual(state);
        const came = await run(host, later);
        const after = host.state;
        expect(JSON.stringify(state)).toBe(text);
        host.restore(state);
        expect(await run(host, later)).toEqual(came);
        expect(host.state).toEqual(after);
        for (const value of values) expect(text).not.toContain(`"${value}"`);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the values of a slot', () => {
  const digests = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 6 });
  const digest = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const capacity = fc.constantFrom(1, 2, 3, Infinity);

  test('a new value is among them; keep is lost only where one is the most; nothing goes without need', () => {
    fc.assert(
      fc.property(digests, digest, digest, capacity, (all, fresh, keep, most) => {
        const values = all.slice(0, Math.min(most, all.length));
        const next = withValue(values, fresh, { keep, capacity: most });
        expect(next).toContain(fresh);
        expect(next.length).toBeLessThanOrEqual(most);
        expect(most === 1 || !values.includes(keep) || next.includes(keep)).toBe(true);
        const isRoom = new Set([...values, fresh]).size <= most;
        expect(without([...values, fresh], next).length === 0).toBe(isRoom);
        expect(without(next, [...values, fresh])).toEqual([]);
        expect(withValue(next, fresh, { keep, capacity: most })).toEqual(next);
      }),
    );
  });

  test('an exact step touches nothing but what it read: all that came later stays', () => {
    fc.assert(
      fc.property(digests, digests, digest, capacity, (before, now, one, most) => {
        const read = before.slice(0, Math.min(most, before.length));
        const isChange = now.length % 2 === 0;
        const wanted = isChange
          ? withValue(read, one, { keep: read[0], capacity: most })
          : withOnly(read, read.at(-1), most);
        const next = exactStep(now, { read, wanted, fresh: isChange ? one : undefined }, most);
        const later = without(now, read);
        // It gives up only a change for which something that came later left no room.
        expect(next !== undefined || (isChange && later.length > 0 && now.length >= most)).toBe(true);
        if (next === undefined) return;
        expect(without(later, next)).toEqual([]);
        expect(next.includes(one) || !isChange).toBe(true);
        expect(without(next, isChange ? [...now, one] : now)).toEqual([]);
        expect(without(next, [...wanted, ...later])).toEqual([]);
      }),
    );
  });
});

function without(values: readonly string[], others: readonly string[]): readonly string[] {
  return values.filter((value) => !others.includes(value));
}
