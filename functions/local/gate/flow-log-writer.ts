import { access, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LockkeeperError } from '../../../shared/base/error.ts';
import { makePrivateFolder, writePrivateFile } from '../../../shared/base/private-files.ts';
import type { Instant } from '../../../shared/base/time.ts';
import { systemCode } from '../system-code.ts';
import type { FlowLogFormat, LoggedInterval, RenderedObject } from './formats/format.ts';
import type { Interval } from './flow-table.ts';

export interface FlowLogWriterOptions {
  readonly directory: string;
  readonly format: FlowLogFormat;
  /** An object holds the intervals that end within one such stretch, in milliseconds of world time. */
  readonly publishMs: number;
  /** Ids of all interfaces. */
  readonly interfaces: readonly string[];
  /** Hears of a write that failed. The window is kept and written with the next one. */
  readonly onFailure: (error: LockkeeperError) => void;
}

/** A window on its way to disk. */
interface Batch {
  readonly window: number;
  intervals: readonly LoggedInterval[];
  /** What is not written yet. */
  objects: readonly RenderedObject[];
}

/** Connections that may wait for a disk to take them; of the oldest the log then says that they were lost. */
const mostWaiting = 200_000;

/**
 * Writes intervals down as the cloud's objects, window by window, in the background and in order. What cannot be
 * written waits for the next window; where too much waits, the oldest is given up and the log says so (SKIPDATA). Raw
 * logs are not synced to disk: what a crash loses shows as missing coverage, never as silence.
 */
export class FlowLogWriter {
  readonly #options: FlowLogWriterOptions;
  readonly #madeDirectories = new Set<string>();
  readonly #silences: { readonly interface: string; readonly from: Instant; to: Instant | undefined }[] = [];
  readonly #skipped = new Set<string>();
  #window: number | undefined;
  #waiting: LoggedInterval[] = [];
  #batches: Batch[] = [];
  #tail: Promise<void> = Promise.resolve();

  constructor(options: FlowLogWriterOptions) {
    this.#options = options;
  }

  /** Takes one interval; writes once the window is full. */
  add(interval: Interval): void {
    const window = Math.floor((interval.to - 1) / this.#options.publishMs) * this.#options.publishMs;
    if (this.#window !== undefined && window !== this.#window) this.#publish();
    this.#window = window;
    const skipped = new Set([...this.#skipped, ...interval.losses.map((loss) => loss.interface)]);
    this.#waiting.push({ ...interval, silent: this.#silent(interval), skipped });
    this.#skipped.clear();
    if (interval.to % this.#options.publishMs === 0) this.#publish();
  }

  /**
   * From `from` on nothing of this interface is logged, until `resume`. Intervals that touch the gap are silent as a
   * whole.
   */
  stop(id: string, from: Instant): void {
    this.#silences.push({ interface: id, from, to: undefined });
  }

  /** The gap of this interface ends at `at`. */
  resume(id: string, at: Instant): void {
    for (const silence of this.#silences) if (silence.interface === id) silence.to ??= at;
  }

  /** The next interval says of this interface that records were lost (SKIPDATA where the format has it). */
  skip(id: string): void {
    this.#skipped.add(id);
  }

  /** Publishes what waits, full window or not, and returns once everything is in its file. */
  async flush(): Promise<void> {
    this.#publish();
    await this.#tail;
  }

  #silent(interval: Interval): ReadonlySet<string> {
    const touched = this.#silences.filter(
      ({ from, to }) => interval.to > from && (to === undefined || interval.from < to),
    );
    return new Set(touched.map((silence) => silence.interface));
  }

  #publish(): void {
    if (this.#window !== undefined && this.#waiting.length > 0) {
      const objects = this.#options.format(this.#window, this.#waiting);
      this.#batches.push({ window: this.#window, intervals: this.#waiting, objects });
      this.#waiting = [];
    }
    if (this.#batches.length > 0) this.#tail = this.#writeAfter(this.#tail);
  }

  async #writeAfter(earlier: Promise<void>): Promise<void> {
    await earlier;
    try {
      for (let [batch] = this.#batches; batch !== undefined; [batch] = this.#batches) {
        await this.#writeBatch(batch);
        this.#batches.shift();
      }
    } catch (cause) {
      // Somebody may have removed a directory that was made.
      this.#madeDirectories.clear();
      this.#giveUpOldest();
      const hint =
        'Make room on the disk, or check the rights of the directory. It is tried again with the next window.';
      this.#options.onFailure(
        new LockkeeperError('unreachable', `writing a flow log to ${this.#options.directory} failed`, { cause, hint }),
      );
    }
  }

  async #writeBatch(batch: Batch): Promise<void> {
    for (let [object] = batch.objects; object !== undefined; [object] = batch.objects) {
      await this.#write(object);
      batch.objects = batch.objects.slice(1);
    }
  }

  /** Memory is no disk. What was written of the window stays; the rest is said to be lost. */
  #giveUpOldest(): void {
    let waiting = this.#batches.reduce((sum, batch) => sum + slicesIn(batch), 0);
    for (const batch of this.#batches) {
      if (waiting <= mostWaiting) return;
      waiting -= slicesIn(batch);
      const skipped = new Set(this.#options.interfaces);
      batch.intervals = batch.intervals.map((interval) => ({ ...interval, slices: [], skipped }));
      batch.objects = this.#options.format(batch.window, batch.intervals);
    }
  }

  /** An object that is written once takes the first free part: nothing that was published is ever overwritten. */
  async #path(object: RenderedObject): Promise<string> {
    let part = 0;
    const path = (): string => join(this.#options.directory, object.path(part));
    while (object.whole !== undefined && (await exists(path()))) part += 1;
    return path();
  }

  async #write(object: RenderedObject): Promise<void> {
    const path = await this.#path(object);
    if (!this.#madeDirectories.has(dirname(path))) {
      await makePrivateFolder(dirname(path));
      this.#madeDirectories.add(dirname(path));
    }
    const bytes = object.whole ?? (await grown(path, object.records ?? []));
    await writePrivateFile(`${path}.part`, bytes, { over: 'anew' });
    await rename(`${path}.part`, path);
  }
}

function slicesIn({ intervals }: Batch): number {
  return intervals.reduce((sum, { slices }) => sum + slices.length, 0);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    (cause: unknown) => {
      if (systemCode(cause) === 'ENOENT') return false;
      throw cause;
    },
  );
}

/** The blob at `path` with `records` before its closing bracket; a reader never sees half of it. */
async function grown(path: string, records: readonly string[]): Promise<string> {
  const before = await readFile(path, 'utf8').catch((cause: unknown) => {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw cause;
  });
  return before === undefined ? `{"records":[${records.join(',')}]}` : `${before.slice(0, -2)},${records.join(',')}]}`;
}
