import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { crc32 } from 'node:zlib';
import { S3Refusal } from './aws-s3-model.ts';

/** What a client signed with and sent. */
export interface S3Request {
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
  readonly accessKeyId: string;
  readonly sessionToken: string | undefined;
}

const known = new Set([
  'x-amz-date',
  'x-amz-content-sha256',
  'x-amz-security-token',
  'x-amz-user-agent',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-checksum-crc32',
  'x-amz-checksum-mode',
]);
const unknown = new Set(['content-encoding', 'if-modified-since', 'if-unmodified-since', 'range']);
const signature =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/[a-z0-9-]+\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}$/;

/** Refuses what S3 would refuse before it looks at the bucket, and loudly what this stand-in does not know. */
export function checkRequest(request: S3Request): void {
  checkKnown(request.headers);
  checkSigned(request);
  checkDigests(request);
}

function checkKnown(headers: IncomingHttpHeaders): void {
  const strange = Object.keys(headers).filter(
    (name) => unknown.has(name) || (name.startsWith('x-amz-') && !known.has(name)),
  );
  if (strange.length > 0)
    throw new S3Refusal(501, 'NotImplemented', `the stand-in does not know ${strange.join(', ')}`);
}

/** The form of the signature, the key it is by and what it covers; not the signature itself. */
function checkSigned({ headers, accessKeyId, sessionToken }: S3Request): void {
  const [, id, signed = ''] = signature.exec(headers.authorization ?? '') ?? [];
  if (id === undefined) throw new S3Refusal(403, 'AccessDenied', 'Access Denied');
  if (id !== accessKeyId)
    throw new S3Refusal(403, 'InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.');
  if (headers['x-amz-security-token'] !== sessionToken)
    throw new S3Refusal(400, 'InvalidToken', 'The provided token is malformed or otherwise invalid.');
  const must = [
    'host',
    'x-amz-content-sha256',
    'x-amz-date',
    ...['if-match', 'if-none-match'].filter((name) => name in headers),
  ];
  if (must.some((name) => !signed.split(';').includes(name) || !(name in headers)))
    throw new S3Refusal(
      403,
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided.',
    );
}

function checkDigests({ headers, body }: S3Request): void {
  const sha = headers['x-amz-content-sha256'];
  if (sha !== createHash('sha256').update(body).digest('hex'))
    throw new S3Refusal(
      400,
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  const sum = headers['x-amz-checksum-crc32'];
  if (sum !== undefined && sum !== crcOf(body))
    throw new S3Refusal(400, 'BadDigest', 'The CRC32 you specified did not match the calculated checksum.');
}

/** As x-amz-checksum-crc32 carries it. */
export function crcOf(bytes: Uint8Array): string {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return sum.toString('base64');
}
