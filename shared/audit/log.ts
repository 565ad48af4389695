import { hasCode } from '../base/error.ts';
import type { World } from '../base/world.ts';
import type { CreateAnswer, ObjectStore } from '../objects/contract.ts';
import { encodeEntry } from './codec.ts';
import type { Acknowledgement, AuditEvent, AuditLog } from './entry.ts';
import { advanceHead, emptyHead, readHead, type Head, type HeldHead } from './head.ts';
import { entryKey } from './layout.ts';
import { refuseSecrets } from './refuse-secrets.ts';
import { expectNoEntries, findTail, tampered, walkForward } from './tail.ts';

export interface AuditLogOptions {
  /** Create-only; under retention where the store has it. */
  readonly log: ObjectStore;
  readonly state: ObjectStore;
  readonly world: World;
  /** Names the run in its entries; a random end makes it unique. */
  readonly run: string;
}

/** The log of one run. */
export interface RunLog extends AuditLog {
  /** Waits until the head covers every acknowledged entry. A host calls it before it ends; throws what the store throws. */
  flush(): Promise<void>;
}

/**
 * The append-only log over two object stores: `entries/INDEX.json`, create-only, each with the hash of the one before,
 * and `audit/head.json` in the state store, which only grows and shows when entries are cut off.
 *
 *     record:   1 head covers the last entry     (waits for step 4 of the entry before)
 *               2 create entries/INDEX           the point of no return; durable
 *               3 acknowledge
 *               4 advance the head               goes on by itself; if it fails, the next record stops at step 1
 *
 *     killed    before 2   no entry, no acknowledgement
 *               after 2    the entry stands, unacknowledged; the story repeats its event, readers accept that
 *               after 3    the entry stands; the head is one entry behind until anybody records or flushes again
 *
 * Several processes may write: of those that want one index one wins, the others read it and chain on. An uncertain
 * create is tried once more with the same bytes, which heals a lost acknowledgement. Without a change of the stores
 * from outside, an append is one create and one replace, of which the caller waits for the create alone.
 */
export function auditLog(options: AuditLogOptions): RunLog {
  const writer = new RunWriter(options);
  let last: Promise<unknown> = Promise.resolve();
  const inOrder = async <T>(act: () => Promise<T>): Promise<T> => {
    const mine = last.then(act, act);
    last = mine;
    return await mine;
  };
  return {
    async record(event) {
      refuseSecrets(event);
      return await inOrder(() => writer.append(event));
    },
    flush: () => inOrder(() => writer.coverAll()),
  };
}

class RunWriter {
  readonly #options: AuditLogOptions;
  readonly #run: string;
  #n = 0;
  #tail: Head | undefined;
  #head: HeldHead | undefined;
  /** The advance under way. Settled, not thrown: nobody may be waiting when it fails. */
  #advancing: Promise<readonly PromiseSettledResult<HeldHead | undefined>[]> = Promise.resolve([]);

  constructor(options: AuditLogOptions) {
    this.#options = options;
    this.#run = `${options.run}.${Buffer.from(options.world.random(4)).toString('hex')}`;
  }

  async append(event: AuditEvent): Promise<Acknowledgement> {
    await this.coverAll();
    const at = this.#options.world.now();
    const id = Buffer.from(this.#options.world.random(16)).toString('hex');
    for (let tail = this.#tail ?? (await this.#open()); ; tail = await this.#catchUp(tail)) {
      const place = { index: tail.size, previous: tail.hash, at, id, run: this.#run, n: this.#n };
      const { bytes, hash } = encodeEntry({ ...place, event });
      const answer = await createSurely(this.#options.log, entryKey(tail.size), bytes);
      if (answer.outcome === 'exists') continue;
      this.#n += 1;
      this.#tail = { size: tail.size + 1, hash };
      this.#advancing = Promise.allSettled([advanceHead(this.#options, this.#tail, this.#head)]);
      return { index: tail.size, hash, at };
    }
  }

  /** Waits for the head, and advances it here if that failed: who cannot cover the last entry may not write the next. */
  async coverAll(): Promise<void> {
    const [advanced] = await this.#advancing;
    if (advanced?.status === 'fulfilled') this.#head = advanced.value;
    if (advanced?.status === 'rejected' && this.#tail) this.#head = await advanceHead(this.#options, this.#tail);
    this.#advancing = Promise.resolve([]);
  }

  async #open(): Promise<Head> {
    const { log, state } = this.#options;
    this.#head = (await readHead(state)) ?? (await this.#begin());
    this.#tail = await findTail(log, this.#head);
    return this.#tail;
  }

  /** The first head of a new log. Another writer may be first: then its head is there by now. */
  async #begin(): Promise<HeldHead> {
    const { log, state } = this.#options;
    try {
      await expectNoEntries(log);
    } catch (thrown) {
      const head = await readHead(state);
      if (head) return head;
      throw thrown;
    }
    return await advanceHead(this.#options, emptyHead);
  }

  /** After somebody else took the index. An own entry whose acknowledgement was lost counts for this run. */
  async #catchUp(tail: Head): Promise<Head> {
    const now = await walkForward(this.#options.log, tail, ({ run, n }) => {
      if (run === this.#run && n === this.#n) this.#n += 1;
    });
    if (now.size === tail.size) throw tampered(`entry ${tail.size} was there and is gone`);
    this.#tail = now;
    return now;
  }
}

async function createSurely(log: ObjectStore, key: string, bytes: Uint8Array): Promise<CreateAnswer> {
  try {
    return await log.create(key, bytes);
  } catch (thrown) {
    if (!hasCode(thrown, 'uncertain')) throw thrown;
    return await log.create(key, bytes);
  }
}
