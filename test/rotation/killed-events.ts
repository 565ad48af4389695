import type { RotationDeps } from '../../shared/rotation/plan.ts';
import type { Guard } from '../../shared/services/contract.ts';

/** Told of every moment around a call, in order: `service.change before`, `… guard`, `… guarded`, `… after`. */
export type Hit = (moment: string) => void | Promise<void>;

/** The same dependencies, with `hit` awaited before and after every call of any of them, and in the guards. */
export function watched<D extends RotationDeps>(deps: D, hit: Hit): D {
  const around = <T extends object>(target: T, name: string): T => aroundCalls(target, name, hit);
  const all = <T extends object>(some: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(some).map(([name, one]) => [name, around(one, name)]));
  return {
    ...deps,
    service: around(deps.service, 'service'),
    stores: all(deps.stores),
    state: around(deps.state, 'state'),
    audit: around(deps.audit, 'audit'),
    refreshes: all(deps.refreshes ?? {}),
    ...around({ notify: deps.notify }, 'people'),
  };
}

function aroundCalls<T extends object>(target: T, name: string, hit: Hit): T {
  const call = async (member: (...args: readonly unknown[]) => unknown, method: string, args: readonly unknown[]) => {
    await hit(`${method} before`);
    const given = args.map((arg) => (isGuard(arg) ? guarded(arg, method, hit) : arg));
    const answer: unknown = await Reflect.apply(member, target, given);
    await hit(`${method} after`);
    return answer;
  };
  return new Proxy(target, {
    get(object, property) {
      const member: unknown = Reflect.get(object, property);
      if (!isFunction(member)) return member;
      return (...args: readonly unknown[]) => call(member, `${name}.${String(property)}`, args);
    },
    ownKeys: (object) => Reflect.ownKeys(object),
  });
}

/** Inside the guard the service's own lock is held and nothing is committed. */
function guarded(guard: Guard, method: string, hit: Hit): Guard {
  return async () => {
    await hit(`${method} guard`);
    await guard();
    await hit(`${method} guarded`);
  };
}

function isGuard(value: unknown): value is Guard {
  return typeof value === 'function';
}

function isFunction(value: unknown): value is (...args: readonly unknown[]) => unknown {
  return typeof value === 'function';
}
