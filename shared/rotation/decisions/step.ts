import type { Instant } from '../../base/time.ts';
import type { RotationId } from '../../secrets/contract.ts';
import type { Login, Mark, Session, Slot } from '../../services/contract.ts';
import type { JournalCopy, Phase, Proof } from '../journal/journal.ts';
import type { CopyPlace, CredentialPlan } from '../plan.ts';
import type { Candidate } from './seen.ts';

/** Who asks and when. */
export interface Asked {
  readonly plan: CredentialPlan;
  readonly now: Instant;
  /** A person asked for this run: begin before it is due, do not wait for a back-off, try again what is blocked. */
  readonly force: boolean;
  /** People cannot be told in this run. */
  readonly isMute: boolean;
}

/** Why only a person can help on. */
export type BlockReason =
  | 'nobody-logs-in'
  | 'refused-after-set'
  | 'refused-after-publish'
  | 'not-encrypted'
  | 'old-still-accepted'
  | 'changed-by-hand'
  | 'foreign-pending'
  | 'staged-value-lost'
  | 'in-use-again'
  | 'every-value-rejected';

/** A rotation under way that only time, or others, can help on. */
export interface Waiting {
  readonly do: 'rest';
  readonly outcome: 'waiting';
  readonly text: string;
  readonly until: Instant | undefined;
  readonly sessions: readonly Session[];
}

/** Nothing can be done now, and why. */
export type Rest =
  | { readonly do: 'rest'; readonly outcome: 'idle'; readonly text: string; readonly until: Instant | undefined }
  | Waiting
  | { readonly do: 'rest'; readonly outcome: 'blocked'; readonly reason: string; readonly text: string };

/** A slot that ends: everything in it becomes worthless but `keep`. */
export interface Ending {
  readonly slot: Slot;
  readonly keep: Login | undefined;
}

/** How it is known that nobody uses the old value any more. */
export interface Drained {
  /** When the window was over, by this host's clock. */
  readonly over: Instant;
  /** On the old value, at every endpoint. `not seen`: the service shows none, and only time tells. */
  readonly sessions: 0 | 'not seen';
  readonly endpoints: number;
  /** When that was looked at. */
  readonly at: Instant;
}

/** The one thing to do next. Those with an effect are named for it; the others only ask, or move the journal. */
export type Step =
  | Rest
  | { readonly do: 'ask'; readonly candidate: Candidate; readonly logins: readonly Login[] }
  | { readonly do: 'ask-sessions'; readonly slots: readonly Slot[]; readonly before: Mark | undefined }
  | {
      readonly do: 'plan';
      readonly target: Slot;
      readonly copies: readonly JournalCopy[];
      /** Goes on with a rotation whose journal was lost. */
      readonly resume: RotationId | undefined;
      /** `published`: the new value is handed out already, and its journal was lost. */
      readonly at: 'planned' | 'published';
      /** It carries out the orders in the journal. */
      readonly emergency: boolean;
    }
  /** A store that was added to the plan meanwhile. */
  | { readonly do: 'join'; readonly copy: JournalCopy }
  | { readonly do: 'stage'; readonly place: CopyPlace }
  | { readonly do: 'abandon'; readonly place: CopyPlace; readonly rotation: RotationId }
  | { readonly do: 'move'; readonly to: 'staged' | 'verified' | 'published' | 'draining' | 'done' }
  | { readonly do: 'mark'; readonly mark: Mark }
  | { readonly do: 'refresh'; readonly name: string }
  | { readonly do: 'replan'; readonly why: string; readonly target?: Slot }
  | { readonly do: 'clear'; readonly endings: readonly Ending[] }
  | { readonly do: 'change'; readonly login: Login; readonly keep: Login | undefined }
  | {
      readonly do: 'promote';
      readonly place: CopyPlace;
      readonly expects: string | null;
      readonly login: Login | undefined;
    }
  /** Hands out what an earlier rotation staged, for it is what logs in. */
  | {
      readonly do: 'rescue';
      readonly place: CopyPlace;
      readonly rotation: RotationId;
      readonly expects: string | null;
      readonly login: Login;
    }
  | { readonly do: 'rebase'; readonly place: CopyPlace; readonly expects: string | null }
  | { readonly do: 'follow'; readonly login: Login; readonly reverted: boolean }
  | {
      readonly do: 'retire';
      readonly endings: readonly Ending[];
      readonly endSessions: boolean;
      /** Undefined where nobody was waited for. */
      readonly drained: Drained | undefined;
    }
  | { readonly do: 'prove'; readonly proof: Proof }
  | { readonly do: 'retire-copy'; readonly place: CopyPlace; readonly version: string }
  /** What should hold after a step does not: that step again, after a pause. Counted. */
  | { readonly do: 'retry'; readonly back: Phase; readonly text: string }
  /** Something in the way that may pass, after a pause; `urgent`: people are told at its first sight. */
  | {
      readonly do: 'postpone';
      readonly outcome: 'blocked' | 'failed';
      readonly back: Phase | undefined;
      readonly text: string;
      readonly urgent: boolean;
    }
  | { readonly do: 'block'; readonly reason: BlockReason; readonly text: string }
  | { readonly do: 'unblock'; readonly back: Phase }
  | { readonly do: 'announce' }
  | { readonly do: 'alarm' }
  | { readonly do: 'warn' }
  /** A drain lasts long beyond its window, which was over at `over`; why, and who is still logged in. */
  | {
      readonly do: 'overdue';
      readonly over: Instant;
      readonly text: string;
      readonly sessions: readonly Session[];
    }
  /** A rotation was due while whole windows passed; people are told once. */
  | { readonly do: 'missed'; readonly due: Instant; readonly windows: number; readonly text: string }
  | { readonly do: 'review' }
  | { readonly do: 'notify' };

/** A step that is carried out. */
export type Action = Exclude<Step, Rest>;

/** The action of one name. */
export type Of<Name extends Action['do']> = Extract<Action, { readonly do: Name }>;
