import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { Sealed } from '../../shared/base/sealed.ts';
import { KeptObjects, resource, type BucketRules, type KeptGeneration } from './gcp-storage-state.ts';
import {
  bodyOf,
  cut,
  notImitated,
  parameters,
  parseUpload,
  Refusal,
  sendBytes,
  sendJson,
  sendRefusal,
  type Upload,
} from './gcp-storage-wire.ts';
import { listenOnLoopback, type Loopback } from './loopback.ts';

/** What a request does. `stat` reads the metadata of one object. */
export type GcpRequest = 'write' | 'read' | 'stat' | 'delete' | 'list';

/** What happens to one request instead of its answer. */
export type GcpFault =
  /** The connection breaks: before the request took effect, or after. */
  | { readonly lost: 'before' | 'after' }
  /** Refused, in the service's words; with `effect` it took place all the same. */
  | {
      readonly status: number;
      readonly reason: string;
      readonly message?: string;
      readonly retryAfter?: string;
      readonly effect?: boolean;
    }
  | { readonly slowMs: number }
  /** Bytes that change on the way, or (of a download) end too early. */
  | { readonly damage: 'changed' | 'cut' };

export interface GcpStorageOptions extends BucketRules {
  /** The service's limit of one write a second to one name; off if left out, since it slows every test. */
  readonly oneWriteASecond?: boolean;
  /** A delete of nothing with a precondition is answered with this; 412 if left out. */
  readonly deleteOfNothing?: 404 | 412;
  /** True where retention is looked at before preconditions. */
  readonly retentionFirst?: boolean;
  /** Plays a server that does not know preconditions. */
  readonly ignoresConditions?: boolean;
  readonly token?: string;
}

/**
 * Cloud Storage's JSON API for one bucket, on 127.0.0.1, as strict as the service: a bearer token, preconditions, sums
 * of bytes, retention, generations that are kept. Whatever it does not imitate is 501.
 */
export class GcpStorage {
  readonly bucket = 'bucket';
  readonly token: Sealed;
  readonly objects: KeptObjects;
  /** How many requests of each kind came in. */
  readonly counts: Record<GcpRequest, number> = { write: 0, read: 0, stat: 0, delete: 0, list: 0 };
  readonly #options: GcpStorageOptions;
  readonly #faults: { readonly on: GcpRequest; readonly fault: GcpFault }[] = [];
  readonly #lastWriteMs = new Map<string, number>();
  #server: Loopback | undefined;

  private constructor(options: GcpStorageOptions) {
    this.#options = options;
    this.token = new Sealed(options.token ?? 'ya29.stand-in');
    this.objects = new KeptObjects(options);
  }

  /** On a free port. */
  static async start(options: GcpStorageOptions = {}): Promise<GcpStorage> {
    const storage = new GcpStorage(options);
    storage.#server = await listenOnLoopback((request, answer) => void storage.#serve(request, answer));
    return storage;
  }

  get endpoint(): string {
    if (!this.#server) throw new Error('the stand-in does not listen');
    return this.#server.url;
  }

  /** The next requests of this kind meet these faults, one each. */
  fail(on: GcpRequest, ...faults: readonly GcpFault[]): void {
    this.#faults.push(...faults.map((fault) => ({ on, fault })));
  }

  /** No request meets a fault any more. */
  calm(): void {
    this.#faults.splice(0);
  }

  /** What is stored under a name, seen without any request. */
  observe(name: string): Uint8Array | undefined {
    return this.objects.live(name)?.bytes;
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  async #serve(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const asText = url.searchParams.get('alt') === 'media';
    try {
      const body = await bodyOf(request);
      this.#authorize(request);
      const { kind, name } = route(request, url, this.bucket);
      this.counts[kind] += 1;
      const fault = this.#take(kind);
      if (fault && 'slowMs' in fault) await pause(fault.slowMs);
      if (fault && 'lost' in fault && fault.lost === 'before') return void request.socket.destroy();
      if (fault && 'status' in fault && fault.effect !== true) throw refusalOf(fault);
      const damage = fault && 'damage' in fault ? fault.damage : undefined;
      const send = this.#act(kind, name, { url, upload: () => parseUpload(request, body, damage) });
      if (fault && 'lost' in fault) return void request.socket.destroy();
      if (fault && 'status' in fault) throw refusalOf(fault);
      send(answer, damage);
    } catch (thrown) {
      const refusal =
        thrown instanceof Refusal
          ? thrown
          : new Refusal(501, 'notImplemented', { message: `the stand-in failed: ${String(thrown)}` });
      sendRefusal(answer, refusal, asText);
    }
  }

  #authorize(request: IncomingMessage): void {
    if (request.headers.authorization === `Bearer ${this.token.open()}`) return;
    throw new Refusal(401, 'authError', { message: 'Invalid Credentials' });
  }

