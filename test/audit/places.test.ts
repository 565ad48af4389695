import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { AuditPlace } from '../../functions/cli/audit.ts';
import { auditDeps } from '../../functions/cli/audit-wire.ts';
import { publishedKey } from '../../shared/audit/layout.ts';
import { startS3, type S3StandIn } from '../clouds/aws-s3.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-audit-places-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** Writes files below the directory; answers the path of `at`. */
async function made(at: string, ...files: readonly string[]): Promise<string> {
  for (const file of files) {
    await mkdir(dirname(join(directory, file)), { recursive: true });
    await writeFile(join(directory, file), 'x');
  }
  return join(directory, at);
}

const configFile = () => Promise.resolve(join(directory, 'lockkeeper.yaml'));
const deps = auditDeps(configFile);

/** What is found at a place, without the stores themselves. */
async function found(place: AuditPlace) {
  const { state, history, where, kind } = await deps.stores(place);
  return {
    where: where.replace(directory, ''),
    kind,
    hasState: state !== undefined,
    hasHistory: history !== undefined,
  };
}

describe('--dir', () => {
  test.each([
    ['', ['log/inbox/1', 'state/x'], { where: '/log', kind: 'log', hasState: true }],
    ['', ['log/inbox/1'], { where: '/log', kind: 'log', hasState: false }],
    ['log', ['log/seq/1', `state/${publishedKey}`], { where: '/log', kind: 'log', hasState: true }],
    ['evidence', ['evidence/inbox/1'], { where: '/evidence', kind: 'log', hasState: false }],
    ['evidence', ['evidence/seq/1', 'state/of-something-else'], { where: '/evidence', kind: 'log', hasState: false }],
    ['site', ['site/checkpoint', 'site/tile/0/000.p/1'], { where: '/site', kind: 'tiles', hasState: false }],
    ['site', ['site/checkpoint'], { where: '/site', kind: 'tiles', hasState: false }],
  ])('%j of %j is a log', async (at, files, expected) => {
    expect(await found({ dir: await made(at, ...files) })).toEqual({ ...expected, hasHistory: false });
  });

  test.each([
    ['', []],
    ['nowhere', []],
    ['', ['tile/0/000']],
    ['photos', ['photos/1.jpg', 'log/inbox/1']],
  ])('%j of %j is none, and it is said what one looks like', async (at, files) => {
    await expect(found({ dir: await made(at, ...files) })).rejects.toMatchObject({
      code: 'not-found',
      hint: expect.any(String),
    });
  });
});

test('an export that was not finished is called that', async () => {
  await expect(found({ dir: await made('out', 'out/log.vkey', 'out/tile/0/000') })).rejects.toMatchObject({
    code: 'not-found',
    hint: expect.stringContaining('was not finished'),
  });
});

describe('two places at once are refused', () => {
  test.each([
    [{ dir: '/a', store: 's3://bucket' }, 'Give --dir alone'],
    [{ dir: '/a', state: 's3://bucket' }, 'Give --dir alone'],
    [{ state: 's3://bucket' }, 'Give --store too'],
  ])('%j', async (place, hint) => {
    await expect(found(place)).rejects.toMatchObject({ code: 'invalid', hint: expect.stringContaining(hint) });
  });
});

describe('a log in a cloud', () => {
  let s3: S3StandIn;
  const environment = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION', 'AWS_ENDPOINT_URL_S3'] as const;
  beforeAll(async () => {
    s3 = await startS3();
    const { credentials, endpoint } = s3.place;
    const values = [credentials.accessKeyId, credentials.secretAccessKey.open(), 'us-east-1', endpoint];
    for (const [at, name] of environment.entries()) process.env[name] = values[at];
    s3.model.plant('log/inbox/1', Buffer.from('x'));
    s3.model.plant('state/journal', Buffer.from('x'));
    s3.model.plant('site/checkpoint', Buffer.from('x'));
  });
  afterAll(async () => {
    for (const name of environment) Reflect.deleteProperty(process.env, name);
    await s3.close();
  });
  const at = (prefix: string) => `s3://${s3.place.bucket}/${prefix}`;

  test('is read at --store, with its past, and with the state at --state', async () => {
    expect(await found({ store: at('log') })).toEqual({
      where: at('log/'),
      kind: 'log',
      hasState: false,
      hasHistory: true,
    });
    expect(await found({ store: at('log/'), state: at('state') })).toMatchObject({ hasState: true });
    expect(await found({ store: at('site') })).toMatchObject({ kind: 'tiles' });
  });

  test('is read where the configuration says, and nothing is written there', async () => {
    const text = `version: 1
stores:
  state: { kind: aws-s3, bucket: ${s3.place.bucket}, prefix: state/, endpoint: "${s3.place.endpoint}" }
  log: { kind: aws-s3, bucket: ${s3.place.bucket}, prefix: log/, endpoint: "${s3.place.endpoint}" }
audit:
  key: { kind: aws-kms, keyId: alias/lockkeeper }
  verifyWith: example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k
`;
    await writeFile(await configFile(), text);
    expect(await found({})).toEqual({ where: at('log/'), kind: 'log', hasState: true, hasHistory: true });
    expect(await deps.stores({})).toMatchObject({ verifyWith: expect.stringMatching(/^example/) });
    expect(s3.asked.PutObject + s3.asked.DeleteObject).toBe(0);
  });

  test('that is empty is none, unless its state store holds something: then it was emptied', async () => {
    await expect(found({ store: at('typo') })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(at('typo/')),
    });
    await expect(found({ store: at('typo'), state: at('typo2') })).rejects.toMatchObject({ code: 'not-found' });
    expect(await found({ store: at('typo'), state: at('state') })).toMatchObject({ kind: 'log', hasState: true });
  });

  test('in a bucket that is not there is an error', async () => {
    await expect(found({ store: 's3://no-such-bucket/log' })).rejects.toMatchObject({ code: 'not-found' });
  });
});
