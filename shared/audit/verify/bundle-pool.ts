import { Worker } from 'node:worker_threads';
import { asLockkeeperError } from '../../base/error.ts';
import { checkBundle, type CheckedBundle } from './bundle-check.ts';

/** Checks bundles: here, or in threads of their own. */
export interface BundlePool {
  check(first: number, bytes: Uint8Array): Promise<CheckedBundle>;
  /** How many bundles to have on their way at once. */
  readonly ahead: number;
  close(): Promise<void>;
}

/** What goes to a thread; the bytes go over, they are not copied. */
export interface BundleTask {
  readonly first: number;
  readonly bytes: Uint8Array;
}

/** A pool of so many threads; 0 checks in this one. */
export function bundlePool(threads: number): BundlePool {
  if (threads === 0)
    return { check: async (first, bytes) => checkBundle(first, bytes), ahead: 1, close: async () => {} };
  const workers = Array.from({ length: threads }, () => new BundleThread());
  let turn = 0;
  return {
    check(first, bytes) {
      turn = (turn + 1) % threads;
      return (workers[turn] ?? new BundleThread()).check(first, bytes);
    },
    ahead: 3 * threads,
    async close() {
      await Promise.all(workers.map((worker) => worker.close()));
    },
  };
}

interface Waiting {
  readonly resolve: (checked: CheckedBundle) => void;
  readonly reject: (error: unknown) => void;
}

/** One thread; it answers in the order in which it was asked. */
class BundleThread {
  readonly #worker = new Worker(new URL('bundle-thread.ts', import.meta.url));
  readonly #waiting: Waiting[] = [];

  constructor() {
    this.#worker.on('message', (checked: CheckedBundle) => this.#waiting.shift()?.resolve(checked));
    this.#worker.on('error', (thrown) => {
      for (const { reject } of this.#waiting.splice(0)) reject(asLockkeeperError(thrown));
    });
  }

  check(first: number, bytes: Uint8Array): Promise<CheckedBundle> {
    const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : Uint8Array.from(bytes);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(
        { first, bytes: own } satisfies BundleTask,
        own.buffer instanceof ArrayBuffer ? [own.buffer] : [],
      );
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
