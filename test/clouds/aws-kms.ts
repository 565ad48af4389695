import { createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { ed25519PrivateKey } from '../../shared/base/ed25519.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import type { AwsCredentials } from '../../shared/clouds/aws.ts';
import { startKmsServer, type KmsAnswer, type KmsCall } from './kms-server.ts';

/** What a key is, in KMS's words; SYMMETRIC_DEFAULT has no public key. */
export interface AwsKmsKey {
  readonly spec: 'ECC_NIST_EDWARDS25519' | 'ECC_NIST_P256' | 'SYMMETRIC_DEFAULT';
  readonly state: 'Enabled' | 'Disabled' | 'PendingDeletion';
  readonly key: KeyObject;
}

/**
 * A refusal as KMS words it, or: `lost`, the connection ends; `foreign`, the signature of another key; `short`, half of
 * it.
 */
export type AwsKmsFault =
  'lost' | 'foreign' | 'short' | { readonly status: number; readonly type: string; readonly message: string };

/** AWS KMS on 127.0.0.1, as strict as the service about what it signs. */
export interface AwsKmsStandIn {
  readonly place: { readonly endpoint: string; readonly credentials: AwsCredentials };
  /** By ARN; and what each alias names. */
  readonly keys: Map<string, AwsKmsKey>;
  readonly aliases: Map<string, string>;
  /** The operations asked for, in order. */
  readonly asked: readonly string[];
  /** The next requests meet these faults, one each. */
  fail(...faults: readonly AwsKmsFault[]): void;
  close(): Promise<void>;
}

const region = 'eu-west-1';
const account = `arn:aws:kms:${region}:111122223333`;
const accessKeyId = 'AKIDEXAMPLE';

/** The ARN of the stand-in's key with this number. */
export function awsKeyArn(number: number): string {
  return `${account}:key/1234abcd-12ab-34cd-56ef-${String(number).padStart(12, '0')}`;
}

/** An enabled Ed25519 key. */
export function awsEd25519Key(seed: Uint8Array): AwsKmsKey {
  return { spec: 'ECC_NIST_EDWARDS25519', state: 'Enabled', key: ed25519PrivateKey(seed) };
}

/** Starts a stand-in without keys. */
export async function startAwsKms(secret = 'secret'): Promise<AwsKmsStandIn> {
  const keys = new Map<string, AwsKmsKey>();
  const aliases = new Map<string, string>();
  const asked: string[] = [];
  const faults: AwsKmsFault[] = [];
  const server = await startKmsServer((call) => {
    asked.push(operationOf(call));
    return answer(call, { keys, aliases, fault: faults.shift() });
  });
  return {
    place: { endpoint: server.endpoint, credentials: { accessKeyId, secretAccessKey: new Sealed(secret) } },
    keys,
    aliases,
    asked,
    fail: (...more) => void faults.push(...more),
    close: () => server.close(),
  };
}

interface State {
  readonly keys: ReadonlyMap<string, AwsKmsKey>;
  readonly aliases: ReadonlyMap<string, string>;
  readonly fault: AwsKmsFault | undefined;
}

class Refused extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

function answer(call: KmsCall, state: State): KmsAnswer {
  const { fault } = state;
  if (fault === 'lost') return fault;
  if (typeof fault === 'object') return refusal(fault.status, fault.type, fault.message);
  try {
    return { status: 200, body: carryOut(call, state), headers: { 'content-type': 'application/x-amz-json-1.1' } };
  } catch (thrown) {
    if (thrown instanceof Refused) return refusal(400, thrown.type, thrown.message);
    throw thrown;
  }
}

function refusal(status: number, type: string, message: string): KmsAnswer {
  return {
    status,
    body: { __type: type, message },
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': 'stand-in-1' },
  };
}

function operationOf({ headers }: KmsCall): string {
  return /^TrentService\.(\w+)$/.exec(String(headers['x-amz-target']))?.[1] ?? '?';
}

const publicKeyRequest = z.strictObject({ KeyId: z.string().min(1).max(2048) });
const signRequest = z.strictObject({
  KeyId: z.string().min(1).max(2048),
  Message: z.base64(),
  MessageType: z.string().default('RAW'),
  SigningAlgorithm: z.string(),
});

function carryOut(call: KmsCall, state: State): unknown {
  checkSigned(call);
  const body: unknown = JSON.parse(call.body);
  switch (operationOf(call)) {
    case 'GetPublicKey': {
      const { arn, spec, key } = found(publicKeyRequest.parse(body).KeyId, state);
      const der = createPublicKey(key).export({ format: 'der', type: 'spki' });
      return {
        KeyId: arn,
        KeySpec: spec,
        CustomerMasterKeySpec: spec,
        KeyUsage: 'SIGN_VERIFY',
        PublicKey: der.toString('base64'),
        SigningAlgorithms: algorithms[spec],
      };
    }
    case 'Sign':
      return signed(signRequest.parse(body), state);
    default:
      throw new Refused('UnknownOperationException', `the stand-in does not know ${operationOf(call)}`);
  }
}

const algorithms: Readonly<Record<AwsKmsKey['spec'], readonly string[]>> = {
  ECC_NIST_EDWARDS25519: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'],
  ECC_NIST_P256: ['ECDSA_SHA_256'],
  SYMMETRIC_DEFAULT: [],
};

function signed({ KeyId, Message, MessageType, SigningAlgorithm }: z.infer<typeof signRequest>, state: State): unknown {
  const { arn, spec, key } = found(KeyId, state);
  const message = Buffer.from(Message, 'base64');
  if (!algorithms[spec].includes(SigningAlgorithm))
    throw new Refused(
      'InvalidKeyUsageException',
      `Algorithm ${SigningAlgorithm} is incompatible with key spec ${spec}.`,
    );
  if (message.length > 4096)
    throw invalid(
      "Value at 'message' failed to satisfy constraint: Member must have length less than or equal to 4096",
    );
  if ((SigningAlgorithm === 'ED25519_SHA_512') !== (MessageType === 'RAW'))
    throw invalid(`MessageType ${MessageType} is not valid for ${SigningAlgorithm}.`);
  if (SigningAlgorithm !== 'ED25519_SHA_512')
    throw new Refused('UnsupportedOperationException', `the stand-in does not sign by ${SigningAlgorithm}`);
  const by = state.fault === 'foreign' ? generateKeyPairSync('ed25519').privateKey : key;
  const signature = sign(null, message, by).subarray(0, state.fault === 'short' ? 32 : 64);
  return { KeyId: arn, Signature: signature.toString('base64'), SigningAlgorithm };
}

function found(id: string, { keys, aliases }: State): AwsKmsKey & { readonly arn: string } {
  const name = id.startsWith('alias/') ? `${account}:${id}` : id.startsWith('arn:') ? id : `${account}:key/${id}`;
  const arn = aliases.get(name) ?? name;
  const key = keys.get(arn);
  if (!key)
    throw new Refused(
      'NotFoundException',
      name.includes(':alias/') ? `Alias ${name} is not found.` : `Key '${name}' does not exist`,
    );
  if (key.spec === 'SYMMETRIC_DEFAULT')
    throw new Refused(
      'UnsupportedOperationException',
      `${arn} key spec is SYMMETRIC_DEFAULT which is not valid for this operation.`,
    );
  if (key.state === 'Disabled') throw new Refused('DisabledException', `${arn} is disabled.`);
  if (key.state !== 'Enabled') throw new Refused('KMSInvalidStateException', `${arn} is pending deletion.`);
  return { ...key, arn };
}

/** The form of the signature and what it covers; not the signature itself. */
function checkSigned({ method, url, headers }: KmsCall): void {
  const form =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([a-z0-9-]+)\/kms\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}$/;
  const [, id, place, names = ''] = form.exec(headers.authorization ?? '') ?? [];
  const covered = ['host', 'x-amz-date', 'x-amz-target'].every((name) => names.split(';').includes(name));
  if (id !== accessKeyId || !covered)
    throw new Refused('UnrecognizedClientException', 'The security token included in the request is invalid.');
  if (place !== region)
    throw new Refused('InvalidSignatureException', `Credential should be scoped to a valid region, not '${place}'.`);
  if (method !== 'POST' || url.pathname !== '/' || headers['content-type'] !== 'application/x-amz-json-1.1')
    throw invalid('not a request of JSON 1.1');
}

function invalid(message: string): Refused {
  return new Refused('ValidationException', `1 validation error detected: ${message}`);
}
