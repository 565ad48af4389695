import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LockkeeperError } from '../../shared/base/error.ts';
import { awsS3Objects } from '../../shared/objects/aws-s3.ts';
import { azureBlobObjects } from '../../shared/objects/azure-blob.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import { gcpStorageObjects } from '../../shared/objects/gcp-storage.ts';
import { memoryObjects, MemoryBucket } from '../../shared/objects/memory.ts';
import { s3Refusals, startS3, type S3Fault, type S3Operation } from '../clouds/aws-s3.ts';
import { azureRefusals, startAzureBlob, type AzureFault, type AzureOperation } from '../clouds/azure-blob.ts';
import { GcpStorage, type GcpFault, type GcpRequest } from '../clouds/gcp-storage.ts';
import { testWorld } from '../world.ts';
import type { RoughPlace, Verb } from './linear-history.ts';

/** Each driver on a place where things go wrong as they do there. */
export const roughPlaces: Readonly<Record<string, () => Promise<RoughPlace>>> = {
  memory: async () => lossy('memory', memoryHandles()),
  'file-system': fileSystem,
  'aws-s3': awsS3,
  'gcp-storage': gcpStorage,
  'azure-blob': azureBlob,
};

/** Handles of several clients on one bucket in memory. */
export function memoryHandles(wrap = (store: ObjectStore) => store): (prefix: string) => ObjectStore {
  const buckets = new Map<string, MemoryBucket>();
  return (prefix) => {
    const bucket = buckets.get(prefix) ?? new MemoryBucket();
    buckets.set(prefix, bucket);
    return wrap(memoryObjects(bucket));
  };
}

/** Stores without a network get one: what is asked takes a while, and its answer may be lost. */
export function lossy(name: string, open: (prefix: string) => ObjectStore): RoughPlace {
  const faults: ('before' | 'after' | 'refused')[] = [];
  const carry = async <T>(act: () => Promise<T>): Promise<T> => {
    const fault = faults.shift();
    if (fault === 'refused') throw new LockkeeperError('throttled', 'slower');
    if (fault === 'before') throw new LockkeeperError('uncertain', 'lost');
    await new Promise(setImmediate);
    const answer = await act();
    await new Promise(setImmediate);
    if (fault === 'after') throw new LockkeeperError('uncertain', 'lost');
    return answer;
  };
  return {
    name,
    sendsAgain: false,
    open: (prefix) => {
      const store = open(prefix);
      return {
        get: (key) => store.get(key),
        create: (key, bytes) => carry(() => store.create(key, bytes)),
        replace: (key, bytes, held) => carry(() => store.replace(key, bytes, held)),
        delete: (key, held) => carry(() => store.delete(key, held)),
        list: (prefixOfKeys, after) => store.list(prefixOfKeys, after),
      };
    },
    disturb: (_, random) => void faults.push(oneOf(['before', 'after', 'refused'], random)),
    heal: () => void faults.splice(0),
    close: async () => {},
  };
}

async function fileSystem(): Promise<RoughPlace> {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-linear-'));
  return {
    name: 'file-system',
    sendsAgain: false,
    open: (prefix) => fileSystemObjects({ directory: join(directory, prefix) }),
    disturb: () => {},
    heal: () => {},
    close: async () => await rm(directory, { recursive: true }),
  };
}

const slow = (random: () => number) => ({ slowMs: random() * 12, slow: random() < 0.5 ? 'before' : 'after' }) as const;

const s3Operations: Readonly<Record<Verb, readonly S3Operation[]>> = {
  get: ['GetObject'],
  list: ['ListObjectsV2'],
  create: ['PutObject', 'PutObject', 'GetObject'],
  replace: ['PutObject', 'PutObject', 'GetObject'],
  delete: ['DeleteObject', 'DeleteObject', 'GetObject'],
};

async function awsS3(): Promise<RoughPlace> {
  const s3 = await startS3({ pageSize: 2, policy: 'conditional-only' });
  const { conflict, slowDown, internal, denied } = s3Refusals;
  const faults: readonly S3Fault[] = [
    'lost-before',
    'lost-after',
    'lost-after',
    'internal-after',
    'internal-after',
    'cut',
    conflict,
    slowDown,
    internal,
    denied,
  ];
  let handles = 0;
  return {
    name: 'aws-s3',
    sendsAgain: true,
    open: (prefix) => {
      handles += 1;
      return awsS3Objects({
        ...s3.place,
        prefix,
        contents: 'changing',
        world: testWorld(undefined, `client ${handles}`),
        pauseMs: 8,
      });
    },
    disturb: (verb, random) => {
      s3.fail(oneOf(s3Operations[verb], random), random() < 0.3 ? slow(random) : oneOf(faults, random));
    },
    heal: () => s3.heal(),
    close: () => s3.close(),
  };
}

const gcpKinds: Readonly<Record<Verb, readonly GcpRequest[]>> = {
  get: ['read'],
  list: ['list'],
  create: ['write', 'write', 'read'],
  replace: ['write', 'write', 'stat'],
  delete: ['delete', 'delete', 'stat'],
};

async function gcpStorage(): Promise<RoughPlace> {
  const cloud = await GcpStorage.start();
  const { bucket, endpoint, token } = cloud;
  const unavailable = { status: 503, reason: 'backendError' };
  const faults: readonly GcpFault[] = [
    { lost: 'before' },
    { lost: 'after' },
    { status: 429, reason: 'rateLimitExceeded' },
    unavailable,
    { ...unavailable, effect: true },
    { ...unavailable, effect: true },
    { status: 500, reason: 'internalError', effect: true },
    { status: 403, reason: 'forbidden' },
  ];
  return {
    name: 'gcp-storage',
    sendsAgain: true,
    open: (prefix) => gcpStorageObjects({ bucket, prefix, endpoint, token, pageSize: 2, waitsMs: [6, 12, 18] }),
    disturb: (verb, random) =>
      cloud.fail(oneOf(gcpKinds[verb], random), random() < 0.3 ? { slowMs: random() * 12 } : oneOf(faults, random)),
    heal: () => cloud.calm(),
    close: () => cloud.close(),
  };
}

const azureOperations: Readonly<Record<Verb, readonly AzureOperation[]>> = {
  get: ['GetBlob'],
  list: ['ListBlobs'],
  create: ['PutBlob', 'PutBlob', 'GetBlob'],
  replace: ['PutBlob', 'PutBlob', 'GetBlobProperties'],
  delete: ['DeleteBlob', 'DeleteBlob', 'GetBlobProperties'],
};

async function azureBlob(): Promise<RoughPlace> {
  const azure = await startAzureBlob({ pageSize: 2 });
  const { busy, tooMany, internal, denied } = azureRefusals;
  const faults: readonly AzureFault[] = [
    'lost-before',
    'lost-after',
    'lost-after',
    'timed-out-after',
    'internal-after',
    'cut',
    busy,
    tooMany,
    internal,
    denied,
  ];
  return {
    name: 'azure-blob',
    sendsAgain: true,
    open: (prefix) => azureBlobObjects({ ...azure.place, prefix }),
    disturb: (verb, random) =>
      azure.fail(oneOf(azureOperations[verb], random), random() < 0.3 ? slow(random) : oneOf(faults, random)),
    heal: () => azure.heal(),
    close: () => azure.close(),
  };
}

function oneOf<T>(all: readonly T[], random: () => number): T {
  const one = all[Math.floor(random() * all.length)];
  if (one === undefined) throw new Error('nothing to choose from');
  return one;
}
