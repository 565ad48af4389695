import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { hashesOf, TileRows, type TileFile } from '../../shared/audit/tlog/tile-rows.ts';
import { tileWidth } from '../../shared/audit/tlog/tile.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { logVkey, signedCheckpoint } from '../judges/plain-log.ts';
import type { LogPart } from './audit-log-part.ts';

/**
 * A multiple of what a bundle holds; so large that a thread is busy for a while, so small that its leaves are little.
 */
const perPart = 128 * tileWidth;

/** Writes a plain tlog-tiles directory of `count` entries of the real form, its runs whole, with two threads. */
export async function writeLog(directory: string, count: number): Promise<void> {
  const parts = Array.from({ length: Math.ceil(count / perPart) }, (_, part) => ({
    directory,
    part,
    from: part * perPart,
    to: Math.min(count, (part + 1) * perPart),
  }));
  const threads = [new PartThread(), new PartThread()];
  const rows = new TileRows();
  try {
    const made = parts.map(
      (part, at) => threads[at % threads.length]?.write(part) ?? Promise.resolve(new Uint8Array()),
    );
    for (const leaves of made) for (const leaf of hashesOf(await leaves)) await writeAll(directory, rows.append(leaf));
  } finally {
    await Promise.all(threads.map((thread) => thread.close()));
  }
  await writeAll(directory, [
    ...rows.partial(),
    { path: 'checkpoint', bytes: Buffer.from(signedCheckpoint(count, rows.root())) },
    { path: 'log.vkey', bytes: Buffer.from(`${logVkey}\n`) },
  ]);
}

async function writeAll(directory: string, files: readonly TileFile[]): Promise<void> {
  for (const { path, bytes } of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), bytes);
  }
}

/** Writes parts one after the other. */
class PartThread {
  readonly #worker = new Worker(new URL('audit-log-part.ts', import.meta.url));
  #last: Promise<Uint8Array> = Promise.resolve(new Uint8Array());

  /** Leaf hashes of the part. */
  write(part: LogPart): Promise<Uint8Array> {
    this.#last = this.#writeAfter(this.#last, part);
    return this.#last;
  }

  async #writeAfter(before: Promise<Uint8Array>, part: LogPart): Promise<Uint8Array> {
    await before;
    this.#worker.postMessage(part, []);
    const answer: readonly unknown[] = await once(this.#worker, 'message');
    const [leaves] = answer;
    if (leaves instanceof Uint8Array) return leaves;
    throw new LockkeeperError('bug', `part ${part.part} of the log has no leaves`);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
