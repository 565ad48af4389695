import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { BlobServiceClient, StorageSharedKeyCredential, type ContainerClient } from '@azure/storage-blob';
import { startAzureBlob, type AzureBlobStandIn } from './azure-blob.ts';

let azure: AzureBlobStandIn;
let container: ContainerClient;

/** A client as anybody would use it, without the driver. */
function client(key: string): ContainerClient {
  const credential = new StorageSharedKeyCredential(azure.place.account, key);
  return new BlobServiceClient(azure.place.endpoint, credential, { retryOptions: { maxTries: 1 } }).getContainerClient(
    azure.place.container,
  );
}

beforeEach(async () => {
  azure = await startAzureBlob({ versioned: true });
  container = client(azure.place.accountKey.open());
});
afterEach(async () => await azure.close());

describe('the stand-in refuses what Azure refuses', () => {
  const body = Buffer.from('x');

  test('a signature by another key', async () => {
    await expect(client('b3RoZXI=').getBlockBlobClient('k').upload(body, 1)).rejects.toMatchObject({
      statusCode: 403,
      code: 'AuthenticationFailed',
    });
  });

  test('no signature', async () => {
    const answer = await fetch(`${azure.place.endpoint}/${azure.place.container}/k`, {
      headers: { 'x-ms-version': '2026-10-06' },
    });
    expect([answer.status, answer.headers.get('x-ms-error-code')]).toEqual([401, 'NoAuthenticationInformation']);
  });

  test('a body that is not the one whose digest was sent', async () => {
    const upload = container.getBlockBlobClient('k').upload(body, 1, { transactionalContentMD5: Buffer.alloc(16) });
    await expect(upload).rejects.toMatchObject({ statusCode: 400, code: 'Md5Mismatch' });
    expect(azure.model.current('k')).toBeUndefined();
  });

  test('a second create, a stale replace, a stale delete', async () => {
    const blob = container.getBlockBlobClient('k');
    const { etag = '' } = await blob.upload(body, 1, { conditions: { ifNoneMatch: '*' } });
    await expect(blob.upload(body, 1, { conditions: { ifNoneMatch: '*' } })).rejects.toMatchObject({
      statusCode: 409,
      code: 'BlobAlreadyExists',
    });
    await blob.upload(body, 1, { conditions: { ifMatch: etag } });
    await expect(blob.upload(body, 1, { conditions: { ifMatch: etag } })).rejects.toMatchObject({
      statusCode: 412,
      code: 'ConditionNotMet',
    });
    await expect(blob.delete({ conditions: { ifMatch: etag } })).rejects.toMatchObject({ statusCode: 412 });
  });
});

describe('the stand-in says loudly what it does not know', () => {
  const unknown = { statusCode: 501 };

  test('headers, parameters, operations', async () => {
    const blob = container.getBlockBlobClient('k');
    await expect(blob.upload(Buffer.from('x'), 1, { tier: 'Cool' })).rejects.toMatchObject(unknown);
    await expect(blob.upload(Buffer.from('x'), 1, { metadata: { a: 'b' } })).rejects.toMatchObject(unknown);
    await expect(blob.download(0, 5)).rejects.toMatchObject(unknown);
    await expect(blob.setMetadata({ a: 'b' })).rejects.toMatchObject(unknown);
    await expect(container.create()).rejects.toMatchObject(unknown);
    await expect(container.listBlobsFlat({ includeTags: true }).next()).rejects.toMatchObject(unknown);
  });
});
