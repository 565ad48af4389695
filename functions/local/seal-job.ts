import type { Notice } from '../../shared/approvals/contract.ts';
import type { RunLog } from '../../shared/audit/log.ts';
import type { Unsigned } from '../../shared/audit/sealing/unsigned.ts';
import { asLockkeeperError } from '../../shared/base/error.ts';
import type { Instant } from '../../shared/base/time.ts';
import type { World } from '../../shared/base/world.ts';
import { newsBetween, noticesOf, troublesOf, type Sealing, type Troubles } from './seal-news.ts';
import type { ServeLog } from './serve-log.ts';

export interface SealJobOptions {
  readonly audit: () => Promise<Pick<RunLog, 'seal' | 'unsigned'>>;
  readonly world: World;
  readonly log: ServeLog;
  /** Tells people; undefined where there is nobody to be told. */
  readonly notify: ((notice: Notice) => Promise<void>) | undefined;
}

/**
 * Seals the log again and again, and says what is wrong once, when it begins, and once when it is over. People are told
 * what takes a person; a notice that does not reach them is tried again with the next sealing. What it knows ends with
 * the process.
 */
export class SealJob {
  readonly #options: SealJobOptions;
  readonly #untold: Notice[] = [];
  #troubles: Troubles = new Map();
  #failingSince: Instant | undefined;

  constructor(options: SealJobOptions) {
    this.#options = options;
  }

  /** One sealing. Throws nothing but defects: that it failed is news as well. */
  async run(): Promise<void> {
    const { log } = this.#options;
    const sealing = await this.#seal();
    this.#failingSince = sealing.failure ? (this.#failingSince ?? sealing.at) : undefined;
    const troubles = troublesOf(sealing, { troubles: this.#troubles, failingSince: this.#failingSince });
    const news = newsBetween(this.#troubles, troubles);
    this.#troubles = troubles;
    for (const { text } of news.begun) log.warning('seal', text);
    for (const { text, level } of news.over) if (level !== 'alarm') log.info('seal', `over: ${text}`);
    this.#untold.push(...noticesOf(news));
    await this.#notify();
  }

  async #seal(): Promise<Sealing> {
    const at = this.#options.world.now();
    try {
      const report = await (await this.#options.audit()).seal();
      return { at, report, failure: undefined, unsigned: await this.#unsigned() };
    } catch (thrown) {
      const failure = asLockkeeperError(thrown);
      if (failure.code === 'bug') throw thrown;
      return { at, report: undefined, failure, unsigned: await this.#unsigned() };
    }
  }

  async #unsigned(): Promise<Unsigned | undefined> {
    try {
      return await (await this.#options.audit()).unsigned();
    } catch (thrown) {
      if (asLockkeeperError(thrown).code === 'bug') throw thrown;
      return undefined;
    }
  }

  async #notify(): Promise<void> {
    const { notify, log } = this.#options;
    for (const notice of this.#untold.splice(0)) {
      try {
        await notify?.(notice);
      } catch (thrown) {
        log.failure('seal', asLockkeeperError(thrown));
        this.#untold.push(notice);
      }
    }
  }
}
