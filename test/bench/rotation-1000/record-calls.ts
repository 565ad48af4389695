import { AsyncLocalStorage } from 'node:async_hooks';
import pg from 'pg';
import type { ObjectStore } from '../../../shared/objects/contract.ts';
import type { RotationDeps } from '../../../shared/rotation/plan.ts';
import type { SecretStore } from '../../../shared/secrets/contract.ts';

/** One call as it was made while credentials were rotated. */
export type Call =
  | { readonly to: 'connect'; readonly client: number; readonly config: pg.ClientConfig; isRefused: boolean }
  | { readonly to: 'query'; readonly client: number; readonly text: string; readonly values: unknown[] | undefined }
  | { readonly to: 'end'; readonly client: number }
  | { readonly to: 'state' | 'log'; readonly name: keyof ObjectStore; readonly args: readonly unknown[] }
  | {
      readonly to: 'secrets';
      readonly name: 'read' | 'stage' | 'promote' | 'abandon' | 'retire';
      readonly args: readonly unknown[];
      answer: unknown;
    };

/** The calls of one credential, in the order in which they were made. */
export type Calls = Call[];

const current = new AsyncLocalStorage<Calls>();
let clients = 0;

/** Notes every connection and statement of pg from here on, where it is made for a credential. */
export function recordPostgres(): { stop(): void } {
  const { connect, query, end } = pg.Client.prototype;
  const numbers = new WeakMap<object, number>();
  const patched = {
    connect(this: pg.Client) {
      clients += 1;
      numbers.set(this, clients);
      const call: Call = { to: 'connect', client: clients, config: configOf(this), isRefused: false };
      current.getStore()?.push(call);
      const connecting: Promise<void> = Reflect.apply(connect, this, []);
      return connecting.catch((thrown: unknown) => {
        call.isRefused = true;
        throw thrown;
      });
    },
    query(this: pg.Client, text: string, values?: unknown[]): unknown {
      current.getStore()?.push({ to: 'query', client: numbers.get(this) ?? 0, text, values });
      return Reflect.apply(query, this, values ? [text, values] : [text]);
    },
    end(this: pg.Client): unknown {
      current.getStore()?.push({ to: 'end', client: numbers.get(this) ?? 0 });
      return Reflect.apply(end, this, []);
    },
  };
  Object.assign(pg.Client.prototype, patched);
  return { stop: () => void Object.assign(pg.Client.prototype, { connect, query, end }) };
}

function configOf(client: pg.Client): pg.ClientConfig {
  const parameters: unknown = Reflect.get(client, 'connectionParameters');
  const of = (name: string): string => {
    const value: unknown = typeof parameters === 'object' && parameters ? Reflect.get(parameters, name) : undefined;
    return typeof value === 'string' ? value : '';
  };
  const { host, port, user = '', database = '', password } = client;
  if (typeof password !== 'string') throw new Error('the client has no password');
  return { host, port, user, database, password, options: of('options'), application_name: of('application_name') };
}

/** The same dependencies, whose calls are noted in `calls`. */
export function recordedDeps(deps: RotationDeps, calls: Calls): RotationDeps {
  const within = <T extends object>(target: T): T => eachCall(target, (_, __, call) => current.run(calls, call));
  return {
    ...deps,
    service: within(deps.service),
    audit: within(deps.audit),
    state: recordedObjects(deps.state, 'state', () => calls),
    stores: Object.fromEntries(Object.entries(deps.stores).map(([name, one]) => [name, recordedSecrets(one, calls)])),
  };
}

/** An object store whose calls are noted with the credential for which they are made. */
export function recordedObjects(
  store: ObjectStore,
  to: 'state' | 'log',
  calls: () => Calls | undefined = () => current.getStore(),
): ObjectStore {
  return eachCall(store, (name, args, call) => {
    calls()?.push({ to, name, args });
    return call();
  });
}

function recordedSecrets(store: SecretStore, calls: Calls): SecretStore {
  return eachCall(store, (name, args, call) => {
    if (name === 'writes' || name === 'settlesMs') return call();
    const noted: Extract<Call, { readonly to: 'secrets' }> = { to: 'secrets', name, args, answer: undefined };
    calls.push(noted);
    const answer = call();
    if (answer instanceof Promise)
      answer.then(
        (value: unknown) => (noted.answer = value),
        () => undefined,
      );
    return answer;
  });
}

/** `target`, with `around` instead of each call of a method. */
function eachCall<T extends object>(
  target: T,
  around: (name: keyof T, args: readonly unknown[], call: () => unknown) => unknown,
): T {
  const names = Object.keys(target).filter((name): name is keyof T & string => name in target);
  const made = names.map((name) => {
    const member: unknown = target[name];
    if (typeof member !== 'function') return [name, member];
    return [name, (...args: unknown[]) => around(name, args, () => Reflect.apply(member, target, args))];
  });
  return { ...target, ...Object.fromEntries(made) };
}
