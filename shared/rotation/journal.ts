import { z } from 'zod';
import { canonicalJson } from '../base/canonical.ts';
import { LockkeeperError } from '../base/error.ts';
import { instant, type Instant } from '../base/time.ts';
import type { World } from '../base/world.ts';
import type { ObjectStore, ObjectVersion } from '../objects/contract.ts';

/** The way of one rotation, in order; each is reached only after the effect that it names is durable. */
export const phases = ['planned', 'staged', 'set', 'verified', 'published', 'draining', 'retired', 'done'] as const;

export type Phase = (typeof phases)[number];

/** One secret of the credential and how far this rotation is with it; ids are the store's own version ids. */
export type JournalCopy = {
  readonly store: string;
  readonly secret: string;
  /** What was current when the rotation began; null where nothing was ever published. */
  readonly from: string | null;
  readonly staged: string | null;
  readonly published: string | null;
  readonly retired: boolean;
};

/**
 * The durable record of one credential's rotation: enough to finish it after a crash at any point. It never holds a
 * value: values are only in the secret stores.
 */
export type Journal = {
  readonly format: 1;
  readonly credential: string;
  readonly rotation: string;
  /** Moves with every write; a writer that was paused finds it moved and stops. */
  readonly epoch: number;
  /** Unique for every write, so that of two equal writes exactly one wins. */
  readonly nonce: string;
  readonly phase: Phase;
  /** The user that the new value belongs to. */
  readonly target: string;
  readonly copies: readonly JournalCopy[];
  readonly startedAt: Instant;
  /** When every store was seen to hand out the new value; the propagation window counts from here. */
  readonly convergedAt: Instant | null;
  readonly finishedAt: Instant | null;
  /** How the old value's end was proven. */
  readonly proof: 'refused' | 'value-gone' | null;
  /** The last failure and when to try again. */
  readonly trouble: { readonly text: string; readonly attempts: number; readonly notBefore: Instant } | null;
  /** Why only a person can help on; `told` once people know. */
  readonly blocked: {
    readonly reason: string;
    readonly text: string;
    readonly since: Instant;
    readonly told: boolean;
  } | null;
  /** The reason for which it was blocked and that a person then overruled with --now; until the next phase. */
  readonly overruled: string | null;
  /** How many values in a row were given up: the service's policy would not take them, or a store lost them. */
  readonly rejections: number;
  /** How often in a row what should hold after a step did not: the new value refused, the old one accepted. */
  readonly refusals: number;
  /** A rotation because the value leaked: nobody is spared. `cleared`: the target user's old sessions are ended. */
  readonly emergency: {
    readonly reason: string;
    readonly actor: string;
    readonly cleared: boolean;
    readonly reviewed: boolean;
    readonly told: boolean;
  } | null;
  /** Earlier rotations, newest last: what they left staged is dead and may be forgotten. */
  readonly past: readonly string[];
};

const time = z.number().transform(instant);
const schema: z.ZodType<Journal> = z.strictObject({
  format: z.literal(1),
  credential: z.string(),
  rotation: z.string().regex(/^[a-z0-9-]{1,64}$/),
  epoch: z.number().int().positive(),
  nonce: z.string(),
  phase: z.enum(phases),
  target: z.string(),
  copies: z.array(
    z.strictObject({
      store: z.string(),
      secret: z.string(),
      from: z.string().nullable(),
      staged: z.string().nullable(),
      published: z.string().nullable(),
      retired: z.boolean(),
    }),
  ),
  startedAt: time,
  convergedAt: time.nullable(),
  finishedAt: time.nullable(),
  proof: z.enum(['refused', 'value-gone']).nullable(),
  trouble: z.strictObject({ text: z.string(), attempts: z.number().int(), notBefore: time }).nullable(),
  blocked: z.strictObject({ reason: z.string(), text: z.string(), since: time, told: z.boolean() }).nullable(),
  overruled: z.string().nullable(),
  rejections: z.number().int(),
  refusals: z.number().int(),
  emergency: z
    .strictObject({
      reason: z.string(),
      actor: z.string(),
      cleared: z.boolean(),
      reviewed: z.boolean(),
      told: z.boolean(),
    })
    .nullable(),
  past: z.array(z.string()),
});

/** A journal as it is stored, with the version that the next write must replace. */
export interface HeldJournal {
  readonly journal: Journal;
  readonly version: ObjectVersion;
}

/** What changes with a write; epoch and nonce are given by the store of journals. */
export type JournalDraft = Omit<Journal, 'epoch' | 'nonce'>;

/** The journals of all credentials, at `rotations/<credential>.json` in the state store. */
export interface Journals {
  /** `invalid` where the object there is no journal of this credential. */
  read(credential: string): Promise<HeldJournal | undefined>;
  /**
   * Writes what follows `held` (undefined: no journal yet), durable on return. `conflict` where another run has
   * written since `held` was read; `uncertain` where nobody knows: the next run reads what is there.
   */
  write(held: HeldJournal | undefined, draft: JournalDraft): Promise<HeldJournal>;
}

/** Journals over `state`, every write conditional on what was read. */
export function journals(state: ObjectStore, world: World): Journals {
  return {
    async read(credential) {
      const stored = await state.get(keyOf(credential));
      return stored && { journal: decodeJournal(stored.bytes, credential), version: stored.version };
    },
    async write(held, draft) {
      const nonce = Buffer.from(world.random(12)).toString('hex');
      const journal: Journal = { ...draft, epoch: (held?.journal.epoch ?? 0) + 1, nonce };
      const bytes = encodeJournal(journal);
      const key = keyOf(draft.credential);
      const answer = held ? await state.replace(key, bytes, held.version) : await state.create(key, bytes);
      if (answer.outcome === 'done') return { journal, version: answer.version };
      throw new LockkeeperError(
        'conflict',
        `the journal of ${draft.credential} was written by another run (${answer.outcome})`,
        {
          hint: 'Another run is at work on this credential; nothing to do.',
        },
      );
    },
  };
}

/** A journal as the bytes that are stored: canonical JSON. */
export function encodeJournal(journal: Journal): Uint8Array {
  return Buffer.from(canonicalJson(journal));
}

/** The journal in `bytes`; `invalid` with every mistake named unless it is exactly one of `credential`. */
export function decodeJournal(bytes: Uint8Array, credential: string): Journal {
  const text = Buffer.from(bytes).toString('utf8');
  const hint = 'Restore the object from a backup of the state store, or delete it after checking the stores by hand.';
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new LockkeeperError('invalid', `${keyOf(credential)} is not JSON`, { hint, cause });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    throw new LockkeeperError('invalid', `${keyOf(credential)} is no journal: ${z.prettifyError(parsed.error)}`, {
      hint,
    });
  }
  if (parsed.data.credential === credential) return parsed.data;
  throw new LockkeeperError('invalid', `${keyOf(credential)} is the journal of ${parsed.data.credential}`, { hint });
}

function keyOf(credential: string): string {
  return `rotations/${credential}.json`;
}
