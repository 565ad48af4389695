import type { ContainerClient } from '@azure/storage-blob';
import { buffer } from 'node:stream/consumers';
import { LockkeeperError } from '../base/error.ts';
import { systemWorld } from '../base/world.ts';
import { azureAnswer } from '../clouds/azure.ts';
import { persist, type Trial, type Try } from './azure-blob-attempts.ts';
import { azureContainer, type AzureBlobOptions } from './azure-blob-container.ts';
import { alteredBlobs, listBlobs, type Pages } from './azure-blob-listing.ts';
import {
  type CreateAnswer,
  type DeleteAnswer,
  type ObjectHistory,
  type ObjectStore,
  type ObjectVersion,
  type ReplaceAnswer,
  type StoredObject,
  longestObject,
} from './contract.ts';
import { checkKey } from './key.ts';
import { expectSize } from './size-limit.ts';

/**
 * Objects as block blobs of one container. A version is the blob's ETag, which is new with every write. An account with
 * a hierarchical namespace lists in another order: `unsupported` as soon as that shows. The service advises against
 * segments that end in a dot.
 *
 * The answers of the service, whose conditions are in its error codes:
 *
 *     create   If-None-Match: *   201 done   409 BlobAlreadyExists, 412, or 403 UnauthorizedBlobOverwrite: compare the bytes
 *     replace  If-Match: held     201 done   412 ConditionNotMet: stale, or missing; only a look at the blob tells
 *     delete   If-Match: held     202 done   412 stale   404 missing
 *
 * Container-level retention lets blobs be created and nothing else: replace and delete are `denied`. What was refused
 * as too busy (503 ServerBusy, 429) was not done and is tried again; a write that failed otherwise (a broken
 * connection, 500 OperationTimedOut) may have happened: a create looks again for its own bytes, replace and delete are
 * `uncertain`.
 *
 * The past (see ObjectHistory) is what the account keeps: previous versions where versioning is on, soft-deleted blobs
 * and snapshots where soft delete is. Without either, nothing is told. There are no delete markers: that a blob was
 * deleted shows until its name is used again, and then as one content more.
 */
export function azureBlobObjects(options: AzureBlobOptions): ObjectStore & ObjectHistory {
  const place = azureContainer(options);
  const { requestLimitMs = 10_000, pageSize = 5_000, world = systemWorld() } = options;
  const blob = (verb: string, key: string): Blob => {
    checkKey(key);
    const name = place.prefix + key;
    const tried = `${verb} ${name} in container ${place.name}`;
    return {
      tried,
      ask: (kind, act) =>
        persist(
          { kind, tried, world, requestLimitMs },
          async (one) => await act({ client: (await place.open()).getBlockBlobClient(name), ...one }),
        ),
    };
  };
  const page: Pages['page'] = (search, token) =>
    persist(
      { kind: 'read', tried: `list ${search.prefix} in container ${place.name}`, world, requestLimitMs },
      async ({ limit }) => {
        const listing = (await place.open()).listBlobsFlat({ ...search, ...limit() });
        return await firstOf(
          listing.byPage({ maxPageSize: pageSize, ...(token !== undefined && { continuationToken: token }) }),
        );
      },
    );
  return {
    get: async (key) => await blob('get', key).ask('read', (one) => read(one, options.mostBytes?.(key))),
    create: async (key, bytes) => await create(blob('create', key), Buffer.from(bytes)),
    replace: async (key, bytes, held) => await replace(blob('replace', key), Buffer.from(bytes), held),
    delete: async (key, held) => await remove(blob('delete', key), held),
    list: (prefix, after = '') => listBlobs({ prefix: place.prefix, page }, prefix, after),
    altered: (prefix) => alteredBlobs({ prefix: place.prefix, page }, prefix),
  };
}

interface Blob {
  /** What on what, for errors. */
  readonly tried: string;
  /** Some requests that are tried again together. */
  readonly ask: <T>(kind: Trial['kind'], act: (one: BlobTry) => Promise<T>) => Promise<T>;
}

interface BlobTry extends Try {
  readonly client: ReturnType<ContainerClient['getBlockBlobClient']>;
}

/** Bytes and ETag of one answer: two requests could meet two states. */
async function read({ client, limit }: BlobTry, most = longestObject): Promise<StoredObject | undefined> {
  const answer = await unlessAbsent(client.download(0, undefined, limit()));
  if (!answer) return undefined;
  if (!answer.readableStreamBody) throw incomplete('body', client.name);
  try {
    expectSize(`get ${client.name}`, answer.contentLength, most);
  } catch (thrown) {
    if ('destroy' in answer.readableStreamBody) answer.readableStreamBody.destroy();
    throw thrown;
  }
  return { bytes: Uint8Array.from(await buffer(answer.readableStreamBody)), version: versionOf(answer, client.name) };
}

