import { Sealed } from '../../shared/base/sealed.ts';
import type { Fence, ServiceDescription, Strategy, ValueKind } from '../../shared/services/contract.ts';
import { MemoryHost, memoryService } from '../../shared/services/memory.ts';
import { serviceSuite, type ServicePlace } from '../conformance/service.ts';
import { drawnKey } from '../conformance/service-harness.ts';
import { memoryTextRule } from '../../shared/services/memory-value.ts';
import { testWorld } from '../world.ts';

interface Kind {
  readonly strategy: Strategy;
  readonly capacity: number;
  readonly fence: Fence;
  readonly fleet: 'alone' | 'shared' | 'each';
  readonly sessionsSeen: ServiceDescription['sessionsSeen'];
  readonly value: ValueKind['kind'];
}

const strategies = [
  ['alternating', 1],
  ['additive', Infinity],
  ['additive', 2],
  ['additive', 3],
  ['replacing', 1],
  ['single', 1],
] as const;

/**
 * Every strategy and capacity under every fence in a shared fleet and in one where each endpoint is changed; one endpoint
 * alone, ways to see sessions and kinds of values take turns.
 */
const kinds: readonly Kind[] = strategies.flatMap(([strategy, capacity], first) =>
  (['lock', 'exact', 'none'] as const).flatMap((fence, second) =>
    (fence === 'lock' ? (['shared', 'each', 'alone'] as const) : (['shared', 'each'] as const)).map((fleet, third) => {
      const turn = first + second + third;
      const ways = strategy === 'alternating' ? (['exact', 'marked', 'none'] as const) : (['marked', 'none'] as const);
      const sessionsSeen = ways[turn % ways.length] ?? 'none';
      const value = (['text', 'key-pair', 'issued'] as const)[turn % 3] ?? 'text';
      return { strategy, capacity, fence, fleet, sessionsSeen, value };
    }),
  ),
);

for (const kind of kinds) serviceSuite(`memory (${Object.values(kind).join(', ')})`, async () => open(kind));

const firstKey = drawnKey();

function open({ strategy, capacity, fence, fleet, sessionsSeen, value }: Kind): ServicePlace {
  const slots = strategy === 'alternating' ? ['app_a', 'app_b'] : ['app_a'];
  const made = () =>
    new MemoryHost({
      strategy,
      slots,
      capacity,
      fence,
      sessionsSeen,
      world: testWorld(),
      endpoints: fleet === 'alone' ? ['one'] : ['one', 'two', 'three'],
      fleet: fleet === 'alone' ? 'shared' : fleet,
      value: value === 'text' ? { kind: value, rule: memoryTextRule } : { kind: value },
      encrypted: fence === 'exact',
    });
  const host = made();
  const gone = made();
  gone.isUp = false;
  const first = value === 'key-pair' ? firstKey : 'initial-value-0123456789';
  host.setByHand('app_a', first);
  return {
    first: memoryService(host),
    second: memoryService(host),
    down: memoryService(gone),
    initial: { slot: 'app_a', value: new Sealed(first) },
    target: slots.at(-1) ?? '',
    fleet: fleet === 'each' ? 'each' : 'shared',
    logsIn: async (login) => host.clientLogsIn(login.slot, login.value.open()),
    async hold(login) {
      const session = host.openSession(login.slot, login.value.open(), '10.0.0.7');
      if (!session) throw new Error(`${login.slot} is refused`);
      return { isOpen: async () => session.isOpen(), close: async () => session.close() };
    },
    silence: async (endpoint, isSilent) => host.setUp(endpoint, !isSilent),
    ...(fence === 'lock' && { loseFirst: async () => host.lock.loseHolder() }),
    close: async () => undefined,
  };
}
