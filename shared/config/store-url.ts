import { LockkeeperError } from '../base/error.ts';
import { objectStore, type StoreConfig } from './stores.ts';

/**
 * The address of a store as people write it: its directory, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX,
 * https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX. Read back by parseStoreUrl, but for directories and
 * endpoints.
 */
export function storeUrl(store: StoreConfig): string {
  switch (store.kind) {
    case 'file-system':
      return store.path;
    case 'aws-s3':
      return `s3://${store.bucket}/${store.prefix}`;
    case 'gcp-storage':
      return `gs://${store.bucket}/${store.prefix}`;
    case 'azure-blob': {
      const account = store.endpoint ?? `https://${store.account}.blob.core.windows.net`;
      return `${account.replace(/\/+$/, '')}/${store.container}/${store.prefix}`;
    }
  }
}

/**
 * The store at an address in a cloud, which may end in "/" or not. `invalid` for anything else; a login in it is never
 * repeated.
 */
export function parseStoreUrl(text: string): StoreConfig {
  if (/[?#@]/.test(text)) {
    throw new LockkeeperError('invalid', 'the address of a store has a user, a query or a fragment in it', {
      hint: 'Leave keys and signatures out: lockkeeper logs in as the tools of the cloud do.',
    });
  }
  const parsed = objectStore((path) => path).safeParse(written(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new LockkeeperError(
    'invalid',
    `what was given is no address of a store: its ${issue?.path.join('.') ?? 'form'} ${issue?.message ?? ''}`,
    { hint },
  );
}

const hint = 'Write s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX.';

/**
 * What the configuration would say. Other clouds of Azure (https://ACCOUNT.blob.core.usgovcloudapi.net) are an endpoint
 * there.
 */
function written(text: string): Readonly<Record<string, string>> {
  const [, scheme, bucket = '', prefix = ''] = /^(s3|gs):\/\/([^/]+)(?:\/(.*))?$/.exec(text) ?? [];
  if (scheme !== undefined) return { kind: scheme === 's3' ? 'aws-s3' : 'gcp-storage', bucket, prefix };
  const [, account, suffix = '', container = '', below = ''] =
    /^https:\/\/([^./]+)\.blob\.(core\.[a-z.]+)\/([^/]+)(?:\/(.*))?$/.exec(text) ?? [];
  if (account === undefined)
    throw new LockkeeperError('invalid', 'what was given is no address of a store in a cloud', { hint });
  const endpoint = suffix === 'core.windows.net' ? {} : { endpoint: `https://${account}.blob.${suffix}` };
  return { kind: 'azure-blob', account, container, prefix: below, ...endpoint };
}
