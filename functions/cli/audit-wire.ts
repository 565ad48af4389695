import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { hasCode, LockkeeperError } from '../../shared/base/error.ts';
import { inboxPrefix, numberIn, parseBatchKey, publishedKey, sequencePrefix } from '../../shared/audit/layout.ts';
import { longestInLog, longestInState } from '../../shared/audit/limits.ts';
import { readVerifierKey } from '../../shared/audit/sealing/checkpoints.ts';
import { parseVerifierKey } from '../../shared/audit/tlog/note.ts';
import { systemWorld } from '../../shared/base/world.ts';
import { neededOf, originOf } from '../../shared/config/audit.ts';
import { parseStoreUrl, storeUrl } from '../../shared/config/store-url.ts';
import type { StoreConfig } from '../../shared/config/stores.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { fileError, isErrno } from '../../shared/objects/file-errors.ts';
import { infoAt } from '../../shared/objects/file-state.ts';
import { readKey } from '../../shared/secrets/key-file.ts';
import { openStore } from '../local/stores-wire.ts';
import { writerKeyFile } from '../local/writer-key.ts';
import type { AuditPlace, AuditStores } from './audit.ts';
import type { VerifyDeps } from './audit-verify.ts';
import { auditFiles } from './audit-files.ts';
import { tablesPlace } from './export-tables-wire.ts';
import { untilStopped } from './until-stopped.ts';
import type { ConfigFile } from '../../shared/config/read-text.ts';

/**
 * Where the audit verbs read. `--dir` takes what `demo --keep` left (a folder with `log` and `state`), a copy of the
 * log store alone, or plain tlog-tiles; `--store` and `--state` take addresses in a cloud; `configFile` gives the
 * configuration that counts without them. Nothing is ever written; once `signal` is aborted, nothing more is read.
 */
export function auditDeps(
  configFile: () => Promise<ConfigFile | string>,
  signal: AbortSignal = new AbortController().signal,
): VerifyDeps {
  return {
    stores: async (place) => untilStopped(await withWriter(place, await storesOf(place, configFile)), signal),
    tables: async ({ where }) => (isAbsolute(where) ? await tablesPlace(where) : undefined),
    text: async (path) => Buffer.from(await auditFiles.bytes(path)).toString(),
  };
}

async function storesOf(place: AuditPlace, configFile: () => Promise<ConfigFile | string>): Promise<AuditStores> {
  refuseTwo(place);
  if (place.dir !== undefined) return await below(resolve(place.dir));
  if (place.store === undefined) return await configured(await configFile());
  const state = place.state === undefined ? undefined : parseStoreUrl(place.state);
  return await opened({ log: parseStoreUrl(place.store), state }, 'Check the address.');
}

/** The key that is named counts instead of the configured one. The log's own key says for which log it is. */
async function withWriter({ writerKey }: AuditPlace, stores: AuditStores): Promise<AuditStores> {
  if (writerKey === undefined) return stores;
  const key = await readKey(resolve(writerKey));
  if (!key)
    throw new LockkeeperError('not-found', `there is no writer key at ${writerKey}`, { hint: 'Check the path.' });
  const own = stores.verifyWith ?? (await readVerifierKey(stores.log));
  return own === undefined ? stores : { ...stores, writer: { key, origin: parseVerifierKey(own).name } };
}

function refuseTwo({ dir, store, state }: AuditPlace): void {
  if (dir !== undefined && (store ?? state) !== undefined)
    throw new LockkeeperError('invalid', 'both a directory and a store in a cloud are named', {
      hint: 'Give --dir alone, or --store.',
    });
  if (state !== undefined && store === undefined)
    throw new LockkeeperError('invalid', 'a state store is named, but no log that it belongs to', {
      hint: 'Give --store too.',
    });
}

async function configured(file: ConfigFile | string): Promise<AuditStores> {
  const { loadConfig } = await import('../../shared/config/load.ts');
  const { config } = await loadConfig(file);
  const { stores, audit } = config;
  const found = await opened(stores, 'Nothing was logged there yet; check stores.log in the configuration.');
  const world = systemWorld();
  const anchors = await Promise.all(
    audit.anchors.map(async (place) => ({
      name: storeUrl(place),
      store: (await openStore(place, { world, contents: 'create-only', mostBytes: longestInLog })).store,
    })),
  );
  const trustedWitnesses =
    audit.witnesses.length === 0 ? undefined : { keys: audit.witnesses.map(({ key }) => key), needed: neededOf(audit) };
  const key = await readableKey(writerKeyFile(config));
  const writer = key && { key, origin: originOf(config) };
  return { ...found, verifyWith: audit.verifyWith, anchors, trustedWitnesses, writer };
}

