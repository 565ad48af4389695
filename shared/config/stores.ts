import { z } from 'zod';
import { pathOf, webAddress, type ResolvePath } from './fields.ts';

/** Where objects are kept: a directory, or a bucket or container of a cloud. No login is ever written here. */
export function objectStore(resolve: ResolvePath) {
  return z.discriminatedUnion('kind', [fileSystem(resolve), awsS3, gcpStorage, azureBlob]);
}

/** One place for objects. A prefix is empty or ends in "/". */
export type StoreConfig = z.output<ReturnType<typeof objectStore>>;

/** The two stores of lockkeeper. */
export function stores(resolve: ResolvePath) {
  const store = objectStore(resolve);
  return z
    .strictObject({
      state: store.describe('Journals, proposals and usage facts: objects that change.'),
      log: store.describe('The audit log: objects that are only ever created.'),
    })
    .describe('Where lockkeeper keeps what it knows. Two different places.');
}

/** Segments as object keys have them. With the longest key it stays below the 1024 bytes that every cloud allows. */
const prefix = z
  .string()
  .regex(/^(?:(?!\.{1,2}(?:\/|$))[A-Za-z0-9._=-]+(?:\/|$))*$/, {
    error: 'is not a prefix: use segments of letters, digits and . _ = - joined by "/"',
  })
  .max(99)
  .transform((text) => (text === '' || text.endsWith('/') ? text : `${text}/`))
  .default('')
  .describe('What every key begins with, such as lockkeeper/log/. Default: nothing.');

function fileSystem(resolve: ResolvePath) {
  return z.strictObject({
    kind: z.literal('file-system'),
    path: pathOf(resolve).describe('A directory; it is made where it is missing.'),
  });
}

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html; endings in "-s3" and the like are no
 * plain buckets.
 */
const s3Bucket =
  /^(?!\d+(?:\.\d+){3}$)(?!xn--|sthree-|amzn-s3-demo-)(?!.*\.\.)(?!.*(?:-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

const awsS3 = z.strictObject({
  kind: z.literal('aws-s3'),
  bucket: z
    .string()
    .regex(s3Bucket, { error: 'is not the name of a general purpose bucket' })
    .describe('The bucket: 3 to 63 of a-z 0-9 . and -. Directory buckets have neither versions nor locks.'),
  prefix,
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, { error: 'is not a region' })
    .exactOptional()
    .describe('Its region. Default: that of the AWS login.'),
  endpoint: webAddress.exactOptional().describe('Address of a store that is compatible with S3. Default: AWS itself.'),
});

/** https://cloud.google.com/storage/docs/buckets#naming */
const gcpBucket =
  /^(?=.{3,222}$)(?!goog)(?!.*google)(?!\d+(?:\.\d+){3}$)[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?)*$/;

const gcpStorage = z.strictObject({
  kind: z.literal('gcp-storage'),
  bucket: z
    .string()
    .regex(gcpBucket, { error: 'is not the name of a bucket' })
    .describe('The bucket: 3 to 63 of a-z 0-9 _ and -, longer with dots.'),
  prefix,
  projectId: z
    .string()
    .regex(/^(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/, { error: 'is not the id of a project' })
    .exactOptional()
    .describe('The project that is billed. Default: that of the Google login.'),
  endpoint: webAddress
    .exactOptional()
    .describe('A server on this machine that speaks the same; no login is shown to it. Default: Google itself.'),
});

const azureBlob = z.strictObject({
  kind: z.literal('azure-blob'),
  account: z
    .string()
    .regex(/^[a-z0-9]{3,24}$/, { error: 'is not the name of a storage account' })
    .describe('The storage account: 3 to 24 of a-z and 0-9.'),
  container: z
    .string()
    .regex(/^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, { error: 'is not the name of a container' })
    .describe('The container: 3 to 63 of a-z 0-9 and single -.'),
  prefix,
  endpoint: webAddress
    .refine((text) => text.startsWith('https:'), 'is not https: a login would go over http')
    .exactOptional()
    .describe('Address of the account, where it is not https://ACCOUNT.blob.core.windows.net.'),
});
