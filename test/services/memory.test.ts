import { Sealed } from '../../shared/base/sealed.ts';
import type { Strategy } from '../../shared/services/contract.ts';
import { MemoryHost, memoryService } from '../../shared/services/memory.ts';
import { serviceSuite, type ServicePlace } from '../conformance/service.ts';
import { testWorld } from '../world.ts';

for (const strategy of ['alternating', 'additive', 'single'] as const)
  serviceSuite(`memory (${strategy})`, async () => open(strategy));

function open(strategy: Strategy): ServicePlace {
  const world = testWorld();
  const slots = strategy === 'alternating' ? ['app_a', 'app_b'] : ['app_a'];
  const host = new MemoryHost({ strategy, slots, world });
  const gone = new MemoryHost({ strategy, slots, world });
  gone.isUp = false;
  host.setByHand('app_a', 'initial-value-0123456789');
  return {
    first: memoryService(host),
    second: memoryService(host),
    down: memoryService(gone),
    initial: { slot: 'app_a', value: new Sealed('initial-value-0123456789') },
    target: slots.at(-1) ?? '',
    logsIn: async ({ slot, value }) => host.logIn(slot, value.open()),
    async hold({ slot, value }) {
      const session = host.openSession(slot, value.open(), '10.0.0.7');
      if (!session) throw new Error(`${slot} is refused`);
      return { isOpen: async () => session.isOpen(), close: async () => session.close() };
    },
    close: async () => undefined,
  };
}
