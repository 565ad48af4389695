import { setTimeout as pause } from 'node:timers/promises';
import type { Bucket, File, GetFilesOptions } from '@google-cloud/storage';
import { z } from 'zod';
import { LockkeeperError } from '../base/error.ts';
import { second } from '../base/time.ts';
import { gcpError, gcpFault, isPassing, type GcpFault } from '../clouds/gcp.ts';
import type { StoredObject } from './contract.ts';
import { download, sumOf } from './gcp-storage-download.ts';
import { openBucket, type GcpStorageSettings } from './gcp-storage-open.ts';

/** What one generation of an object is, as a listing tells it. */
export interface Generation {
  readonly key: string;
  readonly size: number;
  readonly generation: string;
  readonly created: string;
  /** When it stopped to be the live one; undefined for the live one. RFC 3339, as `created`. */
  readonly ended: string | undefined;
}

/**
 * What came of a write with a precondition. `doubtful`: an earlier try of it may have been the one that took effect.
 */
export type Sent<T> = { readonly done: T } | { readonly refused: GcpFault; readonly doubtful: boolean };

const longestRetryAfterMs = 5 * second;

const listing = z.object({
  items: z
    .array(
      z.object({
        name: z.string(),
        size: z.coerce.number().default(0),
        generation: z.coerce.string().default(''),
        timeCreated: z.string().default(''),
        timeDeleted: z.string().optional(),
        softDeleteTime: z.string().optional(),
      }),
    )
    .default([]),
  nextPageToken: z.string().optional(),
});

/**
 * The requests to one bucket, each with a limit of time and as often as Google asks to repeat it. The SDK's own retries
 * are off: one of a write whose answer was lost would tell our own success as 412.
 */
export class GcpBucket {
  readonly #settings: GcpStorageSettings;
  readonly #prefix: string;
  #opened: Promise<Bucket> | undefined;
  #isThere = false;

