import { notKnown } from './azure-blob-checks.ts';
import { AzureRefusal, type AzureBlobModel, type AzureContent } from './azure-blob-model.ts';

const known = ['restype', 'comp', 'prefix', 'marker', 'maxresults', 'include', 'startFrom'];

/** How a listing comes in pages. */
export interface Paging {
  /** Items on one page: Azure gives 5000. */
  readonly pageSize: number;
  /** Every page is followed by an empty one that is not the last, as Azure may do. */
  readonly emptyPages: boolean;
  /** As a server that does not know the parameter. */
  readonly ignoresStartFrom: boolean;
  /** As an account with a hierarchical namespace: "/" sorts before everything else. */
  readonly listsFoldersFirst: boolean;
}

interface Item {
  readonly name: string;
  readonly content: AzureContent;
}

/** List Blobs, flat. A marker is opaque: here it is how many items came before, and whether an empty page did. */
export function listBlobs(model: AzureBlobModel, query: URLSearchParams, paging: Paging): string {
  const strange = [...query.keys()].filter((name) => !known.includes(name));
  if (strange.length > 0) throw notKnown(strange);
  const [, from = '0', hadEmpty] = /^2!(\d+)(!)?$/.exec(markerOf(query)) ?? [];
  const all = items(model, query, paging);
  const size = Math.min(Number(query.get('maxresults') ?? 5_000), paging.pageSize);
  if (!(size > 0)) throw new AzureRefusal(400, 'OutOfRangeQueryParameterValue', 'maxresults');
  const isEmpty = paging.emptyPages && Number(from) > 0 && hadEmpty === undefined;
  const page = isEmpty ? [] : all.slice(Number(from), Number(from) + size);
  const next = isEmpty ? `2!${from}!` : `2!${Number(from) + page.length}`;
  const isLast = !isEmpty && Number(from) + page.length >= all.length;
  const blobs = page.map((item) => blob(item, model.rules.versioned && included(query).has('versions'))).join('');
  return `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="http://stand-in/" ContainerName="c"><Blobs>${blobs}</Blobs><NextMarker>${isLast ? '' : Buffer.from(next).toString('base64url')}</NextMarker></EnumerationResults>`;
}

function markerOf(query: URLSearchParams): string {
  return Buffer.from(query.get('marker') ?? '', 'base64url').toString();
}

function included(query: URLSearchParams): ReadonlySet<string> {
  const names = (query.get('include') ?? '').split(',').filter((name) => name !== '');
  const strange = names.filter((name) => !['versions', 'snapshots', 'deleted'].includes(name));
  if (strange.length > 0) throw notKnown(strange.map((name) => `include=${name}`));
  return new Set(names);
}

/** What each kind of content needs in `include` to be listed. */
const needed: Readonly<Record<AzureContent['is'], readonly string[]>> = {
  current: [],
  version: ['versions'],
  snapshot: ['snapshots'],
  deleted: ['deleted'],
  'deleted snapshot': ['deleted', 'snapshots'],
  'deleted version': ['deleted', 'versions'],
};

function items(
  model: AzureBlobModel,
  query: URLSearchParams,
  { ignoresStartFrom, listsFoldersFirst }: Paging,
): readonly Item[] {
  const include = included(query);
  const from = ignoresStartFrom ? '' : (query.get('startFrom') ?? '');
  const all = model.all(query.get('prefix') ?? '');
  const rank = ({ name }: { readonly name: string }) => Buffer.from(name.replaceAll('/', '\0'));
  return (listsFoldersFirst ? all.toSorted((one, two) => Buffer.compare(rank(one), rank(two))) : all)
    .filter(({ name }) => Buffer.compare(Buffer.from(name), Buffer.from(from)) >= 0)
    .flatMap(({ name, contents }) =>
      contents.filter(({ is }) => needed[is].every((one) => include.has(one))).map((content) => ({ name, content })),
    );
}

function blob({ name, content: { is, id, bytes, etag } }: Item, withVersions: boolean): string {
  const isSnapshot = is.endsWith('snapshot');
  return [
    `<Blob><Name>${name.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</Name>`,
    is.startsWith('deleted') ? '<Deleted>true</Deleted>' : '',
    isSnapshot ? `<Snapshot>${id}</Snapshot>` : '',
    withVersions && !isSnapshot ? `<VersionId>${id}</VersionId>` : '',
    withVersions && is === 'current' ? '<IsCurrentVersion>true</IsCurrentVersion>' : '',
    '<Properties><Creation-Time>Thu, 01 Oct 2026 00:00:00 GMT</Creation-Time><Last-Modified>Thu, 01 Oct 2026 00:00:00 GMT</Last-Modified>',
    `<Etag>${etag.replaceAll('"', '')}</Etag><Content-Length>${bytes.length}</Content-Length><Content-Type>application/octet-stream</Content-Type>`,
    '<BlobType>BlockBlob</BlobType></Properties><OrMetadata /></Blob>',
  ].join('');
}
