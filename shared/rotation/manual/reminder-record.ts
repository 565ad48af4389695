import { z } from 'zod';
import { canonicalJson } from '../../base/canonical.ts';
import { LockkeeperError } from '../../base/error.ts';
import { instant, type Instant } from '../../base/time.ts';
import type { ObjectStore, ObjectVersion } from '../../objects/contract.ts';
import type { CertificateEnd } from '../forms/certificates.ts';

/** A version that a place handed out once. */
export type VersionRecord = {
  readonly id: string;
  /** When lockkeeper first saw it there. */
  readonly since: Instant;
  /** What its own certificate says; null where it is none. */
  readonly certificate: CertificateEnd | null;
};

/** One place and what it handed out: the last is current. */
export type PlaceRecord = {
  readonly store: string;
  readonly secret: string;
  readonly versions: readonly VersionRecord[];
};

/** What is wrong with the places, since when, and how often people were told, as in a journal's trouble. */
export type Problem = {
  readonly text: string;
  readonly since: Instant;
  readonly told: number;
  readonly toldAt: Instant | null;
};

/** What lockkeeper remembers of a credential that people renew. No value is in it. */
export type ReminderRecord = {
  readonly format: 1;
  readonly credential: string;
  readonly places: readonly PlaceRecord[];
  /** By the end that people were reminded of: the last moment that was told. Newest last. */
  readonly told: readonly { readonly ends: Instant; readonly through: Instant }[];
  /**
   * A run is telling people since then; null where none is. One that died leaves it behind. `by` is unique, so that of
   * two equal claims exactly one is written.
   */
  readonly telling: { readonly at: Instant; readonly by: string } | null;
  readonly problem: Problem | null;
};

/** A record as it is stored, with the version that the next write must replace. */
export interface HeldRecord {
  readonly record: ReminderRecord;
  /** Undefined: not written yet. */
  readonly version: ObjectVersion | undefined;
}

/** The record of `credential` at `reminders/<credential>.json`, or an empty one. `invalid` where it is no record of it. */
export async function readRecord(state: ObjectStore, credential: string): Promise<HeldRecord> {
  const stored = await state.get(keyOf(credential));
  if (stored) return { record: decode(stored.bytes, credential), version: stored.version };
  const record: ReminderRecord = { format: 1, credential, places: [], told: [], telling: null, problem: null };
  return { record, version: undefined };
}

/**
 * Writes what follows `held`, durable on return; nothing where nothing changed. `conflict` where another run has written
 * since it was read; `uncertain` where nobody knows: the next run reads what is there.
 */
export async function writeRecord(state: ObjectStore, held: HeldRecord, record: ReminderRecord): Promise<HeldRecord> {
  const [before, text] = [canonicalJson(held.record), canonicalJson(record)];
  if (before === text) return held;
  const key = keyOf(record.credential);
  const bytes = Buffer.from(text);
  const answer = held.version ? await state.replace(key, bytes, held.version) : await state.create(key, bytes);
  if (answer.outcome === 'done') return { record, version: answer.version };
  throw new LockkeeperError('conflict', `${key} was written by another run (${answer.outcome})`, {
    hint: 'Another run reminds people; nothing to do.',
  });
}

function keyOf(credential: string): string {
  return `reminders/${credential}.json`;
}

const time = z.number().transform(instant);

const schema: z.ZodType<ReminderRecord> = z.strictObject({
  format: z.literal(1),
  credential: z.string(),
  places: z.array(
    z.strictObject({
      store: z.string(),
      secret: z.string(),
      versions: z.array(
        z.strictObject({
          id: z.string(),
          since: time,
          certificate: z.strictObject({ at: time, subject: z.string() }).nullable(),
        }),
      ),
    }),
  ),
  told: z.array(z.strictObject({ ends: time, through: time })),
  telling: z.strictObject({ at: time, by: z.string() }).nullable(),
  problem: z.strictObject({ text: z.string(), since: time, told: z.int(), toldAt: time.nullable() }).nullable(),
});

function decode(bytes: Uint8Array, credential: string): ReminderRecord {
  const hint = 'Delete the object: lockkeeper then begins to remember anew, and a lifetime counts from then.';
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new LockkeeperError('invalid', `${keyOf(credential)} is not JSON`, { hint, cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success && parsed.data.credential === credential) return parsed.data;
  const why = parsed.success ? `it is of ${parsed.data.credential}` : z.prettifyError(parsed.error);
  throw new LockkeeperError('invalid', `${keyOf(credential)} is no record of ${credential}: ${why}`, { hint });
}
