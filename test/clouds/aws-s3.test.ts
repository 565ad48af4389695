import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { crcOf } from './aws-s3-checks.ts';
import { startS3, type S3StandIn } from './aws-s3.ts';

let s3: S3StandIn;
const content = new TextEncoder().encode('content');
const signed = 'host;if-match;if-none-match;x-amz-content-sha256;x-amz-date';

beforeEach(async () => {
  s3 = await startS3({ locked: true });
});
afterEach(() => s3.close());

/** A request as the SDK would sign it, changed. */
async function ask(
  method: string,
  path: string,
  changed: Readonly<Record<string, string | undefined>> = {},
  body: Uint8Array<ArrayBuffer> = content,
) {
  const headers = {
    authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261001/us-east-1/s3/aws4_request, SignedHeaders=${signed}, Signature=${'0'.repeat(64)}`,
    'x-amz-date': '20261001T000000Z',
    'x-amz-content-sha256': createHash('sha256')
      .update(method === 'PUT' ? body : '')
      .digest('hex'),
    ...(method === 'PUT' && { 'x-amz-checksum-crc32': crcOf(body) }),
    ...changed,
  };
  const sent = Object.entries(headers).filter((header): header is [string, string] => header[1] !== undefined);
  const response = await fetch(`${s3.place.endpoint}/${s3.place.bucket}${path}`, {
    method,
    headers: sent,
    ...(method === 'PUT' && { body }),
  });
  const [, code] = /<Code>(\w+)<\/Code>/.exec(await response.text()) ?? [];
  return `${response.status} ${code ?? ''}`.trim();
}

describe('the stand-in for S3 refuses', () => {
  test.each([
    ['no signature', { authorization: undefined }, '403 AccessDenied'],
    [
      'another key id',
      {
        authorization: `AWS4-HMAC-SHA256 Credential=OTHER/20261001/us-east-1/s3/aws4_request, SignedHeaders=${signed}, Signature=${'0'.repeat(64)}`,
      },
      '403 InvalidAccessKeyId',
    ],
    [
      'a condition that is not signed',
      {
        authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261001/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${'0'.repeat(64)}`,
        'if-none-match': '*',
      },
      '403 SignatureDoesNotMatch',
    ],
    ['a session token it did not give', { 'x-amz-security-token': 'other' }, '400 InvalidToken'],
    ['a wrong SHA-256', { 'x-amz-content-sha256': '0'.repeat(64) }, '400 XAmzContentSHA256Mismatch'],
    ['a wrong CRC32', { 'x-amz-checksum-crc32': 'AAAAAA==' }, '400 BadDigest'],
    ['a write without checksum under Object Lock', { 'x-amz-checksum-crc32': undefined }, '400 InvalidRequest'],
    ['a header it does not know', { 'x-amz-object-lock-mode': 'GOVERNANCE' }, '501 NotImplemented'],
    ['an If-None-Match that is no *', { 'if-none-match': '"abc"' }, '501 NotImplemented'],
    ['both conditions at once', { 'if-none-match': '*', 'if-match': '"abc"' }, '501 NotImplemented'],
    ['a stale If-Match on nothing', { 'if-match': '"abc"' }, '404 NoSuchKey'],
  ])('%s', async (_, changed, refusal) => {
    expect(await ask('PUT', '/k', changed)).toBe(refusal);
    expect(s3.model.all('')).toEqual([]);
  });

  test.each([
    ['GET', '/k', { range: 'bytes=0-1' }],
    ['GET', '/k', { 'if-match': '"abc"' }],
    ['GET', '/k?versionId=v1', {}],
    ['GET', '?list-type=2&delimiter=/', {}],
    ['GET', '?prefix=a', {}],
    ['GET', '?versions&delimiter=/', {}],
    ['DELETE', '/k?versionId=v1', {}],
    ['DELETE', '/k', { 'x-amz-bypass-governance-retention': 'true' }],
    ['POST', '/k', {}],
    ['PUT', '', {}],
  ])('what it does not know: %s %s %j', async (method, path, changed) => {
    expect(await ask(method, path, changed)).toBe('501 NotImplemented');
  });

  test('and lets the same through without the fault', async () => {
    expect(await ask('PUT', '/k', { 'if-none-match': '*' })).toBe('200');
    expect(await ask('GET', '/k')).toBe('200');
    expect(await ask('PUT', '/k', { 'if-none-match': '*' })).toBe('412 PreconditionFailed');
    expect(await ask('DELETE', '/k')).toBe('204');
    expect(await ask('GET', '/k')).toBe('404 NoSuchKey');
  });
});
