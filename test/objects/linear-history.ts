import { setImmediate as aMoment, setTimeout as pause } from 'node:timers/promises';
import { LockkeeperError, type ErrorCode } from '../../shared/base/error.ts';
import type { ObjectStore, ObjectVersion } from '../../shared/objects/contract.ts';
import { isExplained, type Asked, type Call, type Rules } from './linear.ts';

export type Verb = Asked['verb'];

/** A place that several clients use at once while things go wrong. */
export interface RoughPlace extends Rules {
  readonly name: string;
  /** A handle of one client's own, below a prefix of the history's own. */
  open(prefix: string): ObjectStore;
  /** Something goes wrong with one of the next requests of this kind. */
  disturb(verb: Verb, random: () => number): void;
  /** Nothing goes wrong any more. */
  heal(): void;
  close(): Promise<void>;
}

export interface HistoryOptions {
  readonly seed: string;
  readonly random: () => number;
  readonly clients: number;
  readonly keys: number;
  /** Of each client. */
  readonly calls: number;
  /** How many calls of a hundred are disturbed. */
  readonly roughness: number;
}

/** What some clients did, and which keys' answers no order explains. */
export interface HistoryReport {
  readonly calls: number;
  readonly uncertain: number;
  /** Calls that failed with a promise that nothing was written. */
  readonly undone: number;
  readonly violations: readonly string[];
}

const contents = ['a', 'bb', 'ccc'] as const;
const verbs: readonly Verb[] = [
  'get',
  'get',
  'create',
  'create',
  'create',
  'replace',
  'replace',
  'replace',
  'delete',
  'delete',
  'list',
];
const undoneCodes: readonly ErrorCode[] = ['throttled', 'unreachable', 'denied', 'rejected'];

/** Clients do at random what the contract offers, all at once; then, in peace, one looks at what is left. */
export async function history(place: RoughPlace, options: HistoryOptions): Promise<HistoryReport> {
  const clients = new Clients(place, options);
  await Promise.all(Array.from({ length: options.clients }, async (_, client) => await clients.work(client)));
  return await clients.report();
}

class Clients {
  readonly #place: RoughPlace;
  readonly #options: HistoryOptions;
  readonly #calls = new Map<string, Call[]>();
  readonly #versions = new Map<string, ObjectVersion[]>();
  readonly #wrong: string[] = [];
  #moment = 0;
  #undone = 0;

  constructor(place: RoughPlace, options: HistoryOptions) {
    this.#place = place;
    this.#options = options;
    for (let key = 0; key < options.keys; key += 1) this.#calls.set(`k/${key}`, []);
  }

  async work(client: number): Promise<void> {
    const { random, calls, roughness, seed } = this.#options;
    const store = this.#place.open(`${seed}/`);
    for (let i = 0; i < calls; i += 1) {
      const verb = this.#pick(verbs);
      if (random() * 100 < roughness) this.#place.disturb(verb, random);
      await this.#call(store, client, verb);
      await (random() < 0.3 ? pause(random() * 4) : aMoment());
    }
  }

