import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Sealed } from '../../shared/base/sealed.ts';
import { checkSent, notKnown, type AzureSent, type AzureSigner } from './azure-blob-checks.ts';
import { listBlobs, type Paging } from './azure-blob-listing.ts';
import { absent, AzureBlobModel, AzureRefusal, type AzureBlobRules } from './azure-blob-model.ts';
import { listenOnLoopback } from './loopback.ts';
import { isSlow, slowly, type Slow } from './slow.ts';

/** Requests by what they ask for. */
export type AzureOperation = 'GetBlob' | 'GetBlobProperties' | 'PutBlob' | 'DeleteBlob' | 'ListBlobs';

/**
 * What goes wrong with one request. `lost-…`: the connection ends instead of an answer. `mute`: took effect, never
 * answers.
 * `stalled`, `cut`: the body stops, or ends, early. `…-after`: took effect, and fails. `Slow`: time passes. Others: the
 * answer that Azure gives, nothing done.
 */
export type AzureFault =
  | 'lost-before'
  | 'lost-after'
  | 'mute'
  | 'stalled'
  | 'cut'
  | 'timed-out-after'
  | 'internal-after'
  | Slow
  | AzureRefusal;

/** A fault in a word or two, for the names of tests. */
export function faultName(fault: AzureFault): string {
  if (isSlow(fault)) return `slow ${fault.slow}`;
  return fault instanceof AzureRefusal ? `${fault.status} ${fault.code}` : fault;
}

/** Refusals that Azure gives at any time. */
export const azureRefusals = {
  busy: new AzureRefusal(503, 'ServerBusy', 'The server is busy.'),
  busyFor: (seconds: number) =>
    new AzureRefusal(503, 'ServerBusy', 'Operations per second is over the account limit.', seconds),
  tooMany: new AzureRefusal(429, 'TooManyRequests', 'Too many requests.'),
  timedOut: new AzureRefusal(500, 'OperationTimedOut', 'Operation could not be completed within the specified time.'),
  internal: new AzureRefusal(
    500,
    'InternalError',
    'The server encountered an internal error. Please retry the request.',
  ),
  denied: new AzureRefusal(
    403,
    'AuthorizationPermissionMismatch',
    'This request is not authorized to perform this operation using this permission.',
  ),
  leased: new AzureRefusal(
    412,
    'LeaseIdMissing',
    'There is currently a lease on the blob and no lease ID was specified in the request.',
  ),
  immutable: new AzureRefusal(
    409,
    'BlobImmutableDueToPolicy',
    'This operation is not permitted as the blob is immutable due to a policy.',
  ),
  unmet: new AzureRefusal(
    412,
    'ConditionNotMet',
    'The condition specified using HTTP conditional header(s) is not met.',
  ),
} as const;

/** A container on 127.0.0.1 that speaks Azure Blob Storage. */
export interface AzureBlobStandIn {
  /** How a driver reaches it. */
  readonly place: {
    readonly endpoint: string;
    readonly account: string;
    readonly container: string;
    readonly accountKey: Sealed;
  };
  /** What is stored; a test may change it as another tool would. */
  readonly model: AzureBlobModel;
  /** How often each operation was asked for. */
  readonly asked: Readonly<Record<AzureOperation, number>>;
  /** The next requests of this kind go wrong so, one fault each. */
  fail(operation: AzureOperation, ...faults: readonly AzureFault[]): void;
  /** Forgets the faults that have not come yet. */
  heal(): void;
  close(): Promise<void>;
}

export interface AzureBlobStandInOptions extends Partial<AzureBlobRules>, Partial<Paging> {
  /** In base64. */
  readonly key?: string;
}

const container = 'lockkeeper-test';
const account = 'standin';

/** Starts a stand-in with one empty container. */
export async function startAzureBlob(options: AzureBlobStandInOptions = {}): Promise<AzureBlobStandIn> {
  const {
    versioned = false,
    softDelete = false,
    retention = 'none',
    addOnly = false,
    ignores = [],
    key = 'c2VjcmV0',
  } = options;
  const { pageSize = 5_000, emptyPages = false, ignoresStartFrom = false, listsFoldersFirst = false } = options;
  const model = new AzureBlobModel({ versioned, softDelete, retention, addOnly, ignores });
  const asked: Record<AzureOperation, number> = {
    GetBlob: 0,
    GetBlobProperties: 0,
    PutBlob: 0,
    DeleteBlob: 0,
    ListBlobs: 0,
  };
  const faults = new Map<AzureOperation, AzureFault[]>();
  const server = await listenOnLoopback((request, response) => {
    void (async () => {
      const call = await read(request);
      if (!call) return send(response, refusal(notKnown([`${request.method} ${request.url}`])));
      asked[call.operation] += 1;
      await answer(
        {
          call,
          model,
          signer: { account, key },
          paging: { pageSize, emptyPages, ignoresStartFrom, listsFoldersFirst },
          response,
        },
        faults.get(call.operation)?.shift(),
      );
    })();
  });
  return {
    place: { endpoint: `${server.url}/${account}`, account, container, accountKey: new Sealed(key) },
    model,
    asked,
    fail: (operation, ...list) => void faults.set(operation, [...(faults.get(operation) ?? []), ...list]),
    heal: () => faults.clear(),
    close: () => server.close(),
  };
}

