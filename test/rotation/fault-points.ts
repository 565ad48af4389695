import { createHash } from 'node:crypto';
import type { Fault, FaultKind } from '../services/fault-proxy.ts';

/** What one rotation is put through, all in one case. */
export type Faults = readonly Fault[];

/** The faults to try; each list is one rotation. */
export interface FaultPlan {
  /** One fault each, at every message. */
  readonly singles: readonly Faults[];
  /** Two faults each, the second after the first. */
  readonly pairs: readonly Faults[];
  /** One each that lasts longer than lockkeeper waits. */
  readonly stalls: readonly Faults[];
}

/** Every so many messages; 1: every one. */
export interface Density {
  readonly singles: number;
  readonly pairs: number;
  readonly stalls: number;
}

/**
 * What to try, given the messages of a good run: every message is broken by one kind in turn, and those around a change by
 * every kind. Messages of one type that follow one another count once. The same seed gives the same pairs.
 */
export function faultPlan(messages: readonly string[], density: Density, seed: string): FaultPlan {
  const points = messages.flatMap((name, at) => (name === messages[at - 1] ? [] : [at + 1]));
  const nth = (every: number) => points.filter((_, index) => index % every === 0);
  const kindsAt = (at: number) => (isClients(messages[at - 1]) ? clientKinds : serverKinds);
  const turn = (at: number, index: number): Fault => ({ at, kind: pick(kindsAt(at), index) });
  const changing = points.filter((at) => isChange(messages[at - 1]));
  return {
    singles: [
      ...nth(density.singles).map((at, index) => [turn(at, index)]),
      ...changing.flatMap((at) => around.flatMap((off) => everyKind.map((kind) => [{ at: at + off, kind }]))),
      ...nth(density.singles * 8).map((at, index) => [{ at, kind: pick(slowKinds, index) }]),
    ],
    pairs: nth(density.pairs).map((at, index) => {
      // The run after the first fault looks again, and then goes on where it was.
      const later = at + 1 + (drawn(seed, index) % Math.max(messages.length - at, lookAgain));
      return [turn(at, drawn(seed, index + 0.5)), { at: later, kind: pick(anyKinds, drawn(seed, index + 0.25)) }];
    }),
    stalls: [
      ...nth(density.stalls).map((at, index) => [{ at, kind: pick(stallKinds, index) }]),
      ...changing.flatMap((at, index) => around.map((off) => [{ at: at + off, kind: pick(stallKinds, index + off) }])),
    ],
  };
}

/** Messages of a run that only looks, at least. */
const lookAgain = 50;

const clientKinds: readonly FaultKind[] = ['lost', 'reset', 'lost', 'torn', 'close'];
const serverKinds: readonly FaultKind[] = ['reset', 'torn', 'close'];
const everyKind: readonly FaultKind[] = ['lost', 'reset', 'torn', 'close'];
const slowKinds: readonly FaultKind[] = ['delay', 'split', 'join'];
const anyKinds: readonly FaultKind[] = ['lost', 'reset', 'torn', 'close', 'delay', 'split', 'join'];
const stallKinds: readonly FaultKind[] = ['stall', 'stall-open'];
/** The message that changes something, and the two that answer it. */
const around = [0, 1, 2];

function isClients(name: string | undefined): boolean {
  return name?.startsWith('<') === false;
}

function isChange(name: string | undefined): boolean {
  return name === '> Q ALTER' || name === '> Q COMMIT';
}

function pick(kinds: readonly FaultKind[], index: number): FaultKind {
  return kinds[Math.floor(index) % kinds.length] ?? 'reset';
}

/** A number that looks random and is the same each time. */
function drawn(seed: string, index: number): number {
  return createHash('sha256').update(`${seed} ${index}`).digest().readUInt32BE(0);
}
