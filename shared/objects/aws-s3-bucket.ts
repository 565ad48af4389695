import type * as Sdk from '@aws-sdk/client-s3';
import { LockkeeperError } from '../base/error.ts';
import { second } from '../base/time.ts';
import type { World } from '../base/world.ts';
import { awsAnswer, awsClientSettings, type AwsPlace } from '../clouds/aws.ts';
import { attempt, type Patience } from './aws-s3-attempts.ts';
import { checkKey } from './key.ts';
import { longestObject, type SizeLimit } from './contract.ts';
import { expectSize } from './size-limit.ts';

/** Which bucket, and how it is reached. */
export interface S3Place extends AwsPlace {
  readonly bucket: string;
  /** Before every key: '' or a path that ends in "/". */
  readonly prefix?: string;
  readonly world: World;
  /** How long one answer may take; 10 s if left out. */
  readonly answerMs?: number;
  /** The first pause before a request is sent again; 100 ms if left out. */
  readonly pauseMs?: number;
  /** How many bytes an object may have; a longer one is `conflict`, and is not read. */
  readonly mostBytes?: SizeLimit | undefined;
}

/** What is stored, and the ETag that the same answer told. */
export interface S3Object {
  readonly stored: Uint8Array;
  readonly etag: string;
}

/**
 * `refused`: the condition does not hold. `lost`: an earlier answer of this write was lost, so it may be the one in the
 * way.
 */
export type PutAnswer = { readonly etag: string } | { readonly refused: true; readonly lost: boolean };

/** Only where no object is, or only where the current one has this ETag. */
export type S3Condition = { readonly IfNoneMatch: '*' } | { /** An ETag without quotes. */ readonly IfMatch: string };

/** An SDK client and the commands it was loaded with. */
export type S3 = typeof Sdk & { readonly client: Sdk.S3Client };

const reads = {
  again: ['throttled', 'unreachable'],
  needs: 's3:GetObject on the objects and s3:ListBucket on the bucket',
} as const;
const longestPrefix = 100;

/**
 * Requests on one bucket, each with a time limit and tried again where that is safe. Loads the SDK with the first one.
 */
export class S3Bucket {
  readonly world: World;
  readonly name: string;
  readonly prefix: string;
  readonly #place: S3Place;
  readonly #patience: Patience;
  #sdk: Promise<S3> | undefined;

  /** `invalid` where the prefix is none. */
  constructor(place: S3Place) {
    this.#place = place;
    this.world = place.world;
    this.#patience = { world: place.world, pauseMs: place.pauseMs ?? 100 };
    this.name = place.bucket;
    this.prefix = place.prefix ?? '';
    checkPrefix(this.prefix);
  }