interface Call extends AzureSent {
  readonly operation: AzureOperation;
  readonly container: string;
  readonly name: string;
}

interface Asked {
  readonly call: Call;
  readonly model: AzureBlobModel;
  readonly signer: AzureSigner;
  readonly paging: Paging;
  readonly response: ServerResponse;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: Uint8Array | string;
}

/** The whole request first: what it then does is one step that nothing comes between. */
async function read(request: IncomingMessage): Promise<Call | undefined> {
  const url = new URL(request.url ?? '/', 'http://stand-in');
  const [, , named = '', ...rest] = url.pathname.split('/').map(decodeURIComponent);
  const body = await buffer(request);
  const method = request.method ?? '';
  const operation = operationOf(method, rest.join('/'), url.searchParams);
  return (
    operation && { operation, container: named, name: rest.join('/'), method, url, headers: request.headers, body }
  );
}

function operationOf(method: string, name: string, query: URLSearchParams): AzureOperation | undefined {
  if (name === '')
    return method === 'GET' && query.get('restype') === 'container' && query.get('comp') === 'list'
      ? 'ListBlobs'
      : undefined;
  if (query.size > 0) return undefined;
  const operations: Readonly<Record<string, AzureOperation>> = {
    GET: 'GetBlob',
    HEAD: 'GetBlobProperties',
    PUT: 'PutBlob',
    DELETE: 'DeleteBlob',
  };
  return operations[method];
}

async function answer(asked: Asked, fault: AzureFault | undefined): Promise<void> {
  const { response } = asked;
  if (fault === 'lost-before') return void response.socket?.destroy();
  await slowly(fault, 'before');
  const came = fault instanceof AzureRefusal ? refusal(fault) : outcome(asked);
  await slowly(fault, 'after');
  if (fault === 'mute') return;
  if (fault === 'lost-after') return void response.socket?.destroy();
  if (fault === 'timed-out-after') return send(response, refusal(azureRefusals.timedOut));
  if (fault === 'internal-after') return send(response, refusal(azureRefusals.internal));
  if (fault === 'cut' || fault === 'stalled') return stop(response, came, fault);
  send(response, came);
}

function outcome({ call, model, signer, paging }: Asked): Answer {
  try {
    checkSent(call, signer);
    if (call.container !== container)
      throw new AzureRefusal(404, 'ContainerNotFound', 'The specified container does not exist.');
    if (call.operation !== 'ListBlobs') return carryOut(call, model);
    return {
      status: 200,
      headers: { 'content-type': 'application/xml' },
      body: listBlobs(model, call.url.searchParams, paging),
    };
  } catch (thrown) {
    if (thrown instanceof AzureRefusal) return refusal(thrown);
    throw thrown;
  }
}

function carryOut({ operation, name, headers, body }: Call, model: AzureBlobModel): Answer {
  const conditions = { ifMatch: headers['if-match'], ifNoneMatch: headers['if-none-match'] };
  if (operation === 'GetBlob' || operation === 'GetBlobProperties') return blob(model, name, conditions);
  if (
    conditions.ifNoneMatch !== undefined &&
    (conditions.ifNoneMatch !== '*' || operation === 'DeleteBlob' || conditions.ifMatch !== undefined)
  )
    throw notKnown(['these conditions']);
  if (operation === 'DeleteBlob') {
    model.delete(name, conditions);
    return { status: 202, headers: { 'x-ms-delete-type-permanent': String(!model.rules.softDelete) }, body: '' };
  }
  if (headers['content-length'] === undefined) throw new AzureRefusal(411, 'MissingContentLengthHeader');
  if (headers['x-ms-blob-type'] !== 'BlockBlob') throw new AzureRefusal(400, 'InvalidHeaderValue', 'x-ms-blob-type');
  const { etag, id } = model.put(name, body, conditions);
  return {
    status: 201,
    headers: { etag, 'last-modified': lastModified, ...(model.rules.versioned && { 'x-ms-version-id': id }) },
    body: '',
  };
}

const lastModified = 'Thu, 01 Oct 2026 00:00:00 GMT';

function blob(
  model: AzureBlobModel,
  name: string,
  { ifMatch, ifNoneMatch }: { readonly ifMatch: string | undefined; readonly ifNoneMatch: string | undefined },
): Answer {
  if (ifMatch !== undefined || ifNoneMatch !== undefined) throw notKnown(['conditions on reads']);
  const held = model.current(name);
  if (!held) throw absent();
  return {
    status: 200,
    headers: {
      etag: held.etag,
      'last-modified': lastModified,
      'content-type': 'application/octet-stream',
      'x-ms-blob-type': 'BlockBlob',
    },
    body: held.bytes,
  };
}

function refusal({ status, code, message, retryAfter }: AzureRefusal): Answer {
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}\nRequestId:${requestId}\nTime:2026-10-01T00:00:00.0000000Z</Message></Error>`;
  return {
    status,
    headers: {
      'content-type': 'application/xml',
      'x-ms-error-code': code,
      ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
    },
    body,
  };
}

const requestId = '00000000-0000-0000-0000-000000000001';

/** Node leaves the body out where the request was HEAD. */
function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, 'x-ms-request-id': requestId, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

function stop(response: ServerResponse, { status, headers, body }: Answer, how: 'cut' | 'stalled'): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) + 1 });
  response.write(body, () => void (how === 'cut' && response.socket?.destroy()));
}
