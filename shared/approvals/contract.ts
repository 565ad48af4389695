import type { Instant } from '../base/time.ts';

/** One question to people. The hash is its identity: the same content asked again is the same question. */
export interface Question {
  /** SHA-256 of the canonical proposal, 64 hex digits. */
  readonly hash: string;
  readonly title: string;
  /** What a person reads before deciding, in order. Nothing in it is cut. */
  readonly facts: readonly { readonly label: string; readonly text: string }[];
  readonly owner: string;
  /** How many different people must agree. */
  readonly needed: number;
  readonly approvers: readonly string[];
  /** The question is void afterwards. */
  readonly expires: Instant;
}

export type Answer = 'approve' | 'deny' | 'snooze' | 'exempt' | 'reopen';

/** What one person said. Only who and what; whether it counts is decided by the story. */
export interface Heard {
  readonly hash: string;
  readonly answer: Answer;
  readonly who: string;
  readonly why: string;
  /** For snooze and exempt: the end, which always exists. */
  readonly until: Instant | undefined;
}

/** A message exactly as it arrived. */
export interface RawMessage {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  /** The target of the request with its query, where the message came by HTTP. */
  readonly url?: string;
}

/** Something people should know; it asks nothing. */
export interface Notice {
  /** The question it belongs to; its place is where the question was shown. */
  readonly hash: string | undefined;
  readonly level: 'info' | 'warning' | 'alarm';
  readonly text: string;
}

/**
 * Where people are asked. Errors: denied (the sender is not who it says), invalid, throttled, unreachable, uncertain.
 */
export interface Approvals {
  /** Shows the question. Idempotent on the hash: asking again shows nothing new and pings nobody. */
  ask(question: Question): Promise<void>;
  /**
   * What a message says, after the sender was verified on the raw bytes, before anything is parsed. `denied` where the
   * proof is missing, wrong, or comes from another site; `invalid` where it is from the right sender but makes no
   * sense.
   */
  hear(message: RawMessage): Promise<Heard>;
  /** Tells people. Repeating it may show it twice. */
  notify(notice: Notice): Promise<void>;
}