/** An auditor with an account of his own may not read it: then proofs are not checked. */
async function readableKey(path: string | undefined): Promise<Uint8Array | undefined> {
  try {
    return path === undefined ? undefined : await readKey(path);
  } catch (thrown) {
    if (isErrno(thrown, 'EACCES')) return undefined;
    throw thrown;
  }
}

async function below(directory: string): Promise<AuditStores> {
  if (!(await isThere(directory))) throw noLog(directory, 'Check the path.');
  const inside = join(directory, 'log');
  if (await isThere(inside)) return await files(inside, join(directory, 'state'));
  const isLog = (await Promise.all(logFolders.map((name) => isThere(join(directory, name))))).includes(true);
  if (isLog || basename(directory) === 'log') return await files(directory, join(dirname(directory), 'state'));
  if (await isThere(join(directory, checkpointKey)))
    return await storesAt({ log: { kind: 'file-system', path: directory }, state: undefined });
  if (await isThere(join(directory, 'tile')))
    throw noLog(
      directory,
      'It has tiles and no checkpoint, as an export that was not finished: run `lockkeeper audit export` into it again.',
    );
  throw noLog(
    directory,
    'Name a folder that holds `log` and `state`, a copy of the log store, or one with `checkpoint` and `tile`.',
  );
}

/** What a log store holds and plain tiles do not. */
const logFolders = ['entries', 'inbox', 'seq'];

/** Where plain tiles have their checkpoint (https://c2sp.org/tlog-tiles); a log store has none of that name. */
const checkpointKey = 'checkpoint';

/** A state store counts where it has a head, or belongs to the folder of the log. */
async function files(log: string, state: string): Promise<AuditStores> {
  const hasState = (await isThere(join(state, publishedKey))) || ((await isThere(state)) && basename(log) === 'log');
  return await storesAt({
    log: { kind: 'file-system', path: log },
    state: hasState ? { kind: 'file-system', path: state } : undefined,
  });
}

interface Places {
  readonly log: StoreConfig;
  readonly state: StoreConfig | undefined;
}

/**
 * A log that was emptied is there as long as its state store holds anything: it has to be called tampered, not absent.
 */
async function opened(places: Places, hint: string): Promise<AuditStores> {
  const stores = await storesAt(places);
  if ((await isEmpty(stores.log)) && (stores.state === undefined || (await isEmpty(stores.state))))
    throw noLog(stores.where, hint);
  return stores;
}

async function storesAt({ log, state }: Places): Promise<AuditStores> {
  const world = systemWorld();
  const { store, history } = await openStore(log, { world, contents: 'create-only', mostBytes: longestInLog });
  const heads = state && (await openStore(state, { world, contents: 'changing', mostBytes: longestInState })).store;
  return {
    log: store,
    state: heads,
    history,
    where: storeUrl(log),
    stateWhere: state && storeUrl(state),
    kind: await kindOf(store, heads),
    verifyWith: undefined,
    anchors: [],
  };
}

/**
 * Plain tiles have a checkpoint and no place where entries are put in: one that somebody put beside the inbox, or
 * beside a head that was published, does not make verify look away from those.
 */
async function kindOf(log: ObjectStore, state: ObjectStore | undefined): Promise<AuditStores['kind']> {
  if (!(await holds(log, checkpointKey)) || (state && (await holds(state, publishedKey)))) return 'log';
  return (await has(log, inboxPrefix)) || (await has(log, sequencePrefix)) ? 'log' : 'tiles';
}

/** Whether anything lies under the key: what cannot be read is for verify to name. */
async function holds(store: ObjectStore, key: string): Promise<boolean> {
  try {
    return (await store.get(key)) !== undefined;
  } catch (thrown) {
    if (hasCode(thrown, 'conflict') || hasCode(thrown, 'denied')) return true;
    throw thrown;
  }
}

/** Whether there is an object that only the log puts there; what hides the whole folder is none. */
async function has(store: ObjectStore, prefix: string): Promise<boolean> {
  try {
    for await (const { key, oddity } of store.list(prefix)) if (oddity === undefined && isOwn(key)) return true;
  } catch (thrown) {
    if (!hasCode(thrown, 'conflict') && !hasCode(thrown, 'denied')) throw thrown;
  }
  return false;
}

function isOwn(key: string): boolean {
  return (parseBatchKey(key) ?? numberIn(key, sequencePrefix)) !== undefined;
}

async function isEmpty(store: ObjectStore): Promise<boolean> {
  for await (const _ of store.list('')) return false;
  return true;
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await infoAt(path)) !== undefined;
  } catch (thrown) {
    throw fileError(thrown, `look at ${path}`, false);
  }
}

function noLog(where: string, hint: string): LockkeeperError {
  return new LockkeeperError('not-found', `there is no audit log in ${where}`, { hint });
}
