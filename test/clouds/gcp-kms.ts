import { createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { ed25519PrivateKey } from '../../shared/base/ed25519.ts';
import { crc32c as encodedSum } from './gcp-storage-state.ts';
import { startKmsServer, type KmsAnswer, type KmsCall } from './kms-server.ts';

/** A key version, with the number that its algorithm has in google/cloud/kms/v1/resources.proto. */
export interface GcpKmsVersion {
  readonly algorithm: 'EC_SIGN_ED25519' | 'EC_SIGN_P256_SHA256';
  readonly state: 'ENABLED' | 'DISABLED' | 'DESTROYED';
  readonly key: KeyObject;
}

const algorithmNumbers = { EC_SIGN_ED25519: 40, EC_SIGN_P256_SHA256: 12 };

/**
 * What goes wrong with one request: a refusal in Google's words; `lost`: the connection ends; `foreign`: the signature
 * of another key; `flipped`: one wrong bit in an answer with sums; `garbled`: the message arrives with one;
 * `unchecked`: its sum is ignored;
 * `other-version`: an answer about another version.
 */
export type GcpKmsFault =
  | 'lost'
  | 'foreign'
  | 'flipped'
  | 'garbled'
  | 'unchecked'
  | 'other-version'
  | { readonly status: number; readonly word: string; readonly message: string };

/** Cloud KMS's REST on 127.0.0.1, as strict as the service about what it signs. */
export interface GcpKmsStandIn {
  readonly endpoint: string;
  /** By resource name. */
  readonly versions: Map<string, GcpKmsVersion>;
  /** Method and path of every request, in order. */
  readonly asked: readonly string[];
  /** The next requests meet these faults, one each. */
  fail(...faults: readonly GcpKmsFault[]): void;
  close(): Promise<void>;
}

/** The resource name of the stand-in's key version with this number. */
export function gcpVersionName(number: number): string {
  return `projects/p/locations/europe-west1/keyRings/lockkeeper/cryptoKeys/log/cryptoKeyVersions/${number}`;
}

/** An enabled Ed25519 version. */
export function gcpEd25519Version(seed: Uint8Array): GcpKmsVersion {
  return { algorithm: 'EC_SIGN_ED25519', state: 'ENABLED', key: ed25519PrivateKey(seed) };
}

/** Starts a stand-in without keys. */
export async function startGcpKms(): Promise<GcpKmsStandIn> {
  const versions = new Map<string, GcpKmsVersion>();
  const asked: string[] = [];
  const faults: GcpKmsFault[] = [];
  const server = await startKmsServer((call) => {
    asked.push(`${call.method} ${call.url.pathname}`);
    return answer(call, versions, faults.shift());
  });
  return {
    endpoint: server.endpoint,
    versions,
    asked,
    fail: (...more) => void faults.push(...more),
    close: () => server.close(),
  };
}

/** As a number; not the product's own. */
function crc32c(bytes: Uint8Array): number {
  return Buffer.from(encodedSum(bytes), 'base64').readUInt32BE();
}

class Refused extends Error {
  readonly status: number;
  readonly word: string;

  constructor(status: number, word: string, message: string) {
    super(message);
    this.status = status;
    this.word = word;
  }
}

function answer(
  call: KmsCall,
  versions: ReadonlyMap<string, GcpKmsVersion>,
  fault: GcpKmsFault | undefined,
): KmsAnswer {
  if (fault === 'lost') return fault;
  if (typeof fault === 'object') return refusal(fault.status, fault.word, fault.message);
  try {
    return { status: 200, body: carryOut(call, versions, fault) };
  } catch (thrown) {
    if (thrown instanceof Refused) return refusal(thrown.status, thrown.word, thrown.message);
    throw thrown;
  }
}

function refusal(code: number, status: string, message: string): KmsAnswer {
  return { status: code, body: { error: { code, message, status } } };
}

function carryOut(
  { method, url, headers, body }: KmsCall,
  versions: ReadonlyMap<string, GcpKmsVersion>,
  fault: string | undefined,
): unknown {
  if (headers.authorization !== undefined)
    throw new Refused(401, 'UNAUTHENTICATED', 'a login was sent to a server that is not Google');
  if (url.searchParams.get('$alt') !== 'json;enum-encoding=int')
    throw new Refused(501, 'UNIMPLEMENTED', `the stand-in does not know ${url.search}`);
  const [, name = '', what] =
    /^\/v1\/(.+\/cryptoKeyVersions\/\d+)(\/publicKey|:asymmetricSign)$/.exec(url.pathname) ?? [];
  const version = found(name, versions);
  const answered = fault === 'other-version' ? name.replace(/\d+$/, '99') : name;
  if (method === 'GET' && what === '/publicKey') return publicKey(answered, version, fault);
  if (method === 'POST' && what === ':asymmetricSign')
    return { ...signed(JSON.parse(body), version, fault), name: answered, protectionLevel: 2 };
  throw new Refused(501, 'UNIMPLEMENTED', `the stand-in does not know ${method} ${url.pathname}`);
}

function publicKey(name: string, { key, algorithm }: GcpKmsVersion, fault: string | undefined): unknown {
  const pem = String(createPublicKey(key).export({ format: 'pem', type: 'spki' }));
  const pemCrc32c = String(crc32c(Buffer.from(pem)));
  return {
    name,
    pem: fault === 'flipped' ? pem.replace('MCow', 'MCoW') : pem,
    pemCrc32c,
    algorithm: algorithmNumbers[algorithm],
    protectionLevel: 2,
  };
}

const signRequest = z.strictObject({
  name: z.string().optional(),
  data: z.base64().default(''),
  dataCrc32c: z.string().regex(/^\d+$/).optional(),
});

function signed(body: unknown, { key, algorithm }: GcpKmsVersion, fault: string | undefined): object {
  const asked = signRequest.safeParse(body);
  if (!asked.success || algorithm !== 'EC_SIGN_ED25519')
    throw new Refused(400, 'INVALID_ARGUMENT', 'Request contains an invalid argument.');
  const data = Buffer.from(asked.data.data, 'base64');
  if (fault === 'garbled') data[0] = (data[0] ?? 0) ^ 1;
  const sum = asked.data.dataCrc32c;
  if (sum !== undefined && fault !== 'unchecked' && Number(sum) !== crc32c(data)) {
    throw new Refused(
      400,
      'INVALID_ARGUMENT',
      'The checksum in field data_crc32c did not match the data in field data.',
    );
  }
  const signature = sign(null, data, fault === 'foreign' ? generateKeyPairSync('ed25519').privateKey : key);
  const signatureCrc32c = String(crc32c(signature));
  if (fault === 'flipped') signature[7] = (signature[7] ?? 0) ^ 1;
  return {
    signature: signature.toString('base64'),
    signatureCrc32c,
    ...(sum !== undefined && fault !== 'unchecked' && { verifiedDataCrc32c: true }),
  };
}

function found(name: string, versions: ReadonlyMap<string, GcpKmsVersion>): GcpKmsVersion {
  const version = versions.get(name);
  if (!version) throw new Refused(404, 'NOT_FOUND', `CryptoKeyVersion ${name} not found.`);
  if (version.state !== 'ENABLED')
    throw new Refused(400, 'FAILED_PRECONDITION', `${name} is not enabled, current state is: ${version.state}.`);
  return version;
}
