import { z } from 'zod';
import { canonicalJson, type Plain } from '../../base/canonical.ts';
import { LockkeeperError } from '../../base/error.ts';
import { instant, type Instant } from '../../base/time.ts';
import type { AuditEvent } from '../entry.ts';
import { damaged, isObject, parseObject, type PlainObject } from './json-object.ts';
import { classify, ocsfVersion } from './ocsf.ts';
import type { Place } from './statement.ts';
import { longestEntry } from '../tlog/bundle.ts';
import { leafHash } from '../tlog/merkle.ts';

/** One line of the log: an event in its place within the run that wrote it. */
export interface Entry extends Place {
  /** RFC 6962 leaf hash of the entry's bytes, hex. */
  readonly hash: string;
  /** Unique, so that two equal events are two entries. */
  readonly id: string;
  readonly at: Instant;
  readonly event: AuditEvent;
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
  throw new LockkeeperError(
    'invalid',
    `the event ${entry.event.action} takes ${bytes.length} bytes in the log, more than ${longestEntry}`,
    {
      hint: 'Keep large evidence in an object of its own, and log its hash.',
    },
  );
}

/** The entry that the bytes hold; `invalid` unless every byte of them is what encodeEntry would have written. */
export function decodeEntry(bytes: Uint8Array): Entry {
  const stored = storedSchema.safeParse(parseCanonical(bytes));
  if (!stored.success)
    throw damaged(`it does not have the form of an entry (${stored.error.issues[0]?.path.join('.')})`);
  const { time, actor, metadata, unmapped } = stored.data;
  const { previous, run, result, ...event } = unmapped;
  const placed = { run, n: metadata.sequence, previous, hash: hashOf(bytes), id: metadata.uid, at: instant(time) };
  const said = { ...event, actor: actor.user.name, correlation: metadata.correlation_uid };
  return { ...placed, event: result === undefined ? said : { ...said, result } };
}

/** The JSON object that the bytes are, in its one canonical form; `invalid` for anything else. */
export function parseCanonical(bytes: Uint8Array): PlainObject {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const parsed = parseObject(text);
  if (canonicalJson(parsed) === text && Buffer.compare(Buffer.from(text), bytes) === 0) return parsed;
  throw damaged('it is not canonical JSON');
}

function hashOf(bytes: Uint8Array): string {
  return Buffer.from(leafHash(bytes)).toString('hex');
}

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
    metadata: {
      uid: id,
      sequence: n,
      correlation_uid: correlation,
      log_name: 'lockkeeper',
      product,
      profiles,
      version: ocsfVersion,
    },
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
    subject: z.strictObject({
      kind: z.enum(['credential', 'opening', 'proposal', 'flow-log', 'run', 'log']),
      id: z.string(),
    }),
    result: z.enum(['done', 'failed', 'refused', 'uncertain']).optional(),
    details: z.custom<PlainObject>(isObject),
    run: z.string(),
    previous: hexHash,
  }),
});
