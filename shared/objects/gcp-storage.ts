import { LockkeeperError, hasCode } from '../base/error.ts';
import type { GcpFault } from '../clouds/gcp.ts';
import type {
  CreateAnswer,
  DeleteAnswer,
  ObjectHistory,
  ObjectStore,
  ReplaceAnswer,
  StoredObject,
} from './contract.ts';
import { GcpBucket, inDoubt, type Generation, type Sent } from './gcp-storage-bucket.ts';
import type { GcpStorageSettings } from './gcp-storage-open.ts';
import { alteredObjects } from './gcp-storage-history.ts';
import { checkKey } from './key.ts';

const createdAtMost = 10;

/**
 * Objects in a Cloud Storage bucket. A version is the object's generation, which no other write ever has. Google takes
 * one write a second to one name and answers 429 to more: the driver waits some seconds, then it is `throttled`.
 * https://cloud.google.com/storage/docs/request-preconditions https://cloud.google.com/storage/quotas
 */
export function gcpStorageObjects(settings: GcpStorageSettings): ObjectStore & ObjectHistory {
  const bucket = new GcpBucket(settings);
  return {
    async get(key) {
      checkKey(key);
      return await bucket.read(key);
    },
    async create(key, bytes) {
      checkKey(key);
      return await create(bucket, key, Uint8Array.from(bytes));
    },
    async replace(key, bytes, held): Promise<ReplaceAnswer> {
      checkKey(key);
      if (!isGeneration(held)) return await whatStands(bucket, key);
      const sent = await bucket.write(key, bytes, held);
      if ('done' in sent) return { outcome: 'done', version: sent.done };
      return await whatRefused(bucket, key, { ...sent, tried: 'replace' });
    },
    async *list(prefix, after) {
      const query = { fields: 'items(name,size),nextPageToken', ...(after !== undefined && { startOffset: after }) };
      for await (const { key, size } of bucket.generations(prefix, query)) {
        // Google's startOffset is inclusive.
        if (key !== after) yield { key, size };
      }
    },
    async delete(key, held): Promise<DeleteAnswer> {
      checkKey(key);
      if (!isGeneration(held)) return await whatStands(bucket, key);
      const sent = await bucket.remove(key, held);
      return 'done' in sent ? { outcome: 'done' } : await whatRefused(bucket, key, { ...sent, tried: 'delete' });
    },
    altered: (prefix) => alteredObjects(bucket.generations(prefix, { versions: true }), softDeleted(bucket, prefix)),
  };
}

/** Where an object is there it is read: own bytes may be those of a try whose answer was lost. */
async function create(bucket: GcpBucket, key: string, bytes: Uint8Array): Promise<CreateAnswer> {
  for (let tries = 0; tries < createdAtMost; tries += 1) {
    const sent = await bucket.write(key, bytes, '0');
    if ('done' in sent) return { outcome: 'done', version: sent.done };
    // Nothing but the bucket can be missing where nothing has to be there.
    if (sent.refused.status === 404) throw notFound(bucket, key, sent.refused);
    const held = await readBack(bucket, key, sent);
    if (held && Buffer.compare(held.bytes, bytes) === 0) return { outcome: 'done', version: held.version };
    if (sent.doubtful) throw inDoubt(`create ${bucket.uri(key)}`);
    if (held) return { outcome: 'exists' };
  }
  throw new LockkeeperError('throttled', `create ${bucket.uri(key)}: others kept creating and deleting it`, {
    hint: 'Run it again.',
  });
}

/**
 * What stands where a create was refused; as long as it may be of that very create, no failure may say that nothing was
 * written.
 */
async function readBack(
  bucket: GcpBucket,
  key: string,
  { doubtful }: { readonly doubtful: boolean },
): Promise<StoredObject | undefined> {
  try {
    return await bucket.read(key);
  } catch (thrown) {
    throw doubtful ? inDoubt(`create ${bucket.uri(key)}`, thrown) : thrown;
  }
}

type Refusal = { readonly outcome: 'stale' } | { readonly outcome: 'missing' };
type Refused = Extract<Sent<unknown>, { readonly refused: GcpFault }> & { readonly tried: string };

/** Google says 412 where the object is another one, and where there is none (404 for some deletes). */
async function whatRefused(bucket: GcpBucket, key: string, { refused, doubtful, tried }: Refused): Promise<Refusal> {
  if (refused.reason === 'retentionPolicyNotMet') {
    throw new LockkeeperError(
      'denied',
      `${tried} ${bucket.uri(key)}: ${refused.message} (${refused.reason}, ${refused.status})`,
      {
        hint: "The bucket's retention policy protects it: nobody can replace or delete it before that ends.",
      },
    );
  }
  if (doubtful) throw inDoubt(`${tried} ${bucket.uri(key)}`);
  return await whatStands(bucket, key);
}

async function whatStands(bucket: GcpBucket, key: string): Promise<Refusal> {
  return { outcome: (await bucket.generation(key)) === undefined ? 'missing' : 'stale' };
}

/** "0" would mean "only where nothing is" to Google. */
function isGeneration(version: string): boolean {
  return /^[1-9]\d{0,18}$/.test(version);
}

/** A bucket that keeps nothing of what is deleted cannot be asked for it: 400, measured on the service. */
async function* softDeleted(bucket: GcpBucket, prefix: string): AsyncGenerator<Generation> {
  try {
    yield* bucket.generations(prefix, { softDeleted: true });
  } catch (thrown) {
    if (!hasCode(thrown, 'invalid') || !/soft delete policy is required/i.test(thrown.message)) throw thrown;
  }
}

function notFound(bucket: GcpBucket, key: string, { message, status }: GcpFault): LockkeeperError {
  return new LockkeeperError('not-found', `create ${bucket.uri(key)}: ${message} (${status})`, {
    hint: 'Create the bucket, or name the right one.',
  });
}
