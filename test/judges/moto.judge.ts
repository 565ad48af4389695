import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DeleteObjectCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { awsAnswer } from '../../shared/clouds/aws.ts';
import { awsS3Objects } from '../../shared/objects/aws-s3.ts';
import { bytes } from '../conformance/object-store-harness.ts';
import { objectStoreSuite } from '../conformance/object-store.ts';
import { createOnlySuite } from '../objects/aws-s3-create-only.ts';
import { testWorld } from '../world.ts';
import { changingHarness, createOnlyHarness, freshBucket, pagingTest } from './aws-s3-bucket.ts';
import { installed } from './installed.ts';
import { startServer, type Server } from './server.ts';

// moto never answers 409 or 503, and takes any credentials: those promises have the stand-in only.

let server: Server;

beforeAll(async () => {
  server = await startServer({
    program: await installed('moto'),
    words: (port) => ['-H', '127.0.0.1', '-p', String(port)],
  });
}, 600_000);
afterAll(async () => await server.stop());

objectStoreSuite('aws-s3 on moto', () => changingHarness(server.url, 'versions'), { folders: false });
createOnlySuite('aws-s3 on moto', () => createOnlyHarness(server.url), { folders: false });

pagingTest(() => server.url);

test('a version under retention cannot be deleted', async () => {
  const { place, client, bucket } = await freshBucket(server.url, 'locked');
  await awsS3Objects({ ...place, contents: 'create-only', world: testWorld() }).create('k', bytes('1'));
  const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }));
  const erased: unknown = await client
    .send(new DeleteObjectCommand({ Bucket: bucket, Key: 'k', VersionId: Versions[0]?.VersionId }))
    .catch((thrown: unknown) => thrown);
  expect(awsAnswer(erased)).toMatchObject({ name: 'AccessDenied', status: 403 });
});
