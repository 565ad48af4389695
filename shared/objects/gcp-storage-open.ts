import type { Bucket } from '@google-cloud/storage';
import type { Sealed } from '../base/sealed.ts';
import type { SizeLimit } from './contract.ts';

/** Which bucket, and how patient to be with it. */
export interface GcpStorageSettings {
  readonly bucket: string;
  /** Stands before every key; '' or ends in "/". */
  readonly prefix?: string;
  readonly projectId?: string | undefined;
  /** A server that speaks the same protocol (http://127.0.0.1:4443). Google's identity is not shown to it. */
  readonly endpoint?: string | undefined;
  /** Bearer token for `endpoint`. */
  readonly token?: Sealed;
  /** Names a page of a listing; 1,000 if left out, which is Google's largest. */
  readonly pageSize?: number;
  /**
   * Milliseconds to wait before each further try of a request that Google asks to repeat; about 8 s in all if left out.
   */
  readonly waitsMs?: readonly number[];
  /** How long one request may take, in milliseconds; 10 s if left out. */
  readonly limitMs?: number;
  /** How many bytes an object may have; a longer one is `conflict`, and is not read. */
  readonly mostBytes?: SizeLimit | undefined;
}

/** A handle on the bucket; nothing is asked yet. The SDK is loaded by the first call. */
export async function openBucket({ bucket, projectId, endpoint, token }: GcpStorageSettings): Promise<Bucket> {
  const { Storage } = await import('@google-cloud/storage');
  const storage = new Storage({
    retryOptions: { autoRetry: false },
    ...(projectId !== undefined && { projectId }),
    ...(endpoint !== undefined && { apiEndpoint: endpoint }),
  });
  if (token) {
    storage.interceptors.push({
      request(sent) {
        const uri = 'uri' in sent ? sent.uri : sent.url;
        return { ...sent, uri, headers: { ...sent.headers, authorization: `Bearer ${token.open()}` } };
      },
    });
  }
  return storage.bucket(bucket);
}