  #take(kind: GcpRequest): GcpFault | undefined {
    const at = this.#faults.findIndex(({ on }) => on === kind);
    return at < 0 ? undefined : this.#faults.splice(at, 1)[0]?.fault;
  }

  /** Takes effect at once; the answer is sent later or never. */
  #act(kind: GcpRequest, name: string, { url, upload }: { readonly url: URL; readonly upload: () => Upload }): Send {
    switch (kind) {
      case 'write':
        return this.#write(parameters(url, ['uploadType', 'name', 'ifGenerationMatch']), upload);
      case 'delete':
        return this.#delete(name, parameters(url, ['ifGenerationMatch']));
      case 'read': {
        parameters(url, ['alt']);
        const held = this.#held(name);
        return (answer, damage) => sendBytes(answer, held, damage);
      }
      case 'stat': {
        parameters(url, []);
        const held = this.#held(name);
        return (answer) => sendJson(answer, 200, resource(this.bucket, held));
      }
      case 'list':
        return this.#list(
          parameters(url, ['prefix', 'startOffset', 'maxResults', 'pageToken', 'versions', 'softDeleted', 'fields']),
        );
    }
  }

  #write(query: URLSearchParams, upload: () => Upload): Send {
    const name = query.get('name') ?? '';
    if (query.get('uploadType') !== 'multipart' || name === '') throw notImitated('this way of uploading');
    const content = upload();
    this.#check(name, query.get('ifGenerationMatch'));
    const made = this.objects.put(name, content);
    return (answer) => sendJson(answer, 200, resource(this.bucket, made));
  }

  #delete(name: string, query: URLSearchParams): Send {
    const condition = query.get('ifGenerationMatch');
    const is404 =
      condition === null || this.#options.deleteOfNothing === 404 || this.#options.ignoresConditions === true;
    if (!this.objects.live(name) && is404) throw noObject(this.bucket, name);
    this.#check(name, condition);
    this.objects.remove(name);
    return (answer) => void answer.writeHead(204).end();
  }

  #check(name: string, condition: string | null): void {
    const held = this.objects.live(name);
    const retained = held !== undefined && this.#options.retention === true;
    if (retained && this.#options.retentionFirst === true) throw retention(this.bucket, name);
    const isMet = condition === null || condition === (held?.generation ?? '0');
    if (!isMet && this.#options.ignoresConditions !== true) {
      throw new Refusal(412, 'conditionNotMet', {
        message: 'At least one of the pre-conditions you specified did not hold.',
      });
    }
    if (retained) throw retention(this.bucket, name);
    if (this.#options.oneWriteASecond === true) this.#slowDown(name);
  }

  #slowDown(name: string): void {
    const last = this.#lastWriteMs.get(name) ?? -Infinity;
    if (Date.now() - last < 1_000) {
      throw new Refusal(429, 'rateLimitExceeded', {
        message: `The object ${this.bucket}/${name} exceeded the rate limit for object mutation operations (create, update, and delete). Please reduce your request rate.`,
      });
    }
    this.#lastWriteMs.set(name, Date.now());
  }

  #held(name: string): KeptGeneration {
    const held = this.objects.live(name);
    if (!held) throw noObject(this.bucket, name);
    return held;
  }

  #list(query: URLSearchParams): Send {
    const [versions, softDeleted] = [query.get('versions') === 'true', query.get('softDeleted') === 'true'];
    if (versions && softDeleted)
      throw new Refusal(400, 'invalid', { message: 'versions and softDeleted exclude each other.' });
    if (softDeleted && this.#options.softDelete !== true)
      throw new Refusal(400, 'invalid', { message: 'Soft delete policy is required to list soft-deleted versions' });
    const size = Number(query.get('maxResults') ?? 1_000);
    if (!(size >= 1 && size <= 1_000)) throw new Refusal(400, 'invalid', { message: `Invalid maxResults ${size}` });
    const from = Buffer.from(query.get('startOffset') ?? '');
    const all = this.objects
      .list({ versions, softDeleted })
      .filter(({ name }) => name.startsWith(query.get('prefix') ?? '') && Buffer.compare(Buffer.from(name), from) >= 0)
      .filter((one) => isAfter(one, query.get('pageToken')));
    const page = all.slice(0, size);
    const last = page.at(-1);
    const next =
      last && all.length > size
        ? { nextPageToken: Buffer.from(`${last.generation} ${last.name}`).toString('base64url') }
        : {};
    const items = page.map((one) => resource(this.bucket, one));
    return (answer) => sendJson(answer, 200, cut({ items, ...next }, query.get('fields')));
  }
}

