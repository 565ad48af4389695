import { describe, expect, test } from '@jest/globals';
import { parseStoreUrl, storeUrl } from '../../shared/config/store-url.ts';

describe('an address names a store', () => {
  test.each([
    ['s3://my-log/office/', { kind: 'aws-s3', bucket: 'my-log', prefix: 'office/' }],
    ['gs://my_log/', { kind: 'gcp-storage', bucket: 'my_log', prefix: '' }],
    [
      'https://account1.blob.core.windows.net/log/a/b/',
      { kind: 'azure-blob', account: 'account1', container: 'log', prefix: 'a/b/' },
    ],
    [
      'https://account1.blob.core.chinacloudapi.cn/log/',
      {
        kind: 'azure-blob',
        account: 'account1',
        container: 'log',
        prefix: '',
        endpoint: 'https://account1.blob.core.chinacloudapi.cn',
      },
    ],
  ])('%s, with "/" at its end or without, and is written the same way', (url, expected) => {
    expect(parseStoreUrl(url)).toEqual(expected);
    expect(parseStoreUrl(url.slice(0, -1))).toEqual(expected);
    expect(storeUrl(parseStoreUrl(url))).toBe(url);
  });

  test('a directory is its own address', () => {
    expect(storeUrl({ kind: 'file-system', path: '/var/log/lockkeeper' })).toBe('/var/log/lockkeeper');
  });
});

describe('what is no address of a store is refused', () => {
  test.each([
    '',
    '/var/log',
    's3:my-log',
    's3://',
    's3://Log',
    's3://log/a//b',
    's3://log/../x',
    'gs://google',
    'https://example.org/log',
    'https://account1.blob.core.windows.net',
    'http://account1.blob.core.windows.net/log',
  ])('%j, with a hint how to write one', (url) => {
    expect(() => parseStoreUrl(url)).toThrow(
      expect.objectContaining({ code: 'invalid', hint: expect.stringContaining('s3://BUCKET/PREFIX') }),
    );
  });

  test.each(['https://account1.blob.core.windows.net/log?sig=planted-secret', 's3://me:planted-secret@log/x'])(
    'and a login in it is not repeated: %s',
    (url) => {
      const thrown = expect.objectContaining({ code: 'invalid', message: expect.not.stringContaining('planted') });
      expect(() => parseStoreUrl(url)).toThrow(thrown);
    },
  );
});
