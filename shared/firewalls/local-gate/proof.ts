import { createHmac, timingSafeEqual } from 'node:crypto';
import { sha256 } from '../../base/canonical.ts';
import type { Sealed } from '../../base/sealed.ts';

/**
 * How a client and a gate prove to each other that they hold the same token. The token itself is never sent.
 *
 * | step      | from   | proves                                              |
 * |-----------|--------|-----------------------------------------------------|
 * | hello     | client | it may ask for a nonce                              |
 * | welcome   | gate   | it holds the token; only then is the request sent   |
 * | request   | client | method, path, conditions and body, for these nonces |
 * | response  | gate   | status, fingerprint and body, for these nonces      |
 *
 * Every proof is an HMAC-SHA-256 under the token over the port and both nonces, so a proof works once, at one port, in
 * one place of the conversation.
 */
export interface Conversation {
  readonly token: Sealed;
  /** The port of the admin address: a relay from another port proves nothing. */
  readonly port: number;
  /** 32 hex digits, drawn by the client. */
  readonly clientNonce: string;
  /** 32 hex digits, drawn by the gate; empty in the hello. */
  readonly gateNonce: string;
}

/** Names of the headers that carry nonces and proofs. */
export const proofHeader = { nonce: 'lockkeeper-nonce', proof: 'lockkeeper-proof' } as const;

/** Where a client asks for a nonce: `POST /challenge`. */
export const challengePath = '/challenge';

/** Longest body of a request, in bytes. */
export const maxRequestBytes = 64 * 1_024;

export interface ProvenRequest {
  readonly method: string;
  readonly path: string;
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly body: Uint8Array;
}

export interface ProvenResponse {
  readonly status: number;
  readonly etag: string | undefined;
  readonly body: Uint8Array;
}

/** The client's proof with which it asks for a nonce. */
export function helloProof(at: Conversation): string {
  return proof(at, 'hello', []);
}

/** The gate's proof with its nonce. */
export function welcomeProof(at: Conversation): string {
  return proof(at, 'welcome', []);
}

/** The client's proof with a request. */
export function requestProof(at: Conversation, sent: ProvenRequest): string {
  const conditions = [sent.ifMatch ?? null, sent.ifNoneMatch ?? null];
  return proof(at, 'request', [sent.method, sent.path, ...conditions, sha256(sent.body)]);
}

/** The gate's proof with a response. */
export function responseProof(at: Conversation, given: ProvenResponse): string {
  return proof(at, 'response', [given.status, given.etag ?? null, sha256(given.body)]);
}

/** Whether `given` is the proof `wanted`; takes the same time whatever is wrong with it. */
export function isProof(wanted: string, given: string | undefined): boolean {
  const [mine, theirs] = [Buffer.from(wanted), Buffer.from(given ?? '')];
  return mine.length === theirs.length && timingSafeEqual(mine, theirs);
}

/** True for what a nonce looks like. */
export function isNonce(text: string | undefined): text is string {
  return text !== undefined && /^[0-9a-f]{32}$/.test(text);
}

function proof(at: Conversation, step: string, said: readonly (string | number | null)[]): string {
  const text = JSON.stringify(['lockkeeper-gate-1', step, at.port, at.clientNonce, at.gateNonce, ...said]);
  return createHmac('sha256', at.token.open()).update(text).digest('hex');
}
