import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Sealed } from '../../shared/base/sealed.ts';
import type { AwsCredentials } from '../../shared/clouds/aws.ts';
import { checkRequest, crcOf } from './aws-s3-checks.ts';
import { listObjects, listVersions } from './aws-s3-listing.ts';
import { S3Model, S3Refusal, type S3Rules } from './aws-s3-model.ts';
import { listenOnLoopback } from './loopback.ts';
import { slowly, type Slow } from './slow.ts';

/** Requests by what they ask for. */
export type S3Operation = 'GetObject' | 'PutObject' | 'DeleteObject' | 'ListObjectsV2' | 'ListObjectVersions';

/**
 * What goes wrong with one request. `lost-…`: the connection ends instead of an answer. `mute`: took effect, never
 * answers.
 * `cut`, `flipped`: the body ends early, or has one wrong bit. `Slow`: time passes.
 * Others: the answer that S3 gives, nothing done.
 */
export type S3Fault = 'lost-before' | 'lost-after' | 'mute' | 'cut' | 'flipped' | 'internal-after' | Slow | S3Refusal;

/** Refusals that S3 gives at any time. */
export const s3Refusals = {
  conflict: new S3Refusal(
    409,
    'ConditionalRequestConflict',
    'The conditional request cannot succeed due to a conflicting operation against this resource.',
  ),
  slowDown: new S3Refusal(503, 'SlowDown', 'Please reduce your request rate.'),
  tooMany: new S3Refusal(429, 'TooManyRequests', 'Too many requests'),
  internal: new S3Refusal(500, 'InternalError', 'We encountered an internal error. Please try again.'),
  denied: new S3Refusal(403, 'AccessDenied', 'Access Denied'),
  expired: new S3Refusal(400, 'ExpiredToken', 'The provided token has expired.'),
} as const;

/** A bucket on 127.0.0.1 that speaks S3. */
export interface S3StandIn {
  /** How a driver reaches it. */
  readonly place: { readonly endpoint: string; readonly bucket: string; readonly credentials: AwsCredentials };
  /** What is stored; a test may change it as another tool would. */
  readonly model: S3Model;
  /** How often each operation was asked for. */
  readonly asked: Readonly<Record<S3Operation, number>>;
  /** The next requests of this kind go wrong so, one fault each. */
  fail(operation: S3Operation, ...faults: readonly S3Fault[]): void;
  /** Forgets the faults that have not come yet. */
  heal(): void;
  close(): Promise<void>;
}

/** How the bucket behaves; with versions and nothing else if left out. */
export interface S3StandInOptions extends Partial<S3Rules> {
  /** Keys on one page of a listing: S3 gives 1000. */
  readonly pageSize?: number;
  readonly secret?: string;
  readonly sessionToken?: string;
}

const bucket = 'lockkeeper-test';
const accessKeyId = 'AKIDEXAMPLE';

/** Starts a stand-in with one empty bucket. */
export async function startS3(options: S3StandInOptions = {}): Promise<S3StandIn> {
  const {
    versioned = true,
    locked = false,
    policy,
    ignores = [],
    pageSize = 1_000,
    secret = 'secret',
    sessionToken,
  } = options;
  const model = new S3Model({ versioned, locked, policy, ignores });
  const asked: Record<S3Operation, number> = {
    GetObject: 0,
    PutObject: 0,
    DeleteObject: 0,
    ListObjectsV2: 0,
    ListObjectVersions: 0,
  };
  const faults = new Map<S3Operation, S3Fault[]>();
  const server = await listenOnLoopback((request, response) => {
    void (async () => {
      const call = await read(request);
      if (!call)
        return send(
          response,
          refusal(new S3Refusal(501, 'NotImplemented', `the stand-in does not know ${request.method} ${request.url}`)),
        );
      asked[call.operation] += 1;
      await answer({ call, model, pageSize, sessionToken, response }, faults.get(call.operation)?.shift());
    })();
  });
  return {
    place: {
      endpoint: server.url,
      bucket,
      credentials: {
        accessKeyId,
        secretAccessKey: new Sealed(secret),
        ...(sessionToken !== undefined && { sessionToken: new Sealed(sessionToken) }),
      },
    },
    model,
    asked,
    fail: (operation, ...list) => void faults.set(operation, [...(faults.get(operation) ?? []), ...list]),
    heal: () => faults.clear(),
    close: () => server.close(),
  };
}

interface Call {
  readonly operation: S3Operation;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  readonly body: Uint8Array;
}

interface Asked {
  readonly call: Call;
  readonly model: S3Model;
  readonly pageSize: number;
  readonly sessionToken: string | undefined;
  readonly response: ServerResponse;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: Uint8Array | string;
}