  /** The current object; undefined where there is none or only a delete marker. */
  async get(key: string): Promise<S3Object | undefined> {
    const task = { ...reads, tried: this.tried('get', key) };
    const { came } = await attempt(this.#patience, task, async () => {
      try {
        return await this.#read(key);
      } catch (thrown) {
        if (awsAnswer(thrown).name === 'NoSuchKey') return undefined;
        throw thrown;
      }
    });
    return came;
  }

  /**
   * Stores under a condition what `stored` answers, which is asked before each try. Sent again after a lost answer too:
   * the condition lets only one of them through, unless somebody deletes what the first one created.
   */
  async put(key: string, stored: () => Uint8Array, condition: S3Condition): Promise<PutAnswer> {
    const isReplace = 'IfMatch' in condition;
    const tried = this.tried(isReplace ? 'replace' : 'create', key);
    const header = isReplace ? { IfMatch: quoted(condition.IfMatch) } : condition;
    const task = {
      tried,
      written: true,
      again: ['throttled', 'unreachable', 'uncertain'],
      needs: 's3:PutObject and s3:GetObject on the objects',
    } as const;
    const { came, lost } = await attempt(this.#patience, task, () =>
      orRefused(async () => {
        const { PutObjectCommand, client } = await this.sdk();
        const answer = await client.send(
          new PutObjectCommand({ ...this.#at(key), Body: stored(), ...header }),
          this.limit(),
        );
        return etagOf(answer.ETag, tried);
      }),
    );
    return came === undefined ? { refused: true, lost } : { etag: came };
  }

  /**
   * Deletes the current object if it has this ETag. A lost answer is `uncertain`: nothing would tell who deleted it.
   */
  async delete(key: string, etag: string): Promise<'done' | 'refused'> {
    const task = {
      tried: this.tried('delete', key),
      written: true,
      again: ['throttled', 'unreachable'],
      needs: 's3:DeleteObject and s3:GetObject on the objects',
    } as const;
    const { came } = await attempt(this.#patience, task, () =>
      orRefused(async () => {
        const { DeleteObjectCommand, client } = await this.sdk();
        await client.send(new DeleteObjectCommand({ ...this.#at(key), IfMatch: quoted(etag) }), this.limit());
        return 'done' as const;
      }),
    );
    return came ?? 'refused';
  }

  /** One page of a listing. */
  async page<T>(tried: string, ask: (s3: S3) => Promise<T>): Promise<T> {
    const needs = 's3:ListBucket and s3:ListBucketVersions on the bucket';
    const { came } = await attempt(this.#patience, { ...reads, needs, tried }, async () => await ask(await this.sdk()));
    return came;
  }

  /** The SDK, loaded once. */
  sdk(): Promise<S3> {
    this.#sdk ??= load(this.#place);
    return this.#sdk;
  }

  /** The time limit of a request that begins now. */
  limit(): { readonly abortSignal: AbortSignal } {
    return { abortSignal: AbortSignal.timeout(this.#place.answerMs ?? 10 * second) };
  }

  /** What was tried, for messages. */
  tried(verb: string, key: string): string {
    return `${verb} ${key} in s3://${this.name}/${this.prefix}`;
  }

  async #read(key: string): Promise<S3Object> {
    const { GetObjectCommand, client } = await this.sdk();
    const { Body, ETag, ContentLength } = await client.send(new GetObjectCommand(this.#at(key)), this.limit());
    try {
      expectSize(this.tried('get', key), ContentLength, this.#place.mostBytes?.(key) ?? longestObject);
    } catch (thrown) {
      if (Body && 'destroy' in Body) Body.destroy();
      throw thrown;
    }
    const stored = (await Body?.transformToByteArray()) ?? new Uint8Array();
    return { stored, etag: etagOf(ETag, this.tried('get', key)) };
  }

  #at(key: string) {
    return { Bucket: this.name, Key: this.prefix + key };
  }
}

/** An ETag as it stands in a condition. */
function quoted(etag: string): string {
  return `"${etag}"`;
}

async function load(place: S3Place): Promise<S3> {
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client({ ...awsClientSettings(place), forcePathStyle: place.endpoint !== undefined });
  return { ...sdk, client };
}

/**
 * Undefined for the answers that mean the condition does not hold: 412, and 404 for a condition on an object that is
 * gone.
 */
async function orRefused<T>(send: () => Promise<T>): Promise<T | undefined> {
  try {
    return await send();
  } catch (thrown) {
    const { name, status } = awsAnswer(thrown);
    if (status === 412 || name === 'NoSuchKey') return undefined;
    throw thrown;
  }
}

function etagOf(etag: string | undefined, tried: string): string {
  const [, bare] = /^"([!#-~]+)"$/.exec(etag ?? '') ?? [];
  if (bare !== undefined) return bare;
  throw new LockkeeperError('unsupported', `${tried}: came back with the ETag ${String(etag)}`, {
    hint: 'lockkeeper needs a store that gives every object an ETag.',
  });
}

function checkPrefix(prefix: string): void {
  if (prefix === '') return;
  const hint = `Leave it out, or give a path that ends in "/", ${longestPrefix} characters at most.`;
  if (!prefix.endsWith('/') || prefix.length > longestPrefix)
    throw new LockkeeperError('invalid', `"${prefix}" is no prefix of a store`, { hint });
  checkKey(prefix.slice(0, -1));
}
