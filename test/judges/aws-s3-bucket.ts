import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutBucketVersioningCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import { Sealed } from '../../shared/base/sealed.ts';
import { awsAnswer, awsClientSettings } from '../../shared/clouds/aws.ts';
import { awsS3Objects, type AwsS3Options } from '../../shared/objects/aws-s3.ts';
import { takeApart } from '../../shared/objects/aws-s3-trailer.ts';
import { bytes, keysOf, type ObjectStoreHarness } from '../conformance/object-store-harness.ts';
import type { CreateOnlyHarness } from '../objects/aws-s3-create-only.ts';
import { testWorld } from '../world.ts';

/** The account that a judge of S3 is started with. */
export const account = { accessKeyId: 'judge', secretAccessKey: 'judge-secret' } as const;

let made = 0;

/** A new bucket; `locked`: with versions and a day of retention by default. */
export async function freshBucket(endpoint: string, keeps: 'nothing' | 'versions' | 'locked') {
  const locked = keeps === 'locked';
  made += 1;
  const bucket = `judged-${made}`;
  const place = {
    endpoint,
    bucket,
    credentials: { accessKeyId: account.accessKeyId, secretAccessKey: new Sealed(account.secretAccessKey) },
  };
  const client = new S3Client({ ...awsClientSettings(place), forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket, ...(locked && { ObjectLockEnabledForBucket: true }) }));
  if (keeps === 'versions')
    await client.send(
      new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }),
    );
  if (locked) {
    const rule = { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } } as const;
    await client.send(
      new PutObjectLockConfigurationCommand({
        Bucket: bucket,
        ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: rule },
      }),
    );
  }
  return { place, client, bucket };
}

/** For the suite: a bucket whose objects change. */
export async function changingHarness(endpoint: string, keeps: 'nothing' | 'versions'): Promise<ObjectStoreHarness> {
  const { place, client, bucket } = await freshBucket(endpoint, keeps);
  const store = (seed: string) => handle(place, 'changing', seed);
  return {
    one: store('one'),
    two: store('two'),
    observe: async (key) => {
      const stored = await stands(client, bucket, key);
      return stored && takeApart(stored).content;
    },
    close: async () => client.destroy(),
  };
}

/** For the create-only suite: a bucket under Object Lock. */
export async function createOnlyHarness(endpoint: string): Promise<CreateOnlyHarness> {
  const { place, client, bucket } = await freshBucket(endpoint, 'locked');
  const store = (seed: string) => handle(place, 'create-only', seed);
  return {
    one: store('one'),
    two: store('two'),
    observe: (key) => stands(client, bucket, key),
    hide: async (key) => void (await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))),
    close: async () => client.destroy(),
  };
}

/** Declares the promise that takes more keys than a page of a real server holds. */
export function pagingTest(endpoint: () => string): void {
  test('a listing and the past go on over pages of a thousand', async () => {
    const harness = await createOnlyHarness(endpoint());
    const { one } = harness;
    const keys = Array.from({ length: 1_010 }, (_, i) => `many/${String(i).padStart(4, '0')}`);
    for (let begin = 0; begin < keys.length; begin += 10)
      await Promise.all(keys.slice(begin, begin + 10).map((key) => one.create(key, bytes('x'))));
    expect(await keysOf(one, 'many/')).toEqual(keys);
    for (const i of [3, 1_005]) await harness.hide(keys[i] ?? '');
    const past: string[] = [];
    for await (const { key } of one.altered('many/')) past.push(key);
    expect(past).toEqual([keys[3], keys[1_005]]);
    await harness.close();
  }, 120_000);
}

function handle(place: Omit<AwsS3Options, 'contents' | 'world'>, contents: AwsS3Options['contents'], seed: string) {
  return awsS3Objects({ ...place, contents, world: testWorld(undefined, seed) });
}

async function stands(client: S3Client, bucket: string, key: string): Promise<Uint8Array | undefined> {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return Body && Uint8Array.from(await Body.transformToByteArray());
  } catch (thrown) {
    if (awsAnswer(thrown).name === 'NoSuchKey') return undefined;
    throw thrown;
  }
}
