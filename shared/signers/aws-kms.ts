import { createPublicKey } from 'node:crypto';
import type { KMSClient } from '@aws-sdk/client-kms';
import { rawEd25519 } from '../base/ed25519.ts';
import { LockkeeperError } from '../base/error.ts';
import { awsAnswer, awsClientSettings, awsError, type AwsPlace } from '../clouds/aws.ts';
import { permissions } from './aws-kms-permissions.ts';
import { checkedSignature } from './checked-signature.ts';
import type { Signer } from './contract.ts';

/** Which key. Without a region that of the ARN counts, and then that of the login. */
export interface AwsKmsOptions extends AwsPlace {
  /** Id, ARN, or alias (alias/NAME). */
  readonly keyId: string;
}

/** KMS takes a raw message up to here; a checkpoint has about 150 bytes. */
const longestMessage = 4_096;

interface KmsKey {
  /** Its ARN, where KMS tells it: an alias may be pointed at another key while this signer lives. */
  readonly id: string;
  readonly publicKey: Uint8Array;
}

/**
 * A key of AWS KMS of the kind ECC_NIST_EDWARDS25519. It signs by ED25519_SHA_512 over the raw message, which is the
 * Ed25519 of RFC 8032; KMS's other algorithm for such a key, ED25519_PH_SHA_512, hashes first, and nobody else could
 * verify that. Signing changes nothing, so the SDK may try again. `invalid` for messages over 4,096 bytes too;
 * `rejected` where the key is disabled or the signature that came back does not verify.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
 */
export function awsKmsSigner(options: AwsKmsOptions): Signer {
  const key = new AwsKmsKey(options);
  return {
    publicKey: async () => Uint8Array.from((await key.key()).publicKey),
    sign: async (message) => await key.sign(message),
  };
}

class AwsKmsKey {
  readonly #options: AwsKmsOptions;
  #client: KMSClient | undefined;
  #key: KmsKey | undefined;

  constructor(options: AwsKmsOptions) {
    this.#options = options;
  }

  async key(): Promise<KmsKey> {
    return (this.#key ??= await this.#load());
  }

  async sign(message: Uint8Array): Promise<Uint8Array> {
    const { keyId } = this.#options;
    if (message.length > longestMessage) {
      throw new LockkeeperError(
        'invalid',
        `sign with ${keyId}: a message of ${message.length} bytes; KMS takes ${longestMessage}`,
        { hint: 'Sign a shorter text.' },
      );
    }
    const { id, publicKey } = await this.key();
    const { KMSClient, SignCommand } = await import('@aws-sdk/client-kms');
    const request = new SignCommand({
      KeyId: id,
      Message: message,
      MessageType: 'RAW',
      SigningAlgorithm: 'ED25519_SHA_512',
    });
    const { Signature } = await this.#asked(
      `sign with ${keyId}`,
      permissions.sign,
      async () => await this.#open(KMSClient).send(request),
    );
    return checkedSignature(`sign with ${keyId}`, { publicKey, message, signature: Signature });
  }

  async #load(): Promise<KmsKey> {
    const { keyId } = this.#options;
    const { KMSClient, GetPublicKeyCommand } = await import('@aws-sdk/client-kms');
    const request = new GetPublicKeyCommand({ KeyId: keyId });
    const { PublicKey, KeyId, KeySpec, KeyUsage } = await this.#asked(
      `read the public key of ${keyId}`,
      permissions.read,
      async () => await this.#open(KMSClient).send(request),
    );
    if (KeySpec !== 'ECC_NIST_EDWARDS25519' || KeyUsage !== 'SIGN_VERIFY' || !PublicKey)
      throw wrongKind(keyId, `${KeySpec ?? '?'} for ${KeyUsage ?? '?'}`);
    const publicKey = rawEd25519(createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' }));
    return { id: KeyId ?? keyId, publicKey };
  }

  async #asked<T>(tried: string, needs: readonly string[], ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (thrown) {
      // What KMS says of a key that only encrypts, and of one that signs by other algorithms.
      if (/^(UnsupportedOperation|InvalidKeyUsage)$/.test(awsAnswer(thrown).name))
        throw wrongKind(this.#options.keyId, 'another kind', thrown);
      throw awsError(thrown, tried, { needs: needs.join(' and ') });
    }
  }

  #open(Client: typeof KMSClient): KMSClient {
    const { keyId, region = /^arn:[^:]+:kms:([^:]+):/.exec(keyId)?.[1] } = this.#options;
    return (this.#client ??= new Client({ ...awsClientSettings({ ...this.#options, region }), maxAttempts: 3 }));
  }
}

function wrongKind(keyId: string, kind: string, thrown?: unknown): LockkeeperError {
  return new LockkeeperError(
    'invalid',
    `the key ${keyId} is of the kind ${kind}, not ECC_NIST_EDWARDS25519 for SIGN_VERIFY`,
    {
      hint: 'Make one: aws kms create-key --key-spec ECC_NIST_EDWARDS25519 --key-usage SIGN_VERIFY.',
      ...(thrown !== undefined && { cause: awsError(thrown, 'KMS') }),
    },
  );
}
