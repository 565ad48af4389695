import pg from 'pg';
import { z } from 'zod';
import type { Sealed } from '../../../shared/base/sealed.ts';
import { Sealed as SealedValue } from '../../../shared/base/sealed.ts';
import type { ObjectStore } from '../../../shared/objects/contract.ts';
import type { SecretStore } from '../../../shared/secrets/contract.ts';
import type { Call, Calls } from './record-calls.ts';

/** Where recorded calls are made again: stores that stand as the others did when the recording began. */
export interface BarePlace {
  readonly state: ObjectStore;
  readonly log: ObjectStore;
  readonly secrets: SecretStore;
}

/** Makes the calls of one credential again, one after the other, with nothing around them. */
export async function callBare(calls: Calls, place: BarePlace): Promise<void> {
  const bare = new Bare(place);
  for (const call of calls) await bare.call(call);
}

const text = z.string();
const bytes = z.instanceof(Uint8Array);
const ids = z.array(z.string()).optional();
const staged = z.object({ rotation: z.string(), id: z.string() });
const sealed = z.custom<Sealed>((value) => value instanceof SealedValue);
const version = z.object({ id: z.string() });

class Bare {
  readonly #place: BarePlace;
  readonly #clients = new Map<number, pg.Client>();
  /** The versions of the objects as they are here. */
  readonly #versions = new Map<string, string>();
  /** The ids of this store by those of the other. */
  readonly #ids = new Map<string, string>();

  constructor(place: BarePlace) {
    this.#place = place;
  }

  async call(call: Call): Promise<void> {
    switch (call.to) {
      case 'connect':
        return await this.#connect(call);
      case 'query':
        return void (await this.#client(call.client).query(call.text, call.values));
      case 'end':
        return await this.#client(call.client).end();
      case 'secrets':
        return await this.#secrets(call);
      default:
        return await this.#objects(call);
    }
  }

  async #connect({ client: number, config, isRefused }: Extract<Call, { readonly to: 'connect' }>): Promise<void> {
    const client = new pg.Client(config);
    client.on('error', () => undefined);
    this.#clients.set(number, client);
    const came = await client.connect().then(
      () => false,
      () => true,
    );
    if (came !== isRefused) throw new Error(`the bare login of ${config.user} was ${came ? '' : 'not '}refused`);
  }

  #client(number: number): pg.Client {
    const client = this.#clients.get(number);
    if (client) return client;
    throw new Error('a statement without a connection');
  }

  async #objects({ to, name, args }: Extract<Call, { readonly to: 'state' | 'log' }>): Promise<void> {
    const store = this.#place[to];
    const key = text.parse(args[0]);
    if (name === 'get') {
      const held = await store.get(key);
      if (held) this.#versions.set(key, held.version);
    } else if (name === 'create' || name === 'replace') {
      const content = bytes.parse(args[1]);
      const answer =
        name === 'create'
          ? await store.create(key, content)
          : await store.replace(key, content, this.#versions.get(key) ?? '');
      if (answer.outcome !== 'done') throw new Error(`the bare ${name} of ${key} answered ${answer.outcome}`);
      this.#versions.set(key, answer.version);
    } else if (name === 'list') for await (const { key: listed } of store.list(key)) text.parse(listed);
    else throw new Error(`${name} was not expected`);
  }

  async #secrets({ name, args, answer }: Extract<Call, { readonly to: 'secrets' }>): Promise<void> {
    const { secrets } = this.#place;
    const secret = text.parse(args[0]);
    const here = (id: string): string => this.#ids.get(id) ?? id;
    switch (name) {
      case 'read':
        return void (await secrets.read(secret, ids.parse(args[1])?.map(here)));
      case 'stage':
        return this.#learn(answer, await secrets.stage(secret, text.parse(args[1]), sealed.parse(args[2])));
      case 'promote': {
        const { rotation, id } = staged.parse(args[1]);
        const from = args[2] === undefined ? undefined : here(text.parse(args[2]));
        return this.#learn(answer, await secrets.promote(secret, { rotation, id: here(id) }, from));
      }
      case 'abandon':
        return await secrets.abandon(secret, text.parse(args[1]));
      case 'retire':
        return await secrets.retire(secret, here(text.parse(args[1])));
    }
  }

  #learn(there: unknown, { id }: { readonly id: string }): void {
    this.#ids.set(version.parse(there).id, id);
  }
}
