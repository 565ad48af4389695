import { LockkeeperError, type ErrorCode } from '../base/error.ts';
import type { World } from '../base/world.ts';
import type { Refresh, RefreshNews } from './contract.ts';
import { publishedNews } from './published-news.ts';
import { timeLimit } from './time-limit.ts';

/**
 * How one poke fails. `lost`: the receiver saw it, and its answer did not come back; the others were not seen by it.
 * `lost` and `unsure` are `uncertain` to the caller, who cannot tell one from the other.
 */
export type MemoryRefreshFault = 'rejected' | 'denied' | 'throttled' | 'unreachable' | 'unsure' | 'lost';

/** Everything there is about a receiver, as plain data. Never changed in place: keep it, and restore it later. */
export interface MemoryReceiverState {
  /** What the receiver saw, in order; the same rotation twice where it was told twice. */
  readonly seen: readonly RefreshNews[];
  /** The next pokes meet these faults, one each. */
  readonly faults: readonly MemoryRefreshFault[];
}

/** A receiver in this process, which several handles can tell; gone with it. */
export class MemoryReceiver {
  #state: MemoryReceiverState = { seen: [], faults: [] };

  get state(): MemoryReceiverState {
    return this.#state;
  }

  /** Makes everything as it was when `state` was read. */
  restore(state: MemoryReceiverState): void {
    this.#state = state;
  }

  /** Lets the next pokes fail, one each. */
  fail(...faults: readonly MemoryRefreshFault[]): void {
    this.#state = { ...this.#state, faults: [...this.#state.faults, ...faults] };
  }

  /** Takes one message up; answers the fault that it met. */
  take(news: RefreshNews): MemoryRefreshFault | undefined {
    const { seen, faults } = this.#state;
    const [fault, ...rest] = faults;
    const isSeen = fault === undefined || fault === 'lost';
    this.#state = { seen: isSeen ? [...seen, publishedNews(news)] : seen, faults: rest };
    return fault;
  }
}

const codes: Readonly<Record<MemoryRefreshFault, ErrorCode>> = {
  rejected: 'rejected',
  denied: 'denied',
  throttled: 'throttled',
  unreachable: 'unreachable',
  unsure: 'uncertain',
  lost: 'uncertain',
};

/**
 * Tells a receiver of this process. Two handles on one receiver are two processes that tell the same one. With a world,
 * nothing is told after its deadline.
 */
export function memoryRefresh(receiver: MemoryReceiver, world?: World): Refresh {
  return {
    async poke(news) {
      const tried = `tell the receiver in memory of ${news.rotation}`;
      if (world) timeLimit(tried, { world, answerMs: 1 });
      const fault = receiver.take(news);
      if (fault === undefined) return;
      throw new LockkeeperError(codes[fault], `${tried}: it was made to fail`, { hint: 'Let the receiver answer.' });
    },
  };
}
