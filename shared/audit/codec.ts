import { z } from 'zod';
import { canonicalJson, type Plain } from '../base/canonical.ts';
import { LockkeeperError } from '../base/error.ts';
import { instant, type Instant } from '../base/time.ts';
import type { AuditEvent } from './entry.ts';
import { classify, ocsfVersion } from './ocsf.ts';
import { longestEntry } from './tlog/bundle.ts';
import { leafHash } from './tlog/merkle.ts';

/** One line of the log: an event in its place within the run that wrote it. */
export interface Entry extends Place {
  /** RFC 6962 leaf hash of the entry's bytes, hex. */
  readonly hash: string;
  /** Unique, so that two equal events are two entries. */
  readonly id: string;
  readonly at: Instant;
  readonly event: AuditEvent;
}

/** Where an entry stands in its run: what is left out or moved shows. */
export interface Place {
  readonly run: string;
  /** From 0, without gaps. */
  readonly n: number;
  /** `hash` of the run's entry before; `firstPrevious` for its first. */
  readonly previous: string;
}

/** What an entry's bytes state about their run. */
export interface Statement extends Place {
  /** For the last entry of a run: how many entries it counts. */
  readonly counts: number | undefined;
  /** Where it rests on evidence: SHA-256 of it, hex. */
  readonly evidence: string | undefined;
}

/** What an entry states about its run; `invalid` where it states nothing. Much faster than to read the whole entry. */
export function statementOf(bytes: Uint8Array): Statement {
  const { metadata, unmapped } = parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
  const n = isObject(metadata) ? metadata['sequence'] : undefined;
  const { run, previous, action, details } = isObject(unmapped) ? unmapped : {};
  if (typeof n !== 'number' || !Number.isSafeInteger(n) || typeof run !== 'string' || typeof previous !== 'string') throw damaged('it does not say its place in a run');
  const { entries, evidence } = isObject(details) ? details : {};
  const counts = action === 'run.end' && typeof entries === 'number' ? entries : undefined;
  return { run, n, previous, counts, evidence: isHash(evidence) ? evidence : undefined };
}

/** What the first entry of a run has for the hash of the one before. */
export const firstPrevious = '0'.repeat(64);

/**
 * The stored form: canonical JSON of one OCSF event. What OCSF has no place for is under `unmapped`, as OCSF wants it,
 * the place in the run included. `invalid` where it is longer than an entry bundle takes.
 */
export function encodeEntry(entry: Omit<Entry, 'hash'>): { readonly bytes: Uint8Array; readonly hash: string } {
  const bytes = Uint8Array.from(Buffer.from(canonicalJson(storedForm(entry)), 'utf8'));
  if (bytes.length <= longestEntry) return { bytes, hash: hashOf(bytes) };
  throw new LockkeeperError('invalid', `the event ${entry.event.action} takes ${bytes.length} bytes in the log, more than ${longestEntry}`, {
    hint: 'Keep large evidence in an object of its own, and log its hash.',
  });
}

/** The entry that the bytes hold; `invalid` unless every byte of them is what encodeEntry would have written. */
export function decodeEntry(bytes: Uint8Array): Entry {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const parsed = parse(text);
  const isCanonical = canonicalJson(parsed) === text && Buffer.compare(Buffer.from(text), bytes) === 0;
  if (!isCanonical) throw damaged('it is not canonical JSON');
  const stored = storedSchema.safeParse(parsed);
  if (!stored.success) throw damaged(`it does not have the form of an entry (${stored.error.issues[0]?.path.join('.')})`);
  const { time, actor, metadata, unmapped } = stored.data;
  const { previous, run, result, ...event } = unmapped;
  const placed = { run, n: metadata.sequence, previous, hash: hashOf(bytes), id: metadata.uid, at: instant(time) };
  const said = { ...event, actor: actor.user.name, correlation: metadata.correlation_uid };
  return { ...placed, event: result === undefined ? said : { ...said, result } };
}

function hashOf(bytes: Uint8Array): string {
  return Buffer.from(leafHash(bytes)).toString('hex');
}

function parse(text: string): PlainObject {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw damaged('it is not JSON', cause);
  }
  if (!isObject(parsed)) throw damaged('it is not a JSON object');
  return parsed;
}

function isHash(value: Plain | undefined): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

/** Of what JSON.parse gave; so all that is in it is plain. */
function isObject(parsed: unknown): parsed is PlainObject {
  return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
}

function damaged(why: string, cause?: unknown): LockkeeperError {
  return new LockkeeperError('invalid', why, { cause, hint: 'Run `lockkeeper audit verify`: it names everything that was changed.' });
}

type PlainObject = { readonly [key: string]: Plain | undefined };
type StoredForm = { readonly [key: string]: Plain | undefined; readonly unmapped: PlainObject };

function storedForm({ previous, id, run, n, at, event }: Omit<Entry, 'hash'>): StoredForm {
  const { action, stage, subject, actor, correlation, result, details } = event;
  const product = { name: 'lockkeeper', vendor_name: 'lockkeeper' };
  return {
    ...classify(event),
    ...subjectOf(event, product),
    time: at,
    message: `${action} ${result ?? stage}: ${subject.kind} ${subject.id}`,
    actor: { user: { name: actor } },
    metadata: { uid: id, sequence: n, correlation_uid: correlation, log_name: 'lockkeeper', product, profiles, version: ocsfVersion },
    unmapped: { action, stage, subject: { kind: subject.kind, id: subject.id }, result, details, run, previous },
  };
}

/** What the event's class demands. */
function subjectOf({ subject, correlation }: AuditEvent, product: Plain): { readonly [key: string]: Plain } {
  if (subject.kind === 'opening') return { command_uid: correlation, connection_info: { direction_id: 0 } };
  if (subject.kind === 'run') return { app: product };
  return { entity: { type: subject.kind, uid: subject.id } };
}

/** OCSF's class of remediation, and that of a program's life, have an actor in this profile only. */
const profiles = ['host'];

const hexHash = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();

const storedSchema = z.object({
  time: z.number().int(),
  actor: z.object({ user: z.object({ name: z.string() }) }),
  metadata: z.object({ uid: z.string(), sequence: count, correlation_uid: z.string() }),
  unmapped: z.strictObject({
    action: z.string(),
    stage: z.enum(['intent', 'outcome', 'fact']),
    subject: z.strictObject({ kind: z.enum(['credential', 'opening', 'proposal', 'flow-log', 'run', 'log']), id: z.string() }),
    result: z.enum(['done', 'failed', 'refused', 'uncertain']).optional(),
    details: z.custom<PlainObject>(isObject),
    run: z.string(),
    previous: hexHash,
  }),
});
