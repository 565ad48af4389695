import { asPlain, canonicalJson } from '../../base/canonical.ts';
import { LockkeeperError } from '../../base/error.ts';
import {
  either,
  flag,
  list,
  number,
  oneOf,
  optional,
  plain,
  record,
  text,
  wrongFields,
  type Shape,
} from '../shapes.ts';
import type { Closure } from './closure.ts';
import type { Behind } from './people.ts';
import type { Proposal } from './proposal.ts';

/** The bytes of a closure as the store keeps them: canonical JSON, so equal closures are equal bytes. */
export function encodeClosure(closure: Closure): Uint8Array {
  return Buffer.from(canonicalJson(asPlain(closure)));
}

/** Reads them back, every field checked; `invalid` says which field of which object is wrong. */
export function decodeClosure(key: string, bytes: Uint8Array): Closure {
  const value = parse(key, bytes);
  if (isClosure(value)) return value;
  throw damaged(key, wrongFields(closureShape, value));
}

/** The bytes of a proposal under its hash. */
export function encodeProposal(proposal: Proposal): Uint8Array {
  return Buffer.from(canonicalJson(proposal));
}

/** Reads a proposal back; `invalid` as for a closure. */
export function decodeProposal(key: string, bytes: Uint8Array): Proposal {
  const value = parse(key, bytes);
  if (isProposal(value)) return value;
  throw damaged(key, wrongFields(proposalShape, value));
}

const ports = either(oneOf('all'), record<{ from: number; to: number }>({ from: number, to: number }));
const protocol = either(oneOf('all'), number);

const proposalShape: Shape<Proposal> = {
  form: oneOf('lockkeeper.proposal/1'),
  firewall: text,
  opening: text,
  ruleSet: text,
  before: plain,
  after: plain,
  fingerprint: text,
  rejectsVisible: flag,
  windowMs: number,
  verdict: oneOf('unused'),
  reasons: list(text),
  policy: text,
  round: number,
};

const evidenceShape: Shape<Closure['evidence']> = {
  from: number,
  to: number,
  coverage: number,
  reasons: list(text),
  lastNew: optional(number),
  lastPacket: optional(number),
  knocks: record<Closure['evidence']['knocks']>({ count: number, last: optional(number), from: list(text) }),
  alsoAllowedBy: list(text),
  protocol,
  ports,
  sources: list(text),
  admitted: list(text),
  targets: list(text),
  scopes: list(text),
  description: text,
  openConnectionsLastMs: optional(number),
  scanners: optional(list(text)),
};

const preparedShape: Shape<NonNullable<Closure['prepared']>> = {
  firewall: text,
  change: record<{ kind: string; opening: string }>({ kind: oneOf('close'), opening: text }),
  before: plain,
  after: () => true,
  fingerprint: text,
  rejectsVisible: flag,
  openConnectionsLastMs: optional(number),
};

const closureShape: Shape<Closure> = {
  firewall: text,
  opening: text,
  proposal: record(proposalShape),
  hash: text,
  evidence: record(evidenceShape),
  people: record<Closure['people']>({
    service: text,
    owner: text,
    approvers: list(text),
    excluded: list(text),
    needed: number,
    behind: optional(list(record<Behind>({ service: text, owner: text, approvers: list(text) }))),
  }),
  phase: oneOf(
    'proposed',
    'approved',
    'closing',
    'quarantined',
    'settled',
    'reopening',
    'reopened',
    'denied',
    'snoozed',
    'exempted',
    'expired',
    'drifted',
    'failed',
  ),
  since: number,
  expires: number,
  shown: flag,
  votes: list(
    record<Closure['votes'][number]>({
      hash: text,
      answer: oneOf('approve', 'deny', 'snooze', 'exempt'),
      who: text,
      why: text,
      at: number,
    }),
  ),
  approvedAt: optional(number),
  until: optional(number),
  prepared: optional(record(preparedShape)),
  closedAt: optional(number),
  reopening: optional(
    record<NonNullable<Closure['reopening']>>({
      who: text,
      why: text,
      at: number,
      automatic: flag,
      standstill: optional(flag),
    }),
  ),
  problem: optional(text),
  notices: list(
    record<Closure['notices'][number]>({ hash: optional(text), level: oneOf('info', 'warning', 'alarm'), text }),
  ),
  knocksTold: optional(number),
  knockers: optional(list(text)),
};

function isClosure(value: unknown): value is Closure {
  return record(closureShape)(value);
}

function isProposal(value: unknown): value is Proposal {
  return record(proposalShape)(value);
}

function parse(key: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new LockkeeperError('invalid', `${key} is not JSON`, {
      cause,
      hint: 'Restore the object from a backup of the state store.',
    });
  }
}

function damaged(key: string, fields: readonly string[]): LockkeeperError {
  return new LockkeeperError(
    'invalid',
    `${key} cannot be read: ${fields.join(', ')} missing or not as lockkeeper writes it`,
    {
      hint: 'Was it written by a newer lockkeeper, or by hand? Restore it from a backup of the state store.',
    },
  );
}
