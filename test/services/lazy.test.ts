import { expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import type { Service } from '../../shared/services/contract.ts';
import { lazyService } from '../../shared/services/lazy.ts';
import { MemoryHost, memoryService } from '../../shared/services/memory.ts';
import { serviceSuite } from '../conformance/service.ts';
import { testWorld } from '../world.ts';

const first = { slot: 'app_a', value: new Sealed('initial-value-0123456789') };

function openHost(): MemoryHost {
  const host = new MemoryHost({ strategy: 'alternating', slots: ['app_a', 'app_b'], world: testWorld() });
  host.setByHand('app_a', first.value.open());
  return host;
}

/** Every method, called once. */
function calls(service: Service): readonly (() => Promise<unknown>)[] {
  const free = async () => undefined;
  return [
    () => service.describe(),
    () => service.change(first, undefined, free),
    () => service.accepts(first),
    () => service.sessions('app_a'),
    () => service.retire('app_a', first, free),
  ];
}

serviceSuite('a lazy service', async () => {
  const [host, gone] = [openHost(), openHost()];
  gone.isUp = false;
  const lazy = (on: MemoryHost) => lazyService(async () => memoryService(on));
  return {
    first: lazy(host),
    second: lazy(host),
    down: lazy(gone),
    initial: first,
    target: 'app_b',
    logsIn: async ({ slot, value }) => host.clientLogsIn(slot, value.open()),
    async hold({ slot, value }) {
      const session = host.openSession(slot, value.open(), '10.0.0.7');
      if (!session) throw new Error(`${slot} is refused`);
      return { isOpen: async () => session.isOpen(), close: async () => session.close() };
    },
    silence: async (endpoint, isSilent) => host.setUp(endpoint, !isSilent),
    loseFirst: async () => host.lock.loseHolder(),
    close: async () => undefined,
  };
});

test('it is opened by the first call, whichever it is, and once, also by calls at the same time', async () => {
  for (let at = 0; at < 5; at += 1) {
    let openings = 0;
    const service = lazyService(async () => {
      openings += 1;
      return memoryService(openHost());
    });
    expect(openings).toBe(0);
    await calls(service)[at]?.();
    expect(openings).toBe(1);
    await Promise.all(calls(service).map((call) => call()));
    expect(openings).toBe(1);
  }
});

test('an opening that fails is thrown by every method, and tried again by the next call', async () => {
  let openings = 0;
  const service = lazyService(async () => {
    openings += 1;
    if (openings <= 5) throw new LockkeeperError('denied', 'the admin password cannot be read');
    return memoryService(openHost());
  });
  for (const call of calls(service)) await expect(call()).rejects.toMatchObject({ code: 'denied' });
  expect(openings).toBe(5);
  await Promise.all(calls(service).map((call) => call()));
  expect(openings).toBe(6);
});

test('calls at the same time share one opening that fails; it does not spoil the next one', async () => {
  let openings = 0;
  const service = lazyService(async () => {
    openings += 1;
    if (openings === 1) throw new LockkeeperError('unreachable', 'no route to the store');
    return memoryService(openHost());
  });
  const results = await Promise.allSettled(calls(service).map((call) => call()));
  expect(results.map(({ status }) => status)).toEqual(Array(5).fill('rejected'));
  expect(openings).toBe(1);
  expect(await service.accepts(first)).toMatchObject([{ answer: 'accepted' }]);
  expect(openings).toBe(2);
});

test('what nobody foresaw in an opening has a code too, thrown at once or later', async () => {
  const open: readonly (() => Promise<Service>)[] = [
    () => {
      throw new TypeError('x is not a function');
    },
    async () => Promise.reject(new TypeError('x is not a function')),
  ];
  for (const one of open)
    await expect(lazyService(one).accepts(first)).rejects.toMatchObject({ code: 'bug', message: /not a function/ });
});

test('what the service throws once it is open is its own, and does not open it again', async () => {
  let openings = 0;
  const host = openHost();
  host.policy = () => 'too plain';
  const service = lazyService(async () => {
    openings += 1;
    return memoryService(host);
  });
  for (let times = 0; times < 2; times += 1)
    await expect(service.change(first, undefined, async () => undefined)).rejects.toMatchObject({ code: 'rejected' });
  expect(openings).toBe(1);
});
