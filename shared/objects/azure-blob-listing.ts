import type { BlobItem, ContainerListBlobsOptions } from '@azure/storage-blob';
import { LockkeeperError } from '../base/error.ts';
import type { AlteredObject, ObjectInfo } from './contract.ts';

/** The pages of a container's listings. */
export interface Pages {
  /** Before every key. */
  readonly prefix: string;
  /** The page after the one that gave `token`, or the first. */
  readonly page: (search: Search, token: string | undefined) => Promise<Page>;
}

type Search = ContainerListBlobsOptions & { readonly prefix: string };

/** The part of the SDK's page that counts. */
interface Page {
  readonly continuationToken?: string;
  readonly segment: { readonly blobItems: readonly BlobItem[] };
}

/**
 * The store's `list`: a page is asked for when the one before it is used up. The service begins at `after` itself; an
 * older one that cannot begins at the prefix, so what comes before is left out here.
 */
export async function* listBlobs(pages: Pages, prefix: string, after: string): AsyncGenerator<ObjectInfo> {
  const beginsInside = after.startsWith(prefix) && after !== prefix;
  const search = { prefix: pages.prefix + prefix, ...(beginsInside && { startFrom: pages.prefix + after }) };
  let last: string | undefined;
  for await (const { name, properties } of itemsOf(pages, search)) {
    const key = name.slice(pages.prefix.length);
    if (last !== undefined && key <= last) throw outOfOrder(last, key);
    last = key;
    if (key > after) yield { key, size: properties.contentLength ?? 0 };
  }
}

/** The history's `altered`. All that the account keeps of one name stands together in the listing. */
export async function* alteredBlobs(pages: Pages, prefix: string): AsyncGenerator<AlteredObject> {
  const search = { prefix: pages.prefix + prefix, includeVersions: true, includeSnapshots: true, includeDeleted: true };
  let kept: BlobItem[] = [];
  for await (const item of itemsOf(pages, search)) {
    const { name = item.name } = kept[0] ?? {};
    if (item.name < name) throw outOfOrder(name, item.name);
    if (item.name === name) kept.push(item);
    else {
      yield* altered(pages, kept);
      kept = [item];
    }
  }
  yield* altered(pages, kept);
}

function* altered({ prefix }: Pages, kept: readonly BlobItem[]): Generator<AlteredObject> {
  const [first] = kept;
  const contents = kept.filter((item) => !isPlainSnapshot(item));
  if (!first || contents.length === 0) return;
  const deleted = !kept.some(isCurrent) || kept.some(isDeleted);
  if (contents.length > 1 || deleted)
    yield { key: first.name.slice(prefix.length), contents: contents.length, deleted };
}

function isCurrent({ deleted, snapshot, versionId, isCurrentVersion }: BlobItem): boolean {
  return !deleted && !snapshot && (versionId === undefined || isCurrentVersion === true);
}

/**
 * A blob or a version that somebody deleted. A soft-deleted snapshot is what the service makes of a replaced content.
 */
function isDeleted({ deleted, snapshot }: BlobItem): boolean {
  return deleted && !snapshot;
}

/** A copy that somebody took of what was there: nothing was altered. */
function isPlainSnapshot({ deleted, snapshot }: BlobItem): boolean {
  return Boolean(snapshot) && !deleted;
}

/** A page may be empty and yet not be the last. */
async function* itemsOf(pages: Pages, search: Search): AsyncGenerator<BlobItem> {
  let token: string | undefined;
  do {
    const page = await pages.page(search, token);
    yield* page.segment.blobItems;
    token = page.continuationToken;
  } while (token !== undefined && token !== '');
}

function outOfOrder(before: string, after: string): LockkeeperError {
  return new LockkeeperError('unsupported', `azure-blob: the container lists "${after}" after "${before}"`, {
    hint: 'Use a storage account without a hierarchical namespace: others list in the order of the bytes of names.',
  });
}
