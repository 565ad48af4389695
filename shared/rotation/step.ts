import type { Instant } from '../base/time.ts';
import type { RotationId } from '../secrets/contract.ts';
import type { Login, Session, Slot } from '../services/contract.ts';
import type { JournalCopy, Phase } from './journal.ts';
import type { CopyPlace, CredentialPlan } from './plan.ts';
import type { Candidate } from './seen.ts';

/** Who asks and when. */
export interface Asked {
  readonly plan: CredentialPlan;
  readonly now: Instant;
  /** A person asked for this run: begin before it is due, do not wait for a back-off, try again what is blocked. */
  readonly force: boolean;
  /** The value leaked: begin an emergency rotation, whatever is under way. */
  readonly leaked: boolean;
}

/** Why only a person can help on. */
export type BlockReason =
  | 'nobody-logs-in'
  | 'refused-after-set'
  | 'old-still-accepted'
  | 'changed-by-hand'
  | 'foreign-pending'
  | 'staged-value-lost'
  | 'in-use-again'
  | 'old-value-gone'
  | 'every-value-rejected';

/** Nothing can be done now, and why. */
export type Rest =
  | { readonly do: 'rest'; readonly outcome: 'idle'; readonly text: string; readonly until: Instant | undefined }
  | {
      readonly do: 'rest';
      readonly outcome: 'waiting';
      readonly text: string;
      readonly until: Instant | undefined;
      readonly sessions: readonly Session[];
    }
  | { readonly do: 'rest'; readonly outcome: 'blocked'; readonly reason: string; readonly text: string };

/** The one thing to do next. Those with an effect are named for it; the others only ask, or move the journal. */
export type Step =
  | Rest
  | { readonly do: 'ask'; readonly candidate: Candidate; readonly logins: readonly Login[] }
  | { readonly do: 'ask-sessions'; readonly slots: readonly Slot[] }
  | {
      readonly do: 'plan';
      readonly target: Slot;
      readonly copies: readonly JournalCopy[];
      readonly resume: RotationId | undefined;
    }
  | { readonly do: 'stage'; readonly place: CopyPlace }
  | { readonly do: 'abandon'; readonly place: CopyPlace; readonly rotation: RotationId }
  | { readonly do: 'move'; readonly to: 'staged' | 'verified' | 'published' | 'draining' | 'done' }
  | { readonly do: 'replan'; readonly why: string }
  | { readonly do: 'clear'; readonly logins: readonly Login[] }
  | { readonly do: 'change'; readonly login: Login }
  | { readonly do: 'promote'; readonly place: CopyPlace; readonly from: string | null }
  | { readonly do: 'rebase'; readonly place: CopyPlace; readonly from: string | null }
  | { readonly do: 'retire'; readonly logins: readonly Login[]; readonly endSessions: boolean }
  | { readonly do: 'prove'; readonly proof: 'refused' | 'value-gone' }
  | { readonly do: 'retire-copy'; readonly place: CopyPlace; readonly version: string }
  | { readonly do: 'retry'; readonly back: 'staged' | 'published' | 'draining'; readonly text: string }
  | { readonly do: 'block'; readonly reason: BlockReason; readonly text: string }
  | { readonly do: 'unblock'; readonly back: Phase }
  | { readonly do: 'alarm' }
  | { readonly do: 'review' }
  | { readonly do: 'notify' };
