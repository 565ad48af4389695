import { z } from 'zod';
import { canonicalJson, sha256, type Plain } from '../base/canonical.ts';
import { LockkeeperError } from '../base/error.ts';
import { instant, type Instant } from '../base/time.ts';
import type { AuditEvent } from './entry.ts';
import { classify, ocsfVersion } from './ocsf.ts';

/** One line of the log: an event in its place. */
export interface Entry {
  /** From 0, without gaps. */
  readonly index: number;
  /** `hash` of the entry before; `firstPrevious` for the first. */
  readonly previous: string;
  /** SHA-256, hex, of this entry's canonical JSON without this member. */
  readonly hash: string;
  /** Unique, so that two equal events are two entries. */
  readonly id: string;
  /** The run that wrote it, and its counter there, from 0 without gaps: what is left out shows. */
  readonly run: string;
  readonly n: number;
  readonly at: Instant;
  readonly event: AuditEvent;
}

/** What the first entry has for the hash of the one before. */
export const firstPrevious = '0'.repeat(64);

/** An entry is at most so many bytes: what fits into an entry bundle of C2SP tlog-tiles. */
export const longestEntry = 65_535;

/**
 * The stored form: canonical JSON of one OCSF event. What OCSF has no place for is under `unmapped`, as OCSF wants it,
 * the chain included. `invalid` where it is too long.
 */
export function encodeEntry(entry: Omit<Entry, 'hash'>): { readonly bytes: Uint8Array; readonly hash: string } {
  const open = storedForm(entry);
  const hash = sha256(canonicalJson(open));
  const bytes = Buffer.from(canonicalJson({ ...open, unmapped: { ...open.unmapped, hash } }), 'utf8');
  if (bytes.length <= longestEntry) return { bytes: Uint8Array.from(bytes), hash };
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
  const { hash, previous, run, n, result, ...event } = unmapped;
  if (sha256(withoutHash(text, hash)) !== hash) throw damaged('its hash does not fit its content');
  const placed = { index: metadata.sequence, previous, hash, id: metadata.uid, run, n, at: instant(time) };
  const said = { ...event, actor: actor.user.name, correlation: metadata.correlation_uid };
  return { ...placed, event: result === undefined ? said : { ...said, result } };
}

/** What the hash is of. The last place is the member itself: after it come strings only, where quotes are escaped. */
function withoutHash(text: string, hash: string): string {
  const member = `"hash":"${hash}",`;
  const at = text.lastIndexOf(member);
  return text.slice(0, at) + text.slice(at + member.length);
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

/** Of what JSON.parse gave; so all that is in it is plain. */
function isObject(parsed: unknown): parsed is PlainObject {
  return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
}

function damaged(why: string, cause?: unknown): LockkeeperError {
  return new LockkeeperError('invalid', why, { cause, hint: 'Run `lockkeeper audit verify`: it names everything that was changed.' });
}

type PlainObject = { readonly [key: string]: Plain | undefined };
type StoredForm = { readonly [key: string]: Plain | undefined; readonly unmapped: PlainObject };

function storedForm({ index, previous, id, run, n, at, event }: Omit<Entry, 'hash'>): StoredForm {
  const { action, stage, subject, actor, correlation, result, details } = event;
  const product = { name: 'lockkeeper', vendor_name: 'lockkeeper' };
  return {
    ...classify(event),
    ...subjectOf(event, product),
    time: at,
    message: `${action} ${result ?? stage}: ${subject.kind} ${subject.id}`,
    actor: { user: { name: actor } },
    metadata: { uid: id, sequence: index, correlation_uid: correlation, log_name: 'lockkeeper', product, profiles, version: ocsfVersion },
    unmapped: { action, stage, subject: { kind: subject.kind, id: subject.id }, result, details, run, n, previous },
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
    n: count,
    previous: hexHash,
    hash: hexHash,
  }),
});
