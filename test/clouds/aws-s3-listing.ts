import { S3Refusal, type S3Model, type S3Version } from './aws-s3-model.ts';

const known = {
  objects: ['list-type', 'prefix', 'start-after', 'continuation-token', 'max-keys', 'encoding-type', 'x-id'],
  versions: ['versions', 'prefix', 'key-marker', 'version-id-marker', 'max-keys', 'encoding-type', 'x-id'],
};

/** ListObjectsV2: at most `pageSize` keys. */
export function listObjects(model: S3Model, query: URLSearchParams, pageSize: number): string {
  mustKnow(query, known.objects);
  if (query.get('list-type') !== '2') throw new S3Refusal(501, 'NotImplemented', 'only list-type 2');
  const token = query.get('continuation-token');
  const after = token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString();
  const live = model
    .all(query.get('prefix') ?? '')
    .filter(({ key, versions }) => versions[0]?.bytes && isAfter(key, after));
  const page = live.slice(0, sizeOf(query, pageSize));
  const last = page.at(-1)?.key ?? '';
  const more = page.length < live.length;
  const items = page.map(
    ({ key, versions: [current] }) => `<Contents><Key>${shown(key, query)}</Key>${about(current)}</Contents>`,
  );
  const next = more ? `<NextContinuationToken>${Buffer.from(last).toString('base64url')}</NextContinuationToken>` : '';
  return document(
    'ListBucketResult',
    `<KeyCount>${page.length}</KeyCount><IsTruncated>${String(more)}</IsTruncated>${next}${items.join('')}`,
  );
}

/** ListObjectVersions: at most `pageSize` versions and delete markers. */
export function listVersions(model: S3Model, query: URLSearchParams, pageSize: number): string {
  mustKnow(query, known.versions);
  const [keyMarker, versionMarker] = [query.get('key-marker') ?? '', query.get('version-id-marker')];
  const all = model
    .all(query.get('prefix') ?? '')
    .flatMap(({ key, versions }) => versions.map((version, i) => ({ key, version, isLatest: i === 0 })));
  const marked =
    versionMarker === null
      ? -1
      : all.findIndex(({ key, version }) => key === keyMarker && version.id === versionMarker);
  const rest = marked < 0 ? all.filter(({ key }) => isAfter(key, keyMarker)) : all.slice(marked + 1);
  const page = rest.slice(0, sizeOf(query, pageSize));
  const [last, more] = [page.at(-1), page.length < rest.length];
  const next =
    more && last
      ? `<NextKeyMarker>${shown(last.key, query)}</NextKeyMarker><NextVersionIdMarker>${last.version.id}</NextVersionIdMarker>`
      : '';
  const items = page.map(({ key, version, isLatest }) => {
    const tag = version.bytes ? 'Version' : 'DeleteMarker';
    return `<${tag}><Key>${shown(key, query)}</Key><VersionId>${version.id}</VersionId><IsLatest>${String(isLatest)}</IsLatest>${about(version)}</${tag}>`;
  });
  return document('ListVersionsResult', `<IsTruncated>${String(more)}</IsTruncated>${next}${items.join('')}`);
}

function about(version: S3Version | undefined): string {
  const time = '<LastModified>2026-10-01T00:00:00.000Z</LastModified>';
  return version?.bytes
    ? `${time}<ETag>&quot;${version.etag}&quot;</ETag><Size>${version.bytes.length}</Size><StorageClass>STANDARD</StorageClass>`
    : time;
}

/** As S3 encodes a key for XML: a space is "+". */
function shown(key: string, query: URLSearchParams): string {
  if (query.get('encoding-type') === 'url')
    return encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+');
  return key.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function sizeOf(query: URLSearchParams, pageSize: number): number {
  return Math.min(Number(query.get('max-keys') ?? 1_000), pageSize);
}

function isAfter(key: string, after: string): boolean {
  return Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0;
}

function mustKnow(query: URLSearchParams, names: readonly string[]): void {
  const unknown = [...query.keys()].filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new S3Refusal(501, 'NotImplemented', `the stand-in does not know ${unknown.join(', ')}`);
}

function document(root: string, body: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${body}</${root}>`;
}