type Send = (answer: ServerResponse, damage?: 'changed' | 'cut') => void;

function route(
  request: IncomingMessage,
  url: URL,
  bucket: string,
): { readonly kind: GcpRequest; readonly name: string } {
  const [, upload, inBucket, rest] = /^(\/upload)?\/storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
  if (inBucket === undefined) throw notImitated(`${request.method} ${url.pathname}`);
  if (inBucket !== bucket) throw new Refusal(404, 'notFound', { message: 'The specified bucket does not exist.' });
  const name = decodeURIComponent(rest ?? '');
  const way = `${request.method} ${upload ?? ''}${name === '' ? 'bucket' : 'object'}`;
  if (way === 'POST /uploadbucket') return { kind: 'write', name };
  if (way === 'GET bucket') return { kind: 'list', name };
  if (way === 'GET object') return { kind: url.searchParams.get('alt') === 'media' ? 'read' : 'stat', name };
  if (way === 'DELETE object') return { kind: 'delete', name };
  throw notImitated(`${request.method} ${url.pathname}`);
}

/** The last of the page before stands in its token, so what was deleted since does not matter. */
function isAfter({ name, generation }: KeptGeneration, token: string | null): boolean {
  if (token === null) return true;
  const [, lastGeneration = '', lastName = ''] = /^(\d+) (.*)$/s.exec(Buffer.from(token, 'base64url').toString()) ?? [];
  const order = Buffer.compare(Buffer.from(name), Buffer.from(lastName));
  return order > 0 || (order === 0 && Number(generation) > Number(lastGeneration));
}

function noObject(bucket: string, name: string): Refusal {
  return new Refusal(404, 'notFound', { message: `No such object: ${bucket}/${name}` });
}

function retention(bucket: string, name: string): Refusal {
  return new Refusal(403, 'retentionPolicyNotMet', {
    message: `Object '${bucket}/${name}' is subject to bucket's retention policy or object retention and cannot be deleted or overwritten until 2033-10-01T00:00:00Z`,
  });
}

function refusalOf({ status, reason, message, retryAfter }: Extract<GcpFault, { status: number }>): Refusal {
  return new Refusal(status, reason, { message: message ?? reason, ...(retryAfter !== undefined && { retryAfter }) });
}
