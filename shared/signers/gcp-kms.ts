import { createPublicKey } from 'node:crypto';
import type { KeyManagementServiceClient } from '@google-cloud/kms';
import { crc32c } from '../base/crc32c.ts';
import { rawEd25519 } from '../base/ed25519.ts';
import { LockkeeperError } from '../base/error.ts';
import { second } from '../base/time.ts';
import { gcpError } from '../clouds/gcp.ts';
import { checkedSignature } from './checked-signature.ts';
import type { Signer } from './contract.ts';

/** Which version of which key. */
export interface GcpKmsOptions {
  /** projects/…/locations/…/keyRings/…/cryptoKeys/…/cryptoKeyVersions/N: a version never changes. */
  readonly version: string;
  /** Base URL of a server that speaks the same protocol. Google's identity is not shown to it. */
  readonly endpoint?: string | undefined;
}

/**
 * Three tries in all, where Google is unavailable or too slow: signing changes nothing. By itself the SDK goes on for
 * ten minutes.
 */
const call = { timeout: 20 * second, maxRetries: 3 };

/**
 * A key version of Google Cloud KMS of the algorithm EC_SIGN_ED25519, over REST. Message and signature are protected by
 * CRC-32C on the way, as Google asks: `unreachable` where one does not fit, `rejected` where the signature does not
 * verify all the same. https://cloud.google.com/kms/docs/data-integrity-guidelines
 */
export function gcpKmsSigner(options: GcpKmsOptions): Signer {
  const key = new GcpKmsKey(options);
  return {
    publicKey: async () => Uint8Array.from(await key.publicKey()),
    sign: async (message) => await key.sign(message),
  };
}

class GcpKmsKey {
  readonly #options: GcpKmsOptions;
  #client: KeyManagementServiceClient | undefined;
  #publicKey: Uint8Array | undefined;

  constructor(options: GcpKmsOptions) {
    this.#options = options;
  }

  async publicKey(): Promise<Uint8Array> {
    return (this.#publicKey ??= await this.#load());
  }

  async sign(message: Uint8Array): Promise<Uint8Array> {
    const { version: name } = this.#options;
    const tried = `sign with ${name}`;
    const publicKey = await this.publicKey();
    const request = { name, data: message, dataCrc32c: { value: crc32c(message) } };
    const answer = await this.#asked(tried, 'cloudkms.cryptoKeyVersions.useToSign', async (client) => {
      const [signed] = await client.asymmetricSign(request, call);
      return signed;
    });
    const signature =
      typeof answer.signature === 'string'
        ? Buffer.from(answer.signature, 'base64')
        : (answer.signature ?? new Uint8Array());
    if (answer.verifiedDataCrc32c !== true) throw damaged(tried, 'Google did not check the sum of the message');
    if (answer.name !== name) throw damaged(tried, `the answer is about ${answer.name ?? 'no key'}`);
    if (!isSumOf(signature, answer.signatureCrc32c)) throw damaged(tried, 'the sum of the signature does not fit');
    return checkedSignature(tried, { publicKey, message, signature });
  }

  async #load(): Promise<Uint8Array> {
    const { version: name } = this.#options;
    const tried = `read the public key of ${name}`;
    const {
      pem,
      pemCrc32c,
      algorithm,
      name: answered,
    } = await this.#asked(tried, 'cloudkms.cryptoKeyVersions.viewPublicKey', async (client) => {
      const [key] = await client.getPublicKey({ name }, call);
      return key;
    });
    if (typeof pem !== 'string' || algorithm !== 'EC_SIGN_ED25519') throw wrongKind(name, String(algorithm));
    if (answered !== name) throw damaged(tried, `the answer is about ${answered ?? 'no key'}`);
    if (!isSumOf(Buffer.from(pem), pemCrc32c)) throw damaged(tried, 'its sum does not fit');
    return rawEd25519(createPublicKey(pem));
  }

  async #asked<T>(tried: string, needs: string, ask: (client: KeyManagementServiceClient) => Promise<T>): Promise<T> {
    try {
      return await ask((this.#client ??= await open(this.#options)));
    } catch (thrown) {
      throw gcpError(thrown, tried, { needs });
    }
  }
}

async function open({ version, endpoint }: GcpKmsOptions): Promise<KeyManagementServiceClient> {
  const { KeyManagementServiceClient } = await import('@google-cloud/kms');
  // Named, so that the SDK does not go and look for one.
  const [, projectId = ''] = version.split('/');
  if (endpoint === undefined) return new KeyManagementServiceClient({ fallback: true, projectId });
  const { protocol, hostname, port } = new URL(endpoint);
  const place = {
    protocol: protocol.slice(0, -1),
    apiEndpoint: hostname,
    port: Number(port || (protocol === 'http:' ? 80 : 443)),
  };
  // With an API key the SDK looks for no login, so none is sent there.
  return new KeyManagementServiceClient({ fallback: true, projectId, ...place, apiKey: 'none' });
}

/** Google's Int64 arrives as text or as a number. */
function isSumOf(bytes: Uint8Array, sum: { readonly value?: unknown } | null | undefined): boolean {
  return Number(sum?.value ?? NaN) === crc32c(bytes);
}

function damaged(tried: string, why: string): LockkeeperError {
  return new LockkeeperError('unreachable', `${tried}: damaged on the way: ${why}`, {
    hint: 'The next run tries again; if it stays, something between here and Google changes what is sent.',
  });
}

function wrongKind(name: string, algorithm: string): LockkeeperError {
  return new LockkeeperError('invalid', `the key version ${name} signs by ${algorithm}, not EC_SIGN_ED25519`, {
    hint: 'Make one: gcloud kms keys create NAME --purpose asymmetric-signing --default-algorithm ec-sign-ed25519.',
  });
}