  constructor(settings: GcpStorageSettings) {
    this.#settings = settings;
    this.#prefix = settings.prefix ?? '';
    if (this.#prefix === '' || this.#prefix.endsWith('/')) return;
    throw new LockkeeperError('invalid', `the prefix ${JSON.stringify(this.#prefix)} does not end in "/"`, {
      hint: 'End it in "/", or leave it out.',
    });
  }

  /** gs://bucket/name, for messages. */
  uri(key: string): string {
    return `gs://${this.#settings.bucket}/${this.#prefix}${key}`;
  }

  /** Bytes and generation, or undefined where there is no object. */
  async read(key: string): Promise<StoredObject | undefined> {
    return await this.#look(key, (file) => download(file, this.#settings.mostBytes?.(key)));
  }

  /** The live generation, or undefined where there is no object. */
  async generation(key: string): Promise<string | undefined> {
    return await this.#look(key, async (file) => String((await file.getMetadata())[0].generation));
  }

  /**
   * Writes only where `onlyIf` is the live generation ("0": none is). Google checks the sum of the bytes before it
   * keeps them.
   */
  async write(key: string, bytes: Uint8Array, onlyIf: string): Promise<Sent<string>> {
    const content = Buffer.from(bytes);
    const crc32c = await sumOf(content);
    const needs = onlyIf === '0' ? 'storage.objects.create' : 'storage.objects.create and storage.objects.delete';
    return await this.#send({ tried: `write ${this.uri(key)}`, needs, key }, async (file) => {
      // The SDK's own validation deletes what is there, whoever wrote it, where the sums differ.
      const metadata = { contentType: 'application/octet-stream', crc32c };
      await file.save(content, {
        resumable: false,
        validation: false,
        metadata,
        preconditionOpts: { ifGenerationMatch: onlyIf },
      });
      const { generation } = file.metadata;
      if (generation === undefined) throw new Error('the answer has no generation');
      return String(generation);
    });
  }

  /** Deletes only where `onlyIf` is the live generation. */
  async remove(key: string, onlyIf: string): Promise<Sent<true>> {
    return await this.#send(
      { tried: `delete ${this.uri(key)}`, needs: 'storage.objects.delete', key },
      async (file): Promise<true> => {
        await file.delete({ ifGenerationMatch: onlyIf });
        return true;
      },
    );
  }

  /**
   * Generations whose key starts with `prefix`, in the order of their keys' bytes; the next page is asked for when it
   * is needed.
   */
  async *generations(prefix: string, also: GetFilesOptions = {}): AsyncGenerator<Generation> {
    const startOffset = also.startOffset === undefined ? {} : { startOffset: this.#prefix + also.startOffset };
    let next: string | undefined;
    do {
      const query = {
        ...also,
        ...startOffset,
        prefix: this.#prefix + prefix,
        ...(next !== undefined && { pageToken: next }),
      };
      const { items, nextPageToken } = await this.#page(query);
      for (const { name, size, generation, timeCreated: created, timeDeleted, softDeleteTime } of items) {
        yield { key: name.slice(this.#prefix.length), size, generation, created, ended: timeDeleted ?? softDeleteTime };
      }
      next = nextPageToken;
    } while (next !== undefined);
  }

  /** Throws `not-found` unless the bucket is there: a 404 for an object does not say which of the two is missing. */
  async #prove(): Promise<void> {
    if (!this.#isThere) await this.#page({ maxResults: 1 });
  }

  async #page(query: GetFilesOptions): Promise<z.infer<typeof listing>> {
    const tried = `list ${this.uri('')}`;
    return await this.#patiently(
      tried,
      async () => {
        try {
          const bucket = await this.#open();
          const [, , answer] = await this.#within(
            bucket.getFiles({ maxResults: this.#settings.pageSize ?? 1_000, ...query, autoPaginate: false }),
          );
          this.#isThere = true;
          return listing.parse(answer);
        } catch (thrown) {
          if (gcpFault(thrown).status === 404) throw this.#noBucket(thrown, tried);
          throw thrown;
        }
      },
      'storage.objects.list',
    );
  }

  async #look<T>(key: string, ask: (file: File) => Promise<T>): Promise<T | undefined> {
    const tried = `read ${this.uri(key)}`;
    const found = await this.#patiently(
      tried,
      async () => {
        try {
          return { found: await this.#ask(key, ask) };
        } catch (thrown) {
          if (gcpFault(thrown).status !== 404) throw thrown;
          if (saysNoBucket(thrown)) throw this.#noBucket(thrown, tried);
          return undefined;
        }
      },
      'storage.objects.get',
    );
    if (found === undefined) await this.#prove();
    return found?.found;
  }

  /** Repeats what reads only. */
  async #patiently<T>(tried: string, act: () => Promise<T>, needs: string): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      try {
        return await act();
      } catch (thrown) {
        const fault = gcpFault(thrown);
        if (thrown instanceof LockkeeperError || !isPassing(fault) || !(await this.#wait(tries, fault)))
          throw gcpError(thrown, tried, { needs });
      }
    }
  }

  /**
   * Repeats a write only where Google says that it did not take place: 429 and 503. After a 503 nobody can be quite
   * sure, whatever comes then.
   */
  async #send<T>(
    { tried, needs, key }: { readonly tried: string; readonly needs: string; readonly key: string },
    act: (file: File) => Promise<T>,
  ): Promise<Sent<T>> {
    let doubtful = false;
    for (let tries = 0; ; tries += 1) {
      try {
        return { done: await this.#ask(key, act) };
      } catch (thrown) {
        const fault = gcpFault(thrown);
        if (fault.status === 404 && saysNoBucket(thrown)) throw this.#noBucket(thrown, tried);
        doubtful ||= fault.status === 503;
        if (fault.status === 412 || fault.status === 404 || fault.reason === 'retentionPolicyNotMet')
          return { refused: fault, doubtful };
        const passes = fault.status === 429 || fault.status === 503;
        if (passes && (await this.#wait(tries, fault))) continue;
        const error = gcpError(thrown, tried, { written: true, needs });
        throw doubtful && error.code !== 'uncertain' ? inDoubt(tried, error) : error;
      }
    }
  }

  async #ask<T>(key: string, act: (file: File) => Promise<T>): Promise<T> {
    const bucket = await this.#open();
    const answer = await this.#within(act(bucket.file(this.#prefix + key)));
    this.#isThere = true;
    return answer;
  }

  /** False once it was waited often enough. */
  async #wait(tries: number, { retryAfterMs = 0 }: GcpFault): Promise<boolean> {
    const waitMs = (this.#settings.waitsMs ?? [250, 500, 1_000, 2_000, 4_000])[tries];
    if (waitMs === undefined) return false;
    await pause(Math.max(waitMs, Math.min(retryAfterMs, longestRetryAfterMs)));
    return true;
  }

  /**
   * The SDK takes a timeout and hands it to a fetch that ignores it, and takes no signal: a late answer is read and
   * thrown away.
   */
  async #within<T>(asked: Promise<T>): Promise<T> {
    const limitMs = this.#settings.limitMs ?? 10 * second;
    const over = new AbortController();
    const limit = pause(limitMs, undefined, { signal: over.signal }).then(() => {
      throw Object.assign(new Error(`no answer within ${limitMs} ms`), { code: 'ETIMEDOUT' });
    });
    try {
      return await Promise.race([asked, limit]);
    } finally {
      over.abort();
    }
  }

  async #open(): Promise<Bucket> {
    this.#opened ??= openBucket(this.#settings);
    return await this.#opened;
  }

  #noBucket(thrown: unknown, tried: string): LockkeeperError {
    const { bucket } = this.#settings;
    return new LockkeeperError('not-found', `${tried}: there is no bucket ${bucket}`, {
      hint: 'Create the bucket, or name the right one.',
      cause: gcpError(thrown, tried),
    });
  }
}

/** The failure of a write of which an earlier try was answered with 503. */
export function inDoubt(tried: string, cause?: unknown): LockkeeperError {
  return new LockkeeperError('uncertain', `${tried}: failed after a try that Google answered with 503`, {
    hint: 'That try may have been the one that took effect: read it back before trying again.',
    cause,
  });
}

/** "The specified bucket does not exist."; of an object it is "No such object: bucket/name". */
function saysNoBucket(thrown: unknown): boolean {
  return /bucket does not exist/i.test(gcpFault(thrown).message);
}
