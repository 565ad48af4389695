import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { objectStoreSuite } from '../conformance/object-store.ts';
import { createOnlySuite } from '../objects/aws-s3-create-only.ts';
import { account, changingHarness, createOnlyHarness, pagingTest } from './aws-s3-bucket.ts';
import { installed } from './installed.ts';
import { startServer, type Server } from './server.ts';

let server: Server;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-versitygw-'));
  const [data, versions] = [join(directory, 'data'), join(directory, 'versions')];
  await mkdir(data);
  await mkdir(versions);
  server = await startServer({
    program: await installed('versitygw'),
    words: (port) => ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', '--versioning-dir', versions, data],
    environment: { ROOT_ACCESS_KEY_ID: account.accessKeyId, ROOT_SECRET_ACCESS_KEY: account.secretAccessKey },
  });
}, 600_000);
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true });
});

const deleteOfNothing = 'a DELETE with If-Match of an object that is gone answers 204; S3 answers 404';

// With versions a delete marker counts as the object it hides; what changes is judged in a bucket without.
objectStoreSuite('aws-s3 on versitygw', () => changingHarness(server.url, 'nothing'), {
  folders: true,
  deviations: {
    'an absent object is missing, also the second time': deleteOfNothing,
    'a lost acknowledgement of a replace or delete shows as stale or missing, never as a second write': deleteOfNothing,
  },
  unsteady: {
    'of a delete and a replace at once exactly one wins':
      'a DELETE with If-Match compares first and deletes later, so both may win',
    'bytes and version always belong together while others write':
      'a GET reads the ETag first and opens the file later, so an old ETag may come with newer bytes',
  },
});
createOnlySuite('aws-s3 on versitygw', () => createOnlyHarness(server.url), {
  folders: true,
  deviations: {
    'an object hidden behind a delete marker and made again under its name shows in the past':
      'If-None-Match on a delete marker answers 412; S3 creates, and two versions and a marker show it',
  },
});
pagingTest(() => server.url);