/**
 * Writing and comparing are tried again together: while a lost try may have written, no failure may say that none did.
 */
async function create({ tried, ask }: Blob, bytes: Buffer): Promise<CreateAnswer> {
  const answer = await ask<CreateAnswer | undefined>('create', async (one) => {
    const written = await upload(one, bytes, { ifNoneMatch: '*' });
    if ('version' in written) return { outcome: 'done', version: written.version };
    const there = await read(one);
    if (!there && immutableCodes.has(azureAnswer(written.refusal).code)) throw written.refusal;
    if (!there)
      throw new LockkeeperError('throttled', `${tried}: others kept creating and deleting it`, {
        hint: 'Run it again.',
      });
    if (Buffer.compare(there.bytes, bytes) === 0) return { outcome: 'done', version: there.version };
    return one.isInDoubt ? undefined : { outcome: 'exists' };
  });
  if (answer) return answer;
  throw new LockkeeperError('uncertain', `${tried}: an answer was lost, and now other bytes are there`, {
    hint: 'It may have been created and replaced since: run it again.',
  });
}

async function replace(blob: Blob, bytes: Buffer, held: ObjectVersion): Promise<ReplaceAnswer> {
  if (!isEtag(held)) return await staleOrMissing(blob);
  const written = await blob.ask('change', (one) => upload(one, bytes, { ifMatch: held }));
  return 'version' in written ? { outcome: 'done', version: written.version } : await staleOrMissing(blob);
}

async function remove(blob: Blob, held: ObjectVersion): Promise<DeleteAnswer> {
  if (!isEtag(held)) return await staleOrMissing(blob);
  const outcome = await blob.ask('change', async ({ client, limit }) => {
    try {
      await client.delete({ conditions: { ifMatch: held }, ...limit() });
      return 'done';
    } catch (thrown) {
      if (isAbsent(thrown)) return 'missing';
      if (isUnmet(thrown)) return undefined;
      throw thrown;
    }
  });
  return outcome ? { outcome } : await staleOrMissing(blob);
}

async function upload({ client, limit }: BlobTry, bytes: Buffer, conditions: Conditions): Promise<Written> {
  try {
    return { version: versionOf(await client.upload(bytes, bytes.length, { conditions, ...limit() }), client.name) };
  } catch (thrown) {
    if (isUnmet(thrown) || ('ifNoneMatch' in conditions && isThere(thrown))) return { refusal: thrown };
    throw thrown;
  }
}

/** The new version, or the error by which the service said that the condition does not hold. */
type Written = { readonly version: ObjectVersion } | { readonly refusal: unknown };

type Conditions = { readonly ifNoneMatch: '*' } | { readonly ifMatch: ObjectVersion };

async function staleOrMissing({ ask }: Blob): Promise<{ readonly outcome: 'stale' | 'missing' }> {
  const found = await ask('read', ({ client, limit }) => unlessAbsent(client.getProperties(limit())));
  return { outcome: found ? 'stale' : 'missing' };
}

/**
 * How a create learns that a blob is there, where not by a 412: an identity that may only add blobs gets a 403, and
 * what the service looks at first, the condition, the retention or a lease, it does not say.
 */
function isThere(thrown: unknown): boolean {
  const { code } = azureAnswer(thrown);
  return (
    code === 'BlobAlreadyExists' ||
    code === 'UnauthorizedBlobOverwrite' ||
    code === 'LeaseIdMissing' ||
    immutableCodes.has(code)
  );
}

const immutableCodes = new Set(['BlobImmutableDueToPolicy', 'BlobImmutableDueToLegalHold']);

/** What is no ETag is never sent: "*" would fit any blob. */
function isEtag(version: ObjectVersion): boolean {
  return /^"[\w.:=+/-]+"$/.test(version);
}

function isUnmet(thrown: unknown): boolean {
  const { status, code } = azureAnswer(thrown);
  return status === 412 && code === 'ConditionNotMet';
}

function isAbsent(thrown: unknown): boolean {
  const { status, code } = azureAnswer(thrown);
  return status === 404 && code === 'BlobNotFound';
}

async function unlessAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (thrown) {
    if (isAbsent(thrown)) return undefined;
    throw thrown;
  }
}

async function firstOf<T>(pages: AsyncIterable<T>): Promise<T> {
  for await (const page of pages) return page;
  throw incomplete('page', 'a listing');
}

function versionOf({ etag }: { readonly etag?: string }, name: string): ObjectVersion {
  if (etag === undefined) throw incomplete('ETag', name);
  return etag;
}

function incomplete(what: string, name: string): LockkeeperError {
  return new LockkeeperError('unsupported', `azure-blob: the answer for ${name} has no ${what}`, {
    hint: 'Use Azure Blob Storage, or a server that speaks as it does.',
  });
}
