import type { AlteredObject, ObjectInfo } from './contract.ts';
import type { S3Bucket } from './aws-s3-bucket.ts';

/** Everything stored below a prefix, page by page; the next page is asked for when it is needed. */
export async function* listObjects(bucket: S3Bucket, prefix: string, after: string): AsyncGenerator<ObjectInfo> {
  const tried = bucket.tried('list', prefix);
  let token: string | undefined;
  do {
    const page = await bucket.page(tried, ({ ListObjectsV2Command, client }) =>
      client.send(
        new ListObjectsV2Command({
          ...where(bucket, prefix),
          ...(token === undefined ? after !== '' && { StartAfter: bucket.prefix + after } : { ContinuationToken: token }),
        }),
        bucket.limit(),
      ),
    );
    for (const { Key, Size } of page.Contents ?? []) yield { key: ownKey(bucket, Key), size: Size ?? 0 };
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

/** Objects of which the bucket keeps more than one version, or a delete marker. Without versions it keeps no past. */
export async function* listAltered(bucket: S3Bucket, prefix: string): AsyncGenerator<AlteredObject> {
  let held: AlteredObject | undefined;
  for await (const { key, isMarker } of listVersions(bucket, prefix)) {
    if (held && held.key !== key && isAltered(held)) yield held;
    const before = held?.key === key ? held : { key, contents: 0, deleted: false };
    held = { key, contents: before.contents + (isMarker ? 0 : 1), deleted: before.deleted || isMarker };
  }
  if (held && isAltered(held)) yield held;
}

interface Version {
  readonly key: string;
  readonly isMarker: boolean;
}

/** Versions and delete markers in the order of their keys. One key's may stand on several pages. */
async function* listVersions(bucket: S3Bucket, prefix: string): AsyncGenerator<Version> {
  const tried = bucket.tried('list the versions of', prefix);
  let next: { readonly KeyMarker: string; readonly VersionIdMarker?: string } | undefined;
  do {
    const page = await bucket.page(tried, ({ ListObjectVersionsCommand, client }) =>
      client.send(new ListObjectVersionsCommand({ ...where(bucket, prefix), ...next }), bucket.limit()),
    );
    const versions = (page.Versions ?? []).map(({ Key }) => ({ key: ownKey(bucket, Key), isMarker: false }));
    const markers = (page.DeleteMarkers ?? []).map(({ Key }) => ({ key: ownKey(bucket, Key), isMarker: true }));
    yield* [...versions, ...markers].toSorted((one, two) => Buffer.compare(Buffer.from(one.key), Buffer.from(two.key)));
    const { IsTruncated, NextKeyMarker, NextVersionIdMarker } = page;
    const more = IsTruncated === true ? NextKeyMarker : undefined;
    next = more === undefined ? undefined : { KeyMarker: decoded(more), ...(NextVersionIdMarker !== undefined && { VersionIdMarker: NextVersionIdMarker }) };
  } while (next);
}

/** Keys come percent-encoded: XML cannot hold every character that somebody may have put into a key. */
function where(bucket: S3Bucket, prefix: string) {
  return { Bucket: bucket.name, Prefix: bucket.prefix + prefix, EncodingType: 'url' } as const;
}

function ownKey(bucket: S3Bucket, key = ''): string {
  return decoded(key).slice(bucket.prefix.length);
}

function decoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', '%20'));
}

function isAltered({ contents, deleted }: AlteredObject): boolean {
  return contents > 1 || deleted;
}
