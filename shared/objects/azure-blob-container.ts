import type { ContainerClient } from '@azure/storage-blob';
import { azureLogin } from '../clouds/azure.ts';
import type { SizeLimit } from './contract.ts';
import { LockkeeperError } from '../base/error.ts';
import type { Sealed } from '../base/sealed.ts';
import type { World } from '../base/world.ts';
import { checkKey } from './key.ts';

export interface AzureBlobOptions {
  /** Storage account. May be left out where `endpoint` names the place and no key signs. */
  readonly account?: string | undefined;
  /** Must be there already. */
  readonly container: string;
  /** Before every key; '' or path segments that end in "/". */
  readonly prefix?: string | undefined;
  /** Base URL of the account; https://ACCOUNT.blob.core.windows.net if left out. http only on this machine. */
  readonly endpoint?: string | undefined;
  /** Signs requests; without it the host's own identity does (see azureLogin). */
  readonly accountKey?: Sealed | undefined;
  /** How long one request may take, in milliseconds; 10 s if left out. */
  readonly requestLimitMs?: number;
  /** Blobs a page of a listing; as many as the service gives if left out. */
  readonly pageSize?: number;
  /** For the pauses between tries. */
  readonly world?: World;
  /** How many bytes an object may have; a longer one is `conflict`, and is not read. */
  readonly mostBytes?: SizeLimit | undefined;
}

/** A container that can be reached, opened at its first use. */
export interface AzureContainer {
  readonly name: string;
  readonly prefix: string;
  readonly open: () => Promise<ContainerClient>;
}

const isLocal = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/;

/**
 * Checks the settings (`invalid`) and keeps one client for all requests. Loads the SDK and logs in when first opened.
 */
export function azureContainer(options: AzureBlobOptions): AzureContainer {
  const { container, prefix = '' } = options;
  if (!/^[a-z0-9](-?[a-z0-9])+$/.test(container) || container.length < 3 || container.length > 63) {
    throw refusal(`"${container}" is no name of a container`, 'Use 3 to 63 of a-z, 0-9 and single hyphens.');
  }
  checkPrefix(prefix);
  const endpoint = checkedEndpoint(options);
  let opened: Promise<ContainerClient> | undefined;
  return { name: container, prefix, open: () => (opened ??= openContainer(options, `${endpoint}/${container}`)) };
}

/**
 * The SDK itself never tries again: it forgets that an earlier answer was lost, and takes its own write for somebody
 * else's.
 */
async function openContainer({ account = '', accountKey }: AzureBlobOptions, url: string): Promise<ContainerClient> {
  const { ContainerClient: Client, StorageSharedKeyCredential } = await import('@azure/storage-blob');
  const credential = accountKey ? new StorageSharedKeyCredential(account, accountKey.open()) : await azureLogin();
  return new Client(url, credential, { retryOptions: { maxTries: 1 } });
}

/** A name has 1,024 characters at most, of which a key takes 900. */
function checkPrefix(prefix: string): void {
  if (prefix === '') return;
  if (!prefix.endsWith('/') || prefix.length > 120)
    throw refusal(`the prefix "${prefix}" is not usable`, 'End it in "/", with 120 characters at most.');
  checkKey(prefix.slice(0, -1));
}

function checkedEndpoint({ account, accountKey, endpoint }: AzureBlobOptions): string {
  if (account !== undefined && !/^[a-z0-9]{3,24}$/.test(account)) {
    throw refusal(`"${account}" is no name of a storage account`, 'Use 3 to 24 of a-z and 0-9.');
  }
  if (accountKey && account === undefined) throw refusal('an account key without its account', 'Name the account.');
  if (endpoint === undefined) {
    if (account === undefined) throw refusal('neither account nor endpoint', 'Name the storage account.');
    return `https://${account}.blob.core.windows.net`;
  }
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (!url || url.search + url.hash + url.username + url.password !== '') {
    throw refusal(
      'the endpoint is not a plain URL',
      'Write it like https://ACCOUNT.blob.core.windows.net; a token has no place in it.',
    );
  }
  if (!isSafe(url, accountKey)) {
    throw refusal(
      `the endpoint ${url.origin} is not safe to log in to`,
      'Use https; http only with an account key, on this machine.',
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

/** A token is as good as the account to whoever reads it, so none goes over http; a signature fits one request only. */
function isSafe({ protocol, hostname }: URL, accountKey: Sealed | undefined): boolean {
  return protocol === 'https:' || (protocol === 'http:' && accountKey !== undefined && isLocal.test(hostname));
}

function refusal(what: string, hint: string): LockkeeperError {
  return new LockkeeperError('invalid', `azure-blob: ${what}`, { hint });
}
