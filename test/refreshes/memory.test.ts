import { expect, test } from '@jest/globals';
import { after } from '../../shared/base/time.ts';
import { MemoryReceiver, memoryRefresh, type MemoryRefreshFault } from '../../shared/refreshes/memory.ts';
import { news, refreshSuite, type Manner } from '../conformance/refresh.ts';
import { PlantedSecret } from '../planted-secret.ts';
import { testWorld } from '../world.ts';

const faults: Readonly<Record<Manner, MemoryRefreshFault | undefined>> = {
  well: undefined,
  refuses: 'rejected',
  silent: 'unreachable',
  loses: 'lost',
};

refreshSuite('memory', async () => {
  const receiver = new MemoryReceiver();
  return {
    one: memoryRefresh(receiver),
    two: memoryRefresh(receiver, testWorld()),
    hasty: memoryRefresh(receiver),
    ending(inMs) {
      const world = testWorld();
      world.setDeadline(after(world.now(), inMs));
      return memoryRefresh(receiver, world);
    },
    observe: async () => receiver.state.seen,
    async behave(manner) {
      const fault = faults[manner];
      receiver.restore({
        ...receiver.state,
        faults: fault === undefined ? [] : Array.from({ length: 9 }, () => fault),
      });
    },
    planted: new PlantedSecret(),
    sent: async () => receiver.state.seen,
    close: async () => {},
  };
});

test.each<[MemoryRefreshFault, string, number]>([
  ['rejected', 'rejected', 0],
  ['denied', 'denied', 0],
  ['throttled', 'throttled', 0],
  ['unreachable', 'unreachable', 0],
  ['unsure', 'uncertain', 0],
  ['lost', 'uncertain', 1],
])('a receiver made to fail by %s is %s, once, and saw %i messages', async (fault, code, seen) => {
  const receiver = new MemoryReceiver();
  receiver.fail(fault);
  await expect(memoryRefresh(receiver).poke(news('db', 'r-1'))).rejects.toMatchObject({ code });
  expect(receiver.state.seen).toHaveLength(seen);
  await memoryRefresh(receiver).poke(news('db', 'r-1'));
  expect(receiver.state).toEqual({ seen: Array.from({ length: seen + 1 }, () => news('db', 'r-1')), faults: [] });
});

test('its state is plain data that stays as it was, and everything is as it was once it is restored', async () => {
  const receiver = new MemoryReceiver();
  const refresh = memoryRefresh(receiver);
  receiver.fail('lost', 'denied');
  const before = receiver.state;
  const copy = structuredClone(before);
  for (const branch of [1, 2]) {
    await expect(refresh.poke(news('db', `r-${branch}`))).rejects.toMatchObject({ code: 'uncertain' });
    await expect(refresh.poke(news('db', `r-${branch}`))).rejects.toMatchObject({ code: 'denied' });
    await refresh.poke(news('db', `r-${branch}`));
    expect(receiver.state.seen.map(({ rotation }) => rotation)).toEqual([`r-${branch}`, `r-${branch}`]);
    expect(before).toEqual(copy);
    receiver.restore(before);
  }
});
