import type { Notice } from '../../shared/approvals/contract.ts';
import { asLockkeeperError } from '../../shared/base/error.ts';
import type { CollectReport } from '../../shared/usage/collect.ts';
import type { AllDone, Done } from './jobs.ts';
import type { ServeLog } from './serve-log.ts';
import { visibleStart } from '../../shared/base/visible.ts';

export interface CollectJobOptions {
  readonly collect: () => Promise<AllDone<CollectReport>>;
  readonly log: ServeLog;
  /** Notifies people; undefined where there is nobody. */
  readonly notify: ((notice: Notice) => Promise<void>) | undefined;
}

const namedAtMost = 5;

/**
 * Collects again and again, logs every object that cannot be read, and notifies people of each once. A notice that does
 * not reach them is sent again with the next run. What it knows ends with the process.
 */
export class CollectJob {
  readonly #options: CollectJobOptions;
  #unsent: Notice[] = [];
  /** What the last run named: an object that the machine fails on is named by every run. */
  #named: ReadonlySet<string> = new Set();

  constructor(options: CollectJobOptions) {
    this.#options = options;
  }

  /** One run over all flow logs. Throws what keeps every log from being read. */
  async run(): Promise<void> {
    const { collect, log } = this.#options;
    const { done, problems } = await collect();
    const named = new Set<string>();
    for (const one of done) this.#take(one, named);
    this.#named = named;
    for (const problem of problems) log.failure('collect', problem);
    await this.#notify();
  }

  #take({ name, report }: Done<CollectReport>, named: Set<string>): void {
    const { log } = this.#options;
    log.info(
      'collect',
      `${name}: ${report.objects} new objects, ${report.records} rows, ${report.malformed} malformed, ${report.unreadable} unreadable, ${report.left} left`,
    );
    const lines = report.named.map(({ key, why }) => `${visibleStart(key)}: ${visibleStart(why)}`);
    const fresh = lines.filter((line) => !this.#named.has(`${name} ${line}`));
    for (const line of lines) named.add(`${name} ${line}`);
    for (const line of fresh) log.warning('collect', `${name}: ${line}`);
    if (fresh.length === 0) return;
    const more = fresh.length > namedAtMost ? `; and ${report.unreadable - namedAtMost} more` : '';
    const text = `${report.unreadable} objects of the flow log ${name} cannot be read, so what they held is in doubt: ${fresh.slice(0, namedAtMost).join('; ')}${more}. Find out who put them there.`;
    this.#unsent.push({ hash: undefined, level: 'warning', text });
  }

  async #notify(): Promise<void> {
    const { notify, log } = this.#options;
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const notice of unsent) {
      try {
        await notify?.(notice);
      } catch (thrown) {
        log.failure('collect', asLockkeeperError(thrown));
        this.#unsent.push(notice);
      }
    }
  }
}
