import { canonicalJson, sha256 } from '../../base/canonical.ts';
import { LockkeeperError } from '../../base/error.ts';
import type { ObjectStore, ObjectVersion } from '../../objects/contract.ts';
import type { Closure } from './closure.ts';
import { decodeClosure, decodeProposal, encodeClosure, encodeProposal } from './closure-record.ts';
import { hashOf, type Proposal } from './proposal.ts';

/** A closure as it was read, with the version that a change of it must still find. */
export interface HeldClosure {
  readonly key: string;
  readonly closure: Closure;
  readonly version: ObjectVersion;
}

/**
 * Closures in the state store: `closures/<opening>.json` is one opening's journal and changes by compare-and-swap;
 * `proposals/<hash>.json` is what people were asked, and never changes. Throws what the store throws.
 */
export class ClosureJournal {
  readonly #state: ObjectStore;

  constructor(state: ObjectStore) {
    this.#state = state;
  }

  /** The journal of one opening; undefined where nobody was ever asked about it. */
  async load(firewall: string, opening: string): Promise<HeldClosure | undefined> {
    return this.#get(keyOf(firewall, opening));
  }

  /** Every journal, in key order. */
  async all(): Promise<readonly HeldClosure[]> {
    const held: HeldClosure[] = [];
    for await (const { key } of this.#state.list('closures/')) {
      const one = await this.#get(key);
      if (one) held.push(one);
    }
    return held;
  }

  /** Makes what people are asked durable under its hash. Repeatable. */
  async keep(proposal: Proposal): Promise<void> {
    const key = `proposals/${hashOf(proposal)}.json`;
    const answer = await this.#state.create(key, encodeProposal(proposal));
    if (answer.outcome === 'exists')
      throw new LockkeeperError('invalid', `${key} holds something else than the proposal of that hash`, {
        hint: 'Somebody wrote into the state store: restore the object from a backup, or delete it.',
      });
  }

  /** The first closure of an opening; `conflict` where another run was quicker. */
  async begin(closure: Closure): Promise<HeldClosure> {
    const key = keyOf(closure.firewall, closure.opening);
    const answer = await this.#state.create(key, encodeClosure(closure));
    if (answer.outcome === 'exists') throw quicker(key);
    return { key, closure, version: answer.version };
  }

  /** Moves on; `conflict` where another run changed the journal since it was read. */
  async save(held: HeldClosure, closure: Closure): Promise<HeldClosure> {
    const answer = await this.#state.replace(held.key, encodeClosure(closure), held.version);
    if (answer.outcome !== 'done') throw quicker(held.key);
    return { key: held.key, closure, version: answer.version };
  }

  /**
   * The closure whose present question has this hash, or a hash that begins so (6 digits at least). `not-found` where
   * there is none, `conflict` where it was superseded, `invalid` where the beginning fits several.
   */
  async find(hashOrPrefix: string): Promise<HeldClosure> {
    const proposal = await this.#proposal(hashOrPrefix);
    const held = await this.load(proposal.firewall, proposal.opening);
    const hash = hashOf(proposal);
    if (held?.closure.hash === hash) return held;
    throw new LockkeeperError(
      'conflict',
      `question ${hash.slice(0, 12)} about ${proposal.opening} is void: another one took its place`,
      {
        hint: held ? `Read and answer ${held.closure.hash.slice(0, 12)} instead.` : 'Scan again.',
      },
    );
  }

  async #proposal(prefix: string): Promise<Proposal> {
    if (!/^[0-9a-f]{6,64}$/.test(prefix)) {
      throw new LockkeeperError('invalid', `${JSON.stringify(prefix)} is not a hash`, {
        hint: 'Give at least 6 of its hex digits.',
      });
    }
    const keys: string[] = [];
    for await (const { key } of this.#state.list(`proposals/${prefix}`)) keys.push(key);
    const [key] = keys;
    if (key === undefined)
      throw new LockkeeperError('not-found', `no question has the hash ${prefix}`, {
        hint: 'Run `lockkeeper scan` to see the questions.',
      });
    if (keys.length > 1)
      throw new LockkeeperError('invalid', `${keys.length} questions have a hash that begins with ${prefix}`, {
        hint: 'Give more of its digits.',
      });
    const stored = await this.#state.get(key);
    if (!stored) throw new LockkeeperError('not-found', `${key} is gone`);
    const proposal = decodeProposal(key, stored.bytes);
    if (key !== `proposals/${hashOf(proposal)}.json`)
      throw new LockkeeperError('invalid', `${key} does not hold the proposal of that hash`);
    return proposal;
  }

  async #get(key: string): Promise<HeldClosure | undefined> {
    const stored = await this.#state.get(key);
    return stored && { key, closure: decodeClosure(key, stored.bytes), version: stored.version };
  }
}

function keyOf(firewall: string, opening: string): string {
  return `closures/${sha256(canonicalJson([firewall, opening])).slice(0, 32)}.json`;
}

function quicker(key: string): LockkeeperError {
  return new LockkeeperError('conflict', `another run is at work on ${key}`, {
    hint: 'Nothing was changed here; run again.',
  });
}
