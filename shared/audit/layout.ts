import { after, dayOf, hour, parseInstant, type Instant } from '../base/time.ts';

/**
 * Where everything is:
 *
 *     log store, create-only                                   state store
 *     inbox/DAY/RUN/BATCH    entries as they were acknowledged   audit/checkpoint      the newest one published, cosigned
 *     seq/FIRST              which batches come next             audit/sequenced.json  what is sequenced; can be made anew
 *     tile/entries/N, tile/L/N   full bundles and tiles          audit/partial/tile/…  the ones that are not full yet
 *     cp/SIZE                signed checkpoints
 *     cosig/SIZE/WITNESS     what a witness put to one
 *     evidence/HASH.json     what an entry rests on, named by its SHA-256
 *     log.vkey               the key that all of it is signed with
 *
 * Numbers are padded, so that keys sort as numbers do. Everything in the state store can be made from the log store.
 */
export const inboxPrefix = 'inbox/';
export const sequencePrefix = 'seq/';
export const checkpointPrefix = 'cp/';
export const cosignaturePrefix = 'cosig/';
export const tilePrefix = 'tile/';
export const verifierKeyKey = 'log.vkey';
export const evidencePrefix = 'evidence/';
export const publishedKey = 'audit/checkpoint';
export const sequencedKey = 'audit/sequenced.json';
export const partialPrefix = 'audit/partial/';

/** One object of the inbox: the entries that one run put there at once. */
export interface BatchName {
  /** UTC day on which the run began, YYYY-MM-DD. */
  readonly day: string;
  readonly run: string;
  /** From 0, without gaps. */
  readonly batch: number;
}

/** The key of a batch. */
export function batchKey({ day, run, batch }: BatchName): string {
  return `${inboxPrefix}${day}/${run}/${String(batch).padStart(8, '0')}`;
}

/** The batch that a key names, or undefined for a key that lockkeeper never writes. */
export function parseBatchKey(key: string): BatchName | undefined {
  const [, day, run, batch] = /^inbox\/(\d{4}-\d\d-\d\d)\/([A-Za-z0-9._=-]+)\/(\d{8})$/.exec(key) ?? [];
  // A bucket may hold keys that no store reads: they are nobody's batches.
  const isReadable = key.length <= 900 && run !== '.' && run !== '..';
  return day === undefined || run === undefined || !isReadable ? undefined : { day, run, batch: Number(batch) };
}

/** The key of the sequence record whose first entry has this index. */
export function sequenceKey(first: number): string {
  return `${sequencePrefix}${padded(first)}`;
}

/** The key of the checkpoint of this size. */
export function checkpointKey(size: number): string {
  return `${checkpointPrefix}${padded(size)}`;
}

/** The key of what the witness whose key has this id (8 hex digits) put to the checkpoint of this size. */
export function cosignatureKey(size: number, id: string): string {
  return `${cosignaturePrefix}${padded(size)}/${id}`;
}

/** The key of the evidence with this SHA-256, hex. */
export function evidenceKey(hash: string): string {
  return `${evidencePrefix}${hash}.json`;
}

/** The number that a key holds after its prefix, or undefined for a key of another form. */
export function numberIn(key: string, prefix: string): number | undefined {
  const digits = key.startsWith(prefix) ? /^\d{20}(?=$|\/)/.exec(key.slice(prefix.length))?.[0] : undefined;
  const parsed = Number(digits);
  return digits !== undefined && Number.isSafeInteger(parsed) ? parsed : undefined;
}

/** So long after a day began, whoever seals is not done with it yet: a run lasts for a day, and clocks differ. */
export const keptOpenMs = 48 * hour;

/**
 * The day under which a run that begins now is kept: today, or where this clock lags behind the integrator's, the
 * integrator's day. So nothing is passed over while clocks differ by a day, nor by however much while somebody seals
 * every day.
 */
export function dayFor(now: Instant, doneBefore: string): string {
  const today = dayOf(now);
  const sealers = doneBefore === '' ? today : dayOf(after(parseInstant(`${doneBefore}T00:00:00Z`), keptOpenMs));
  return today < sealers ? sealers : today;
}

function padded(number: number): string {
  return String(number).padStart(20, '0');
}
