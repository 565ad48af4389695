import { z } from 'zod';
import { toldText } from '../../audit/entries/withhold.ts';
import { canonicalJson } from '../../base/canonical.ts';
import { LockkeeperError } from '../../base/error.ts';
import { formatInstant, parseInstant, type Instant } from '../../base/time.ts';
import type { ObjectStore, ObjectVersion } from '../../objects/contract.ts';
import type { Journal } from '../journal/journal.ts';

/** One person's word that the emergency was looked at. */
export type Signature = {
  readonly who: string;
  readonly at: Instant;
  /** What the person adds; empty where nothing was said. */
  readonly why: string;
};

/** What people must look at after an emergency: nobody was asked before. */
export type Review = {
  readonly format: 2;
  readonly credential: string;
  readonly rotation: string;
  readonly reason: string;
  /** Who ordered it, each name once; they may not sign. */
  readonly actors: readonly string[];
  readonly opened: Instant;
  /** How many different people must sign. */
  readonly needed: number;
  readonly signatures: readonly Signature[];
  /** When enough had signed; null while it is open. */
  readonly closed: Instant | null;
  /** People know that it is closed. */
  readonly told: boolean;
};

/** A review as it is stored, with the version that the next write must replace. */
export interface HeldReview {
  readonly review: Review;
  readonly version: ObjectVersion;
}

const folder = 'reviews/';

/**
 * Opens the review of an emergency rotation at `reviews/<rotation>.json` in the state store. Repeating it keeps the
 * review that is there, whoever has signed it meanwhile.
 */
export async function openReview(state: ObjectStore, journal: Journal, now: Instant): Promise<void> {
  const { emergency, credential, rotation } = journal;
  if (!emergency) throw new LockkeeperError('bug', `${rotation} of ${credential} is no emergency and needs no review`);
  const review: Review = {
    format: 2,
    credential,
    rotation,
    reason: reasonsOf(journal),
    actors: actorsOf(journal),
    opened: now,
    needed: 2,
    signatures: [],
    closed: null,
    told: false,
  };
  await state.create(keyOf(rotation), encode(review));
}

/** Why the emergency was ordered: each reason once, in order. */
export function reasonsOf({ emergency }: Pick<Journal, 'emergency'>): string {
  return toldText([...new Set(emergency?.orders.map(({ reason }) => reason))].join('; '));
}

/** Who ordered the emergency: each name once, in order; lockkeeper where the journal names nobody. */
export function actorsOf({ emergency }: Pick<Journal, 'emergency'>): readonly string[] {
  const actors = [...new Set(emergency?.orders.map(({ actor }) => actor))];
  return actors.length === 0 ? ['lockkeeper'] : actors;
}

/** The ids of all rotations that have a review, open or closed, in key order. */
export async function reviewed(state: ObjectStore): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { key } of state.list(folder)) found.push(key.slice(folder.length).replace(/\.json$/, ''));
  return found;
}

/**
 * The review of one rotation. `not-found` where there is none, `invalid` where the object there is no review of it.
 * Reviews of format 1 are read too.
 */
export async function readReview(state: ObjectStore, rotation: string): Promise<HeldReview> {
  const stored = /^[a-z0-9-]{1,64}$/.test(rotation) ? await state.get(keyOf(rotation)) : undefined;
  if (stored) return { review: decode(stored.bytes, rotation), version: stored.version };
  throw new LockkeeperError('not-found', `no emergency rotation ${JSON.stringify(rotation)} has a review`, {
    hint: '`lockkeeper review list --all` names every review.',
  });
}

/** Writes what follows `held`, durable on return. `conflict` where somebody else has written since it was read. */
export async function writeReview(state: ObjectStore, held: HeldReview, review: Review): Promise<HeldReview> {
  const answer = await state.replace(keyOf(review.rotation), encode(review), held.version);
  if (answer.outcome === 'done') return { review, version: answer.version };
  throw new LockkeeperError('conflict', `the review of ${review.rotation} was changed meanwhile (${answer.outcome})`, {
    hint: 'Sign again.',
  });
}

function keyOf(rotation: string): string {
  return `${folder}${rotation}.json`;
}

function encode({ opened, closed, signatures, ...same }: Review): Uint8Array {
  const stored = {
    ...same,
    opened: formatInstant(opened),
    closed: closed === null ? null : formatInstant(closed),
    signatures: signatures.map(({ at, ...one }) => ({ ...one, at: formatInstant(at) })),
  };
  return Buffer.from(canonicalJson(stored));
}

const time = z.iso.datetime({ offset: true }).transform(parseInstant);
const same = { credential: z.string(), rotation: z.string(), reason: z.string(), opened: time, needed: z.int().min(1) };

const second: z.ZodType<Review> = z.strictObject({
  ...same,
  format: z.literal(2),
  actors: z.array(z.string()),
  signatures: z.array(z.strictObject({ who: z.string(), at: time, why: z.string() })),
  closed: time.nullable(),
  told: z.boolean(),
});

/** Reviews of format 1, which nothing could sign, become format 2 as they are read. */
const first = z
  .strictObject({
    ...same,
    format: z.literal(1),
    actor: z.string(),
    signatures: z.array(z.strictObject({ who: z.string(), at: time })),
  })
  .transform(({ actor, signatures, ...old }): Review => {
    const signed = signatures.map((one) => ({ ...one, why: '' }));
    return { ...old, format: 2, actors: actor.split(', '), signatures: signed, closed: null, told: false };
  });

function decode(bytes: Uint8Array, rotation: string): Review {
  const hint = 'Restore the object from a backup of the state store.';
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new LockkeeperError('invalid', `${keyOf(rotation)} is not JSON`, { hint, cause });
  }
  const parsed = z.union([first, second]).safeParse(json);
  if (parsed.success && parsed.data.rotation === rotation) return parsed.data;
  const why = parsed.success ? `it is of ${parsed.data.rotation}` : z.prettifyError(parsed.error);
  throw new LockkeeperError('invalid', `${keyOf(rotation)} is no review of ${rotation}: ${why}`, { hint });
}
