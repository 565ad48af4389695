import type { Plain } from '../base/canonical.ts';
import type { Instant } from '../base/time.ts';

/** What an entry is about. */
export interface Subject {
  readonly kind: 'credential' | 'opening' | 'proposal' | 'flow-log' | 'run' | 'log';
  readonly id: string;
}

/** What a story hands to the log. No secret and no value ever; values appear as keyed fingerprints. */
export interface AuditEvent {
  /** What is done, as story.verb: rotation.set, closure.apply. */
  readonly action: string;
  /** `intent` before an effect, `outcome` after it, `fact` for what has no effect of its own. */
  readonly stage: 'intent' | 'outcome' | 'fact';
  readonly subject: Subject;
  /** Who caused it: a person's name, or lockkeeper itself. */
  readonly actor: string;
  /** Ties the entries of one rotation or closure together: its id or proposal hash. */
  readonly correlation: string;
  /** For an outcome: how it went. */
  readonly result?: 'done' | 'failed' | 'refused' | 'uncertain';
  readonly details: { readonly [key: string]: Plain | undefined };
}

/**
 * Proof that an entry is durable. Its index in the tree follows when the log is sealed; `run` and `n` name it for ever.
 */
export interface Acknowledgement {
  readonly run: string;
  readonly n: number;
  /** RFC 6962 leaf hash of the entry's bytes, hex: what the tree will hold. */
  readonly hash: string;
  readonly at: Instant;
}

/**
 * The write side of the log. Durable on return: no acknowledgement, no action. Throws what the store throws.
 * Repeating an event after an error may write it twice; readers accept repeated pairs.
 */
export interface AuditLog {
  record(event: AuditEvent): Promise<Acknowledgement>;
}
