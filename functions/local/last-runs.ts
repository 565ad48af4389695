import { canonicalJson } from '../../shared/base/canonical.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { formatInstant, parseInstant, type Instant } from '../../shared/base/time.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';

/**
 * When each job last began, in the state store at `serve/JOB.json`: how a start knows what was missed while nobody
 * served.
 */
export class LastRuns {
  readonly #state: ObjectStore;

  constructor(state: ObjectStore) {
    this.#state = state;
  }

  /** Undefined where the job never began. `invalid` where the record is damaged. */
  async read(job: string): Promise<Instant | undefined> {
    const held = await this.#state.get(keyOf(job));
    return held && parseRecord(job, held.bytes);
  }

  /** Remembers that the job begins at `at`. Of two processes that write at once the later time stays. */
  async write(job: string, at: Instant): Promise<void> {
    const bytes = Buffer.from(canonicalJson({ at: formatInstant(at) }));
    for (let attempts = 0; attempts < 5; attempts += 1) {
      const held = await this.#state.get(keyOf(job));
      if (held && parseRecord(job, held.bytes) >= at) return;
      const answer = held
        ? await this.#state.replace(keyOf(job), bytes, held.version)
        : await this.#state.create(keyOf(job), bytes);
      if (answer.outcome === 'done') return;
    }
    throw new LockkeeperError('conflict', `the last run of ${job} could not be written: others write it all the time`, {
      hint: 'Does more than one `lockkeeper serve` run with this state store?',
    });
  }
}

function keyOf(job: string): string {
  return `serve/${job}.json`;
}

function parseRecord(job: string, bytes: Uint8Array): Instant {
  const invalid = (cause: unknown): LockkeeperError =>
    new LockkeeperError('invalid', `${keyOf(job)} in the state store is damaged`, {
      cause,
      hint: 'Delete it; nothing but the catching up of one missed run is lost.',
    });
  try {
    const record: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (typeof record === 'object' && record !== null && 'at' in record && typeof record.at === 'string')
      return parseInstant(record.at);
  } catch (cause) {
    throw invalid(cause);
  }
  throw invalid(undefined);
}
