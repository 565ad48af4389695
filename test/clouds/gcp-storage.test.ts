import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { crc32c } from './gcp-storage-state.ts';
import { GcpStorage } from './gcp-storage.ts';

let cloud: GcpStorage;

beforeEach(async () => {
  cloud = await GcpStorage.start({ softDelete: true });
});
afterEach(async () => {
  await cloud.close();
});

async function ask(
  path: string,
  { method = 'GET', headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<number> {
  const authorization = `Bearer ${cloud.token.open()}`;
  const answer = await fetch(`${cloud.endpoint}${path}`, {
    method,
    headers: { authorization, ...headers },
    ...(body !== undefined && { body }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

const upload = async (metadata: object, query = '') =>
  await ask(`/upload/storage/v1/b/bucket/o?uploadType=multipart&name=k${query}`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/related; boundary=B' },
    body: `--B\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(metadata)}\r\n--B\r\nContent-Type: text/plain\r\n\r\n123456789\r\n--B--`,
  });

test('the sum is CRC-32C, which gives e3069283 for the nine digits', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(Buffer.from('e3069283', 'hex').toString('base64'));
});

test('a request without the token is 401', async () => {
  expect(await ask('/storage/v1/b/bucket/o', { headers: { authorization: '' } })).toBe(401);
});

test('bytes whose sum is not the one that came with them are 400, and not kept', async () => {
  expect(await upload({ crc32c: 'AAAAAA==' })).toBe(400);
  expect(await upload({ md5Hash: 'AAAAAA==' })).toBe(400);
  expect(cloud.observe('k')).toBeUndefined();
  expect(await upload({ crc32c: '4waSgw==' })).toBe(200);
  expect(Buffer.from(cloud.observe('k') ?? []).toString()).toBe('123456789');
});

test('what is not imitated is 501, never passed over', async () => {
  expect(await ask('/storage/v1/b/bucket/o?delimiter=/')).toBe(501);
  expect(await ask('/storage/v1/b/bucket/o?fields=kind')).toBe(501);
  expect(await ask('/storage/v1/b/bucket')).toBe(501);
  expect(await upload({ cacheControl: 'no-store' })).toBe(501);
  expect(await upload({}, '&ifMetagenerationMatch=1')).toBe(501);
  expect(await ask('/upload/storage/v1/b/bucket/o?uploadType=resumable&name=k', { method: 'POST' })).toBe(501);
});

test('what the service refuses is refused', async () => {
  expect(await ask('/storage/v1/b/bucket/o?versions=true&softDeleted=true')).toBe(400);
  expect(await ask('/storage/v1/b/bucket/o?maxResults=1001')).toBe(400);
  expect(await ask('/storage/v1/b/other/o')).toBe(404);
  expect(await upload({}, '&ifGenerationMatch=7')).toBe(412);
  expect(await upload({}, '&ifGenerationMatch=0')).toBe(200);
  expect(await upload({}, '&ifGenerationMatch=0')).toBe(412);
});
