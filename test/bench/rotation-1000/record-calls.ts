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
  const prototype: object = pg.Client.prototype;
  const numbers = new WeakMap<object, number>();
  const noted = (client: object, name: string, args: readonly unknown[]): Call | undefined => {
    const number = numbers.get(client) ?? 0;
    if (name === 'end') return { to: 'end', client: number };
    if (name === 'connect') return { to: 'connect', client: number, config: configOf(client), isRefused: false };
    const [text, values] = args;
    if (typeof text !== 'string') return undefined;
    return {
      to: 'query',
      client: number,
      text,
      values: Array.isArray(values) ? Array.from<unknown>(values) : undefined,
    };
  };
  const before = ['connect', 'query', 'end'].map((name) => {
    const method: unknown = Reflect.get(prototype, name);
    if (typeof method !== 'function') throw new Error(`pg has no ${name}`);
    const patched = function patched(this: object, ...args: unknown[]): unknown {
      if (name === 'connect') numbers.set(this, (clients += 1));
      const call = noted(this, name, args);
      if (call) current.getStore()?.push(call);
      const answer: unknown = Reflect.apply(method, this, args);
      if (answer instanceof Promise && call?.to === 'connect')
        answer.then(
          () => undefined,
          () => (call.isRefused = true),
        );
      return answer;
    };
    Reflect.set(prototype, name, patched);
    return { name, method };
  });
  return { stop: () => before.forEach(({ name, method }) => Reflect.set(prototype, name, method)) };
}

function configOf(client: object): pg.ClientConfig {
  if (!(client instanceof pg.Client)) throw new Error('this is no client');
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
  const made = names.map((name): readonly [string, unknown] => {
    const member: unknown = target[name];
    if (typeof member !== 'function') return [name, member];
    return [name, (...args: unknown[]) => around(name, args, (): unknown => Reflect.apply(member, target, args))];
  });
  return Object.assign({ ...target }, Object.fromEntries<unknown>(made));
}
