import { describe, expect, test } from '@jest/globals';
import { checkConfig } from '../../shared/config/check.ts';
import { mistakes, right, withStores } from './place.ts';

const files = '{ kind: file-system, path: state }';
const key = 'audit: { key: { kind: file, path: audit.key } }\n';

/** What is said about a log store, as `log` writes it beside a state store of files. */
function aboutLog(log: string): readonly string[] {
  return mistakes(withStores(files, log)).map((line) => line.replace(/^4:\d+ stores\.log\.?/, ''));
}

describe('a store can be', () => {
  test.each([
    ['{ kind: file-system, path: log }', { kind: 'file-system', path: '/etc/lockkeeper/log' }],
    ['{ kind: aws-s3, bucket: my.log-bucket }', { kind: 'aws-s3', bucket: 'my.log-bucket', prefix: '' }],
    [
      '{ kind: aws-s3, bucket: log, prefix: a/b, region: eu-central-1, endpoint: "http://127.0.0.1:9000" }',
      { kind: 'aws-s3', bucket: 'log', prefix: 'a/b/', region: 'eu-central-1', endpoint: 'http://127.0.0.1:9000' },
    ],
    [
      '{ kind: gcp-storage, bucket: my_log, prefix: a/, projectId: my-project }',
      { kind: 'gcp-storage', bucket: 'my_log', prefix: 'a/', projectId: 'my-project' },
    ],
    [
      '{ kind: azure-blob, account: account1, container: my-log, endpoint: "https://account1.blob.core.usgovcloudapi.net" }',
      {
        kind: 'azure-blob',
        account: 'account1',
        container: 'my-log',
        prefix: '',
        endpoint: 'https://account1.blob.core.usgovcloudapi.net',
      },
    ],
  ])('%s', (log, expected) => {
    expect(right(withStores(files, log)).stores.log).toEqual(expected);
  });
});

describe('what no cloud would take is refused with its line', () => {
  test.each([
    ['{ kind: aws-s3, bucket: Log }', 'bucket is not the name of a general purpose bucket'],
    ['{ kind: aws-s3, bucket: lo }', 'bucket is not the name of a general purpose bucket'],
    ['{ kind: aws-s3, bucket: a..b }', 'bucket is not the name of a general purpose bucket'],
    ['{ kind: aws-s3, bucket: 10.0.0.1 }', 'bucket is not the name of a general purpose bucket'],
    ['{ kind: aws-s3, bucket: log--euc1-az1--x-s3 }', 'bucket is not the name of a general purpose bucket'],
    ['{ kind: gcp-storage, bucket: google-log }', 'bucket is not the name of a bucket'],
    ['{ kind: gcp-storage, bucket: -log }', 'bucket is not the name of a bucket'],
    ['{ kind: gcp-storage, bucket: log, projectId: P }', 'projectId is not the id of a project'],
    ['{ kind: azure-blob, account: my-account, container: log }', 'account is not the name of a storage account'],
    ['{ kind: azure-blob, account: account1, container: a--b }', 'container is not the name of a container'],
    ['{ kind: azure-blob, account: account1, container: $web }', 'container is not the name of a container'],
    ['{ kind: aws-s3, bucket: log, prefix: /a }', 'prefix is not a prefix'],
    ['{ kind: aws-s3, bucket: log, prefix: a//b }', 'prefix is not a prefix'],
    ['{ kind: aws-s3, bucket: log, prefix: a/../b }', 'prefix is not a prefix'],
    ['{ kind: aws-s3, bucket: log, prefix: a b }', 'prefix is not a prefix'],
    [`{ kind: aws-s3, bucket: log, prefix: ${'a'.repeat(100)} }`, 'prefix may have at most 99'],
    ['{ kind: aws-s3, bucket: log, endpoint: "http://s3.internal" }', 'endpoint is not https://HOST'],
    [
      '{ kind: azure-blob, account: account1, container: log, endpoint: "http://127.0.0.1:10000" }',
      'endpoint is not https',
    ],
    ['{ kind: aws-s3, container: log }', 'bucket is missing'],
    ['{ kind: aws-s3, bucket: log, accountKey: x }', '<name 3> is not a key of this format'],
    ['{ kind: s3, bucket: log }', 'kind is not one of: file-system, aws-s3, gcp-storage, azure-blob'],
  ])('%s', (log, what) => {
    expect(aboutLog(log)).toContainEqual(expect.stringContaining(what));
  });

  test.each(['https://me:planted-secret@store.example', 'https://account1.blob.core.windows.net/?sig=planted-secret'])(
    'and a login in an address is not repeated: %s',
    (endpoint) => {
      const { mistakes: found } = checkConfig(
        withStores(files, `{ kind: aws-s3, bucket: log, endpoint: "${endpoint}" }`),
        '/',
      );
      expect(found).toHaveLength(1);
      expect(JSON.stringify(found)).not.toContain('planted-secret');
    },
  );
});

describe('state and log are two places', () => {
  const s3 = (more: string) => `{ kind: aws-s3, bucket: one${more} }`;
  const gcs = (more: string) => `{ kind: gcp-storage, bucket: one${more} }`;
  const azure = (container: string, more = '') =>
    `{ kind: azure-blob, account: account1, container: ${container}${more} }`;

  test.each([
    [s3(''), s3(''), 'bucket'],
    [s3(', prefix: a'), s3(''), 'bucket'],
    [s3(', prefix: a/b'), s3(', prefix: a/'), 'bucket'],
    [s3(', prefix: a, region: eu-west-1'), s3(', prefix: a'), 'bucket'],
    [gcs(', prefix: a'), gcs(', prefix: a, endpoint: "https://storage.example"'), 'bucket'],
    [azure('one'), azure('one', ', prefix: log'), 'container'],
    ['{ kind: file-system, path: data }', '{ kind: file-system, path: ../lockkeeper/data/log }', 'path'],
    ['{ kind: file-system, path: /etc/lockkeeper/data/state }', '{ kind: file-system, path: ./data/ }', 'path'],
  ])('%s and %s are one', (state, log, names) => {
    expect(mistakes(withStores(state, log, key))).toEqual([
      expect.stringMatching(
        new RegExp(String.raw`^4:\d+ stores\.log\.${names} is the place of .state., or one is inside the other$`),
      ),
    ]);
  });

  test.each([
    [s3(', prefix: a'), s3(', prefix: ab')],
    [s3(', prefix: state'), s3(', prefix: log')],
    [s3(', endpoint: "https://a.example"'), s3(', endpoint: "https://b.example"')],
    [s3(''), gcs('')],
    [azure('one'), azure('two')],
    ['{ kind: file-system, path: data }', '{ kind: file-system, path: data2 }'],
  ])('%s and %s are two', (state, log) => {
    expect(mistakes(withStores(state, log, key))).toEqual([]);
  });
});