  async report(): Promise<HistoryReport> {
    this.#place.heal();
    const store = this.#place.open(`${this.#options.seed}/`);
    for (const key of this.#calls.keys()) await this.#one(store, -1, { key, verb: 'get' });
    await this.#call(store, -1, 'list');
    const unexplained = [...this.#calls].filter(([, calls]) => !isExplained(calls, this.#place));
    const all = [...this.#calls.values()].flat();
    return {
      calls: all.length,
      uncertain: all.filter(({ came }) => came === 'uncertain').length,
      undone: this.#undone,
      violations: [
        ...this.#wrong,
        ...unexplained.map(
          ([key, calls]) => `${this.#place.name} ${this.#options.seed}/${key}:\n${calls.map(lineOf).join('\n')}`,
        ),
      ],
    };
  }

  async #call(store: ObjectStore, client: number, verb: Verb): Promise<void> {
    if (verb === 'list') await this.#list(store, client);
    else await this.#one(store, client, { key: this.#pick([...this.#calls.keys()]), verb });
  }

  async #one(
    store: ObjectStore,
    client: number,
    { key, verb }: { readonly key: string; readonly verb: Wish['verb'] },
  ): Promise<void> {
    const [called, content, held] = [this.#next(), this.#pick(contents), this.#heldOf(key)];
    const asked = await this.#told(
      async () => await ask(store, key, { verb, content, held }),
      doubtOf({ verb, content, held }),
    );
    if (!asked) return;
    if (typeof asked.came === 'object')
      this.#versions.set(key, [...(this.#versions.get(key) ?? []), asked.came.version]);
    this.#calls.get(key)?.push({ ...asked, client, called, returned: this.#next() });
  }

  async #list(store: ObjectStore, client: number): Promise<void> {
    const called = this.#next();
    const found = await this.#told(() => sizesIn(store));
    if (!found) return;
    const returned = this.#next();
    for (const [key, calls] of this.#calls)
      calls.push({ verb: 'list', came: found.get(key) ?? 'missing', client, called, returned });
    const isInOrder = [...found.keys()].every((key, at, all) => at === 0 || (all[at - 1] ?? '') < key);
    if (!isInOrder || [...found.keys()].some((key) => !this.#calls.has(key)))
      this.#wrong.push(`${this.#place.name}: listed ${[...found.keys()].join(', ')}`);
  }

  /** The answer; `doubt` for an uncertain one; undefined where nothing was done. Another error is wrong in itself. */
  async #told<T>(act: () => Promise<T>, doubt?: T): Promise<T | undefined> {
    try {
      return await act();
    } catch (thrown) {
      const code = thrown instanceof LockkeeperError ? thrown.code : undefined;
      if (code === 'uncertain' && doubt) return doubt;
      if (code !== undefined && undoneCodes.includes(code)) this.#undone += 1;
      else this.#wrong.push(`${this.#place.name}: threw ${String(code)} ${String(thrown)}`);
      return undefined;
    }
  }

  /** Mostly the newest version that anybody was told, else an old one. */
  #heldOf(key: string): ObjectVersion {
    const known = this.#versions.get(key) ?? [];
    return this.#options.random() < 0.7 ? (known.at(-1) ?? 'made-up') : this.#pick([...known, 'made-up']);
  }

  #pick<T>(all: readonly T[]): T {
    const one = all[Math.floor(this.#options.random() * all.length)];
    if (one === undefined) throw new Error('nothing to pick from');
    return one;
  }

  #next(): number {
    this.#moment += 1;
    return this.#moment;
  }
}

interface Wish {
  readonly verb: Exclude<Verb, 'list'>;
  readonly content: string;
  readonly held: ObjectVersion;
}

function doubtOf({ verb, content, held }: Wish): Asked | undefined {
  if (verb === 'get') return undefined;
  if (verb === 'create') return { verb, content, came: 'uncertain' };
  return verb === 'delete' ? { verb, held, came: 'uncertain' } : { verb, content, held, came: 'uncertain' };
}

async function ask(store: ObjectStore, key: string, { verb, content, held }: Wish): Promise<Asked> {
  const bytes = new TextEncoder().encode(content);
  switch (verb) {
    case 'get': {
      const found = await store.get(key);
      return {
        verb,
        came: found ? { content: new TextDecoder().decode(found.bytes), version: found.version } : 'missing',
      };
    }
    case 'create': {
      const answer = await store.create(key, bytes);
      return { verb, content, came: answer.outcome === 'done' ? { version: answer.version } : answer.outcome };
    }
    case 'replace': {
      const answer = await store.replace(key, bytes, held);
      return { verb, content, held, came: answer.outcome === 'done' ? { version: answer.version } : answer.outcome };
    }
    case 'delete':
      return { verb, held, came: (await store.delete(key, held)).outcome };
  }
}

async function sizesIn(store: ObjectStore): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for await (const { key, size } of store.list('k/')) {
    if (found.has(key)) throw new Error(`${key} is listed twice`);
    found.set(key, size);
  }
  return found;
}

function lineOf(call: Call): string {
  const { client, called, returned, verb, came } = call;
  const what = [verb, 'content' in call ? call.content : '', 'held' in call ? `held ${call.held}` : '']
    .filter((word) => word !== '')
    .join(' ');
  return `  ${called}–${returned} client ${client}: ${what}: ${typeof came === 'object' ? JSON.stringify(came) : came}`;
}
