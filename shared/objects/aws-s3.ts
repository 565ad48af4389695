import { LockkeeperError, asLockkeeperError } from '../base/error.ts';
import { uncertain } from './aws-s3-attempts.ts';
import { S3Bucket, type S3Place } from './aws-s3-bucket.ts';
import { listAltered, listObjects } from './aws-s3-listing.ts';
import { nextTrailer, noTrailer, takeApart, trailerBytes, withTrailer, type Trailer } from './aws-s3-trailer.ts';
import type {
  CreateAnswer,
  DeleteAnswer,
  ObjectHistory,
  ObjectInfo,
  ObjectStore,
  ObjectVersion,
  ReplaceAnswer,
  StoredObject,
} from './contract.ts';
import { checkKey } from './key.ts';

const createdAtMost = 10;

/** Where the objects are, and whether they change. */
export interface AwsS3Options extends S3Place {
  /**
   * `create-only`: objects are stored as they are, so that any tool reads the bucket; this handle cannot replace or
   * delete (`unsupported`). `changing`: every object ends in a line that this driver adds and takes away, see Trailer.
   */
  readonly contents: 'create-only' | 'changing';
}

/**
 * Objects in an S3 bucket or a compatible one. A version is the ETag and the count of writes of this object's life.
 *
 *     asked            S3 answers                          this answers
 *     create           412                                 done where the stored content is the same, else exists
 *     replace, delete  412, or 404 where none is           reads back: done where this very write stands, else stale or missing
 *     any              409 ConditionalRequestConflict,     asks again for a while, then throttled
 *                      429, 503; no connection             (unreachable)
 *     create, replace  nothing, or 500                     asks again: the condition lets only one of the two through, unless
 *                                                          somebody deletes what the first one created
 *     delete           nothing, or 500                     uncertain
 *
 * In `changing`, an object that another tool wrote is read as it is, and listed as if it had the line: 65 bytes too
 * small. What the answers mean: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
 */
export function awsS3Objects({ contents, ...place }: AwsS3Options): ObjectStore & ObjectHistory {
  const objects = new S3Objects(new S3Bucket(place), contents === 'changing');
  return {
    get: (key) => objects.get(key),
    create: (key, bytes) => objects.create(key, bytes),
    replace: (key, bytes, held) => objects.replace(key, bytes, held),
    delete: (key, held) => objects.delete(key, held),
    list: (prefix, after = '') => objects.list(prefix, after),
    altered: (prefix) => listAltered(objects.bucket, prefix),
  };
}

interface Held extends StoredObject {
  readonly trailer: Trailer;
}

class S3Objects {
  readonly bucket: S3Bucket;
  readonly #isChanging: boolean;

  constructor(bucket: S3Bucket, isChanging: boolean) {
    this.bucket = bucket;
    this.#isChanging = isChanging;
  }

  async get(key: string): Promise<StoredObject | undefined> {
    checkKey(key);
    const held = await this.#read(key);
    return held && { bytes: held.bytes, version: held.version };
  }

