import { z } from 'zod';
import { canonicalJson } from '../../base/canonical.ts';
import { LockkeeperError } from '../../base/error.ts';
import { formatInstant, parseInstant, type Instant } from '../../base/time.ts';
import type { ObjectStore, ObjectVersion } from '../../objects/contract.ts';
import type { Journal } from '../journal/journal.ts';

/** A finding that is in the log. */
export type KnownFinding = {
  readonly id: string;
  readonly what: string;
  readonly since: Instant;
  /** The rotation that the journal named when it was found; null where there was no journal. */
  readonly rotation: string | null;
  /** People know of it. */
  readonly told: boolean;
};

/** The newest journal that a check saw: enough to recognise one that is older. */
export type LastJournal = {
  readonly epoch: number;
  readonly nonce: string;
  /** Its rotation, and those before it. */
  readonly rotations: readonly string[];
};

/** What earlier checks of one credential found. */
export type DriftRecord = {
  readonly format: 1;
  readonly credential: string;
  readonly journal: LastJournal | null;
  readonly findings: readonly KnownFinding[];
  /** Those that people were told of and that are over, until people are told of that too. */
  readonly over: readonly { readonly id: string; readonly what: string }[];
};

/** A record with the version that the next write must replace; undefined: there is none yet. */
export interface HeldRecord {
  readonly record: DriftRecord;
  readonly version: ObjectVersion | undefined;
}

/** The record of `credential` at `drift/<credential>.json` in the state store; an empty one where there is none. */
export async function readRecord(state: ObjectStore, credential: string): Promise<HeldRecord> {
  const stored = await state.get(keyOf(credential));
  if (stored) return { record: decode(stored.bytes, credential), version: stored.version };
  return { record: { format: 1, credential, journal: null, findings: [], over: [] }, version: undefined };
}

/** Writes what follows `held`, durable on return; the same as before is not written. `conflict` where another check did. */
export async function writeRecord(state: ObjectStore, held: HeldRecord, record: DriftRecord): Promise<HeldRecord> {
  const bytes = encode(record);
  if (Buffer.from(encode(held.record)).equals(bytes)) return held;
  const key = keyOf(record.credential);
  const answer =
    held.version === undefined ? await state.create(key, bytes) : await state.replace(key, bytes, held.version);
  if (answer.outcome === 'done') return { record, version: answer.version };
  throw new OtherCheck(record.credential);
}

/** Another check of the same credential wrote what it found meanwhile. */
export class OtherCheck extends LockkeeperError {
  constructor(credential: string) {
    super('conflict', `another check of ${credential} was faster`, { hint: 'It tells what it found; nothing to do.' });
  }
}

/** What is remembered of a journal, given what was before. One that is older takes no place. */
export function lastOf(journal: Journal | undefined, last: LastJournal | null): LastJournal | null {
  if (!journal?.adopted || (last && isOlder(journal, last))) return last;
  const { epoch, nonce, past, rotation } = journal;
  return { epoch, nonce, rotations: [...past, rotation] };
}

/**
 * True where `journal` was written before the one that was seen: it is of a rotation known then, and fewer writes old, or
 * as many and another one. A rotation that began since is never older.
 */
export function isOlder({ rotation, epoch, nonce }: Journal, last: LastJournal): boolean {
  if (!last.rotations.includes(rotation)) return false;
  return epoch < last.epoch || (epoch === last.epoch && nonce !== last.nonce);
}

function keyOf(credential: string): string {
  return `drift/${credential}.json`;
}

function encode({ findings, ...same }: DriftRecord): Uint8Array {
  const stored = { ...same, findings: findings.map(({ since, ...one }) => ({ ...one, since: formatInstant(since) })) };
  return Buffer.from(canonicalJson(stored));
}

const schema: z.ZodType<DriftRecord> = z.strictObject({
  format: z.literal(1),
  credential: z.string(),
  journal: z.strictObject({ epoch: z.int(), nonce: z.string(), rotations: z.array(z.string()) }).nullable(),
  findings: z.array(
    z.strictObject({
      id: z.string(),
      what: z.string(),
      since: z.iso.datetime({ offset: true }).transform(parseInstant),
      rotation: z.string().nullable(),
      told: z.boolean(),
    }),
  ),
  over: z.array(z.strictObject({ id: z.string(), what: z.string() })),
});

function decode(bytes: Uint8Array, credential: string): DriftRecord {
  const hint = 'Delete it: everything that is found is then told once more, and nothing else is lost.';
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new LockkeeperError('invalid', `${keyOf(credential)} in the state store is not JSON`, { hint, cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success && parsed.data.credential === credential) return parsed.data;
  const why = parsed.success ? `it is of ${parsed.data.credential}` : z.prettifyError(parsed.error);
  throw new LockkeeperError('invalid', `${keyOf(credential)} in the state store is no record of drift: ${why}`, {
    hint,
  });
}