/** The whole request first: what it then does is one step that nothing comes between. */
async function read(request: IncomingMessage): Promise<Call | undefined> {
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://s3');
  const [, named = '', ...rest] = pathname.split('/').map(decodeURIComponent);
  const body = await buffer(request);
  const operation = operationOf(request.method ?? '', rest.join('/'), query);
  return operation && { operation, bucket: named, key: rest.join('/'), query, request, body };
}

function operationOf(method: string, key: string, query: URLSearchParams): S3Operation | undefined {
  if (method === 'GET' && key === '') return query.has('versions') ? 'ListObjectVersions' : 'ListObjectsV2';
  if (method === 'GET') return 'GetObject';
  if (method === 'PUT' && key !== '') return 'PutObject';
  return method === 'DELETE' && key !== '' ? 'DeleteObject' : undefined;
}

async function answer(asked: Asked, fault: S3Fault | undefined): Promise<void> {
  const { response } = asked;
  if (fault === 'lost-before') return void response.socket?.destroy();
  await slowly(fault, 'before');
  const came = fault instanceof S3Refusal ? refusal(fault) : outcome(asked);
  await slowly(fault, 'after');
  if (fault === 'mute') return;
  if (fault === 'lost-after') return void response.socket?.destroy();
  if (fault === 'internal-after') return send(response, refusal(s3Refusals.internal));
  if (fault === 'cut') return cut(response, came);
  send(response, fault === 'flipped' ? { ...came, body: flipped(came.body) } : came);
}

function outcome(asked: Asked): Answer {
  try {
    checkRequest({
      headers: asked.call.request.headers,
      body: asked.call.body,
      accessKeyId,
      sessionToken: asked.sessionToken,
    });
    if (asked.call.bucket !== bucket) throw new S3Refusal(404, 'NoSuchBucket', 'The specified bucket does not exist');
    return carryOut(asked);
  } catch (thrown) {
    if (thrown instanceof S3Refusal) return refusal(thrown);
    throw thrown;
  }
}

function carryOut({ call: { operation, key, query, request, body }, model, pageSize }: Asked): Answer {
  const conditions = { ifMatch: request.headers['if-match'], ifNoneMatch: request.headers['if-none-match'] };
  if (operation === 'ListObjectsV2') return document(listObjects(model, query, pageSize));
  if (operation === 'ListObjectVersions') return document(listVersions(model, query, pageSize));
  const strange = [...query.keys()].filter((name) => name !== 'x-id');
  if (strange.length > 0)
    throw new S3Refusal(501, 'NotImplemented', `the stand-in does not know ${strange.join(', ')}`);
  if (operation === 'GetObject') return object(model, key, conditions);
  checkConditions(operation, conditions);
  if (operation === 'DeleteObject') {
    model.delete(key, conditions);
    return { status: 204, headers: {}, body: '' };
  }
  if (model.rules.locked && request.headers['x-amz-checksum-crc32'] === undefined)
    throw new S3Refusal(
      400,
      'InvalidRequest',
      'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters',
    );
  const { etag, id } = model.put(key, body, conditions);
  return { status: 200, headers: { etag: `"${etag}"`, 'x-amz-version-id': id }, body: '' };
}

interface Conditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

function checkConditions(operation: S3Operation, { ifMatch, ifNoneMatch }: Conditions): void {
  const isKnown =
    ifNoneMatch === undefined || (ifNoneMatch === '*' && operation === 'PutObject' && ifMatch === undefined);
  if (!isKnown)
    throw new S3Refusal(501, 'NotImplemented', 'A header you provided implies functionality that is not implemented');
}

function object(model: S3Model, key: string, { ifMatch, ifNoneMatch }: Conditions): Answer {
  if (ifMatch !== undefined || ifNoneMatch !== undefined)
    throw new S3Refusal(501, 'NotImplemented', 'the stand-in knows no conditions on reads');
  const held = model.current(key);
  if (!held) throw new S3Refusal(404, 'NoSuchKey', 'The specified key does not exist.');
  const headers = {
    etag: `"${held.etag}"`,
    'x-amz-version-id': held.id,
    'x-amz-checksum-crc32': crcOf(held.bytes),
    'x-amz-checksum-type': 'FULL_OBJECT',
  };
  return { status: 200, headers, body: held.bytes };
}

function document(body: string): Answer {
  return { status: 200, headers: { 'content-type': 'application/xml' }, body };
}

function refusal({ status, code, message }: S3Refusal): Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message><RequestId>REQ1</RequestId></Error>`;
  const headers = {
    'content-type': 'application/xml',
    'x-amz-request-id': 'REQ1',
    ...(status === 429 && { 'retry-after': 0.2 }),
  };
  return { status, headers, body };
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, ...(status !== 204 && { 'content-length': Buffer.byteLength(body) }) });
  response.end(body);
}

function cut(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) + 1 });
  response.write(body, () => response.socket?.destroy());
}

function flipped(body: Uint8Array | string): Uint8Array {
  const bytes = Uint8Array.from(Buffer.from(body));
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  return bytes;
}