  /**
   * Each try has a trailer of its own: what was made, deleted and made again by the next try is not the same version.
   */
  async create(key: string, bytes: Uint8Array): Promise<CreateAnswer> {
    checkKey(key);
    const content = Uint8Array.from(bytes);
    for (let tries = 0; tries < createdAtMost; tries += 1) {
      const put = await this.bucket.put(key, () => stored(content, this.#trailerAfter(0)), { IfNoneMatch: '*' });
      if ('etag' in put) return { outcome: 'done', version: versionOf(put.etag, this.#isChanging ? 1 : 0) };
      const held = await this.#readBack('create', key);
      if (held && Buffer.compare(held.bytes, content) === 0) return { outcome: 'done', version: held.version };
      // It may have been here and be gone: replaced where objects change, deleted anywhere.
      if (put.lost && (this.#isChanging || !held)) throw this.#overtaken('create', key);
      if (held) return { outcome: 'exists' };
    }
    throw new LockkeeperError(
      'throttled',
      `${this.bucket.tried('create', key)}: others kept creating and deleting it`,
      { hint: 'Run it again.' },
    );
  }

  async replace(key: string, bytes: Uint8Array, held: ObjectVersion): Promise<ReplaceAnswer> {
    this.#mustChange('replace', key);
    const from = parseVersion(held);
    if (!from) return await this.#refusal(key);
    const trailer = this.#trailerAfter(from.epoch);
    const whole = stored(bytes, trailer);
    const put = await this.bucket.put(key, () => whole, { IfMatch: from.etag });
    if ('etag' in put) return { outcome: 'done', version: versionOf(put.etag, trailer.epoch) };
    const now = await this.#readBack('replace', key);
    if (now?.trailer.nonce === trailer.nonce) return { outcome: 'done', version: now.version };
    if (put.lost) throw this.#overtaken('replace', key);
    return { outcome: now ? 'stale' : 'missing' };
  }

  async delete(key: string, held: ObjectVersion): Promise<DeleteAnswer> {
    this.#mustChange('delete', key);
    const from = parseVersion(held);
    if (from && (await this.bucket.delete(key, from.etag)) === 'done') return { outcome: 'done' };
    return await this.#refusal(key);
  }

  async *list(prefix: string, after: string): AsyncGenerator<ObjectInfo> {
    for await (const { key, size } of listObjects(this.bucket, prefix, after))
      yield { key, size: this.#isChanging && size >= trailerBytes ? size - trailerBytes : size };
  }

  async #read(key: string): Promise<Held | undefined> {
    const held = await this.bucket.get(key);
    if (!held) return undefined;
    const { content, trailer } = this.#isChanging
      ? takeApart(held.stored)
      : { content: Uint8Array.from(held.stored), trailer: noTrailer };
    return { bytes: content, version: versionOf(held.etag, trailer.epoch), trailer };
  }

  /**
   * What stands where a write was refused. Until it is read, nobody knows whether the refusal was of this very write.
   */
  async #readBack(verb: string, key: string): Promise<Held | undefined> {
    try {
      return await this.#read(key);
    } catch (thrown) {
      throw uncertain(
        asLockkeeperError(thrown),
        `${this.bucket.tried(verb, key)}: refused, and what stands there cannot be read`,
      );
    }
  }

  async #refusal(key: string): Promise<{ readonly outcome: 'stale' | 'missing' }> {
    return { outcome: (await this.bucket.get(key)) ? 'stale' : 'missing' };
  }

  #trailerAfter(epoch: number): Trailer {
    return this.#isChanging ? nextTrailer(epoch, this.bucket.world) : noTrailer;
  }

  #overtaken(verb: string, key: string): LockkeeperError {
    const message = `${this.bucket.tried(verb, key)}: the answer was lost, and something else stands there now`;
    return new LockkeeperError('uncertain', message, { hint: 'It may have taken effect and been overtaken: read it.' });
  }

  #mustChange(verb: string, key: string): void {
    checkKey(key);
    if (this.#isChanging) return;
    throw new LockkeeperError('unsupported', `${this.bucket.tried(verb, key)}: this handle only creates`, {
      hint: 'This is a defect in lockkeeper: please report it.',
    });
  }
}

function stored(bytes: Uint8Array, trailer: Trailer): Uint8Array {
  return trailer === noTrailer ? Uint8Array.from(bytes) : withTrailer(bytes, trailer);
}

function versionOf(etag: string, epoch: number): ObjectVersion {
  return `${epoch}-${etag}`;
}

/** Undefined for what no store of this kind ever gave: it is current nowhere. */
function parseVersion(version: ObjectVersion): { readonly etag: string; readonly epoch: number } | undefined {
  const [, epoch = '', etag = ''] = /^(\d{1,12})-([!#-~]+)$/.exec(version) ?? [];
  return etag === '' ? undefined : { etag, epoch: Number(epoch) };
}
