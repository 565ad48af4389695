import type { Instant } from '../../base/time.ts';

/** The way of one rotation, in order; each is reached only after the effect that it names is durable. */
export const phases = ['planned', 'staged', 'set', 'verified', 'published', 'draining', 'retired', 'done'] as const;

export type Phase = (typeof phases)[number];

/** One secret of the credential and how far this rotation is with it; ids are the store's own version ids. */
export type JournalCopy = {
  readonly store: string;
  readonly secret: string;
  /** What must be current for a promotion to happen; null where nothing was ever published. */
  readonly expects: string | null;
  readonly staged: string | null;
  readonly published: string | null;
  /** Versions that nobody may read any more once the rotation is done, oldest first. One leaves the list as it ends. */
  readonly ends: readonly string[];
  /** Versions that ended, newest last: a store that settles may still show them. */
  readonly ended: readonly string[];
};

/** An emergency that a person ordered. It is durable before anything is looked at, and stays until it is carried out. */
export type Order = {
  readonly reason: string;
  readonly actor: string;
  readonly at: Instant;
  /** Approvers know that it begins. */
  readonly told: boolean;
};

/** A failure that may pass, or something in the way of beginning. */
export type Trouble = {
  readonly text: string;
  readonly attempts: number;
  readonly notBefore: Instant;
  readonly since: Instant;
  /** People are told at its first sight; else once it has lasted an hour. */
  readonly urgent: boolean;
  /** How often people were told, and when last. */
  readonly told: number;
  readonly toldAt: Instant | null;
};

/** A rotation that was due while whole windows passed, and of which people know. */
export type MissedRun = {
  /** Since when it was due; people are told once of each. */
  readonly due: Instant;
  /** How many windows had passed when they were told. */
  readonly windows: number;
  readonly toldAt: Instant;
};

/** When the propagation window began, by each clock that could be asked; it is over when both say so. */
export type Drain = {
  readonly host: Instant;
  /** By the service's own clock; null where it tells no time. */
  readonly service: Instant | null;
  /** Sessions older than this are still on the old value; null until the window is over, or where slots tell. */
  readonly mark: string | null;
  /** When it first began by the host's clock, where one of the clocks was wrong and the window began anew. */
  readonly since?: Instant;
  /** People know that it lasts long beyond its window. */
  readonly told?: true;
};

/** A rotation because the value leaked: nobody is spared. */
export type Emergency = {
  /** Why, newest last: those that it was begun for, and those of an emergency that it overtook. */
  readonly orders: readonly Order[];
  /** The target user's old sessions are ended. */
  readonly cleared: boolean;
  /** Endpoints at which the old values could not be ended yet. */
  readonly unreached: readonly string[];
  readonly reviewed: boolean;
  /** Approvers know how it ended. */
  readonly told: boolean;
};

/** How the old values' end was proven. */
export type Proof = 'refused' | 'counted' | 'value-gone';

/**
 * The durable record of one credential's rotation: enough to finish it after a crash at any point. It never holds a
 * value: values are only in the secret stores.
 */
export type Journal = {
  readonly format: 2;
  readonly credential: string;
  readonly rotation: string;
  /** Moves with every write; a writer that was paused finds it moved and stops. */
  readonly epoch: number;
  /** Unique for every write, so that of two equal writes exactly one wins. */
  readonly nonce: string;
  readonly phase: Phase;
  /** False: only an order was ever written; the schedule leaves the credential alone. */
  readonly adopted: boolean;
  /** The user whose value consumers get. */
  readonly target: string;
  readonly copies: readonly JournalCopy[];
  readonly startedAt: Instant;
  readonly drain: Drain | null;
  readonly finishedAt: Instant | null;
  /** Consumers that were told to read again, or given up; by name, with the attempts so far. */
  readonly refreshed: readonly { readonly name: string; readonly attempts: number; readonly done: boolean }[];
  /** A person went back to an earlier login while it drained, and the rotation followed. */
  readonly reverted: boolean;
  readonly proof: Proof | null;
  readonly trouble: Trouble | null;
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
  readonly emergency: Emergency | null;
  /** Emergencies that wait to begin, oldest first. */
  readonly orders: readonly Order[];
  /** Earlier rotations, newest last: what they left staged is dead and may be forgotten. */
  readonly past: readonly string[];
  /** Those of them that were given up before the service was touched. */
  readonly untouched: readonly string[];
  /** The last run that people know was missed, until the next rotation begins. */
  readonly missed?: MissedRun | undefined;
};

/** What changes with a write; epoch and nonce are given by the store of journals. */
export type JournalDraft = Omit<Journal, 'epoch' | 'nonce'>;
