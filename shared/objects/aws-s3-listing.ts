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
          ...(token === undefined
            ? after !== '' && { StartAfter: bucket.prefix + after }
            : { ContinuationToken: token }),
        }),
        bucket.limit(),
      ),
    );
    for (const { Key, Size } of page.Contents ?? []) yield { key: ownKey(bucket, Key), size: Size ?? 0 };
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

/**
 * Objects of which the bucket keeps more than one version, or a delete marker. Without versions it keeps no past.
 * Versions are counted by their ids: versitygw tells the last one of a page again at the top of the next.
 */
export async function* listAltered(bucket: S3Bucket, prefix: string): AsyncGenerator<AlteredObject> {
  let key: string | undefined;
  let contents = new Set<string>();
  let deleted = false;
  for await (const version of listVersions(bucket, prefix)) {
    if (version.key !== key) {
      if (key !== undefined && (contents.size > 1 || deleted)) yield { key, contents: contents.size, deleted };
      [key, contents, deleted] = [version.key, new Set<string>(), false];
    }
    if (version.isMarker) deleted = true;
    else contents.add(version.id);
  }
  if (key !== undefined && (contents.size > 1 || deleted)) yield { key, contents: contents.size, deleted };
}

interface Version {
  readonly key: string;
  /** "null" where it was written without versions. */
  readonly id: string;
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
    const versions = (page.Versions ?? []).map(({ Key, VersionId }) => ({
      key: ownKey(bucket, Key),
      id: VersionId ?? 'null',
      isMarker: false,
    }));
    const markers = (page.DeleteMarkers ?? []).map(({ Key, VersionId }) => ({
      key: ownKey(bucket, Key),
      id: VersionId ?? 'null',
      isMarker: true,
    }));
    yield* [...versions, ...markers].toSorted((one, two) => Buffer.compare(Buffer.from(one.key), Buffer.from(two.key)));
    const { IsTruncated, NextKeyMarker, NextVersionIdMarker } = page;
    const more = IsTruncated === true ? NextKeyMarker : undefined;
    next =
      more === undefined
        ? undefined
        : {
            KeyMarker: decoded(more),
            ...(NextVersionIdMarker !== undefined && { VersionIdMarker: NextVersionIdMarker }),
          };
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
