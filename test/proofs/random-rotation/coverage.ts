import type { Walk } from './walk.ts';

const reasons = [
  'nobody-logs-in',
  'refused-after-set',
  'refused-after-publish',
  'old-still-accepted',
  'changed-by-hand',
  'foreign-pending',
  'staged-value-lost',
  'in-use-again',
  'every-value-rejected',
];
const outcomes = ['idle', 'waiting', 'blocked', 'done', 'reverted', 'failed', 'busy', 'stopped'];
const strategies = ['additive', 'alternating', 'replacing', 'single'];
const phases = ['planned', 'staged', 'set', 'verified', 'published', 'draining', 'retired', 'done'];

/** What walks have reached so far. */
export class Coverage {
  readonly #reached = new Map<string, number>();
  walks = 0;
  happenings = 0;
  runs = 0;

  /** Counts what one walk reached. */
  add({ ground, watch, outcomes: ended, runs }: Walk, happenings: number): void {
    this.walks += 1;
    this.happenings += happenings;
    this.runs += runs;
    const { strategy, fence, capacity, fleet, stores } = ground.setting;
    const kinds = stores.map(
      ({ writes, settlesMs, ids }) => `${writes}/${settlesMs > 0 ? 'settles' : 'at once'}/${ids}`,
    );
    this.#count(`setting ${[strategy, fence, capacity, fleet, ...kinds].join(' ')}`);
    for (const outcome of ended.keys()) this.#count(`outcome ${outcome}`);
    for (const phase of watch.phases) {
      const [name = '', reason] = phase.split(':');
      this.#count(`phase ${strategy} ${name}`);
      if (reason !== undefined) this.#count(`block ${reason}`);
    }
  }

  /** How many different settings, by what matters most in them. */
  get settings(): number {
    return [...this.#reached.keys()].filter((key) => key.startsWith('setting ')).length;
  }

  /** What should be reached and was not: every phase of every strategy, ordinary and urgent, every reason, every outcome. */
  get missed(): readonly string[] {
    const wanted = [
      ...strategies.flatMap((strategy) =>
        phases.flatMap((phase) => [`phase ${strategy} ${phase}`, `phase ${strategy} ${phase}!`]),
      ),
      ...reasons.map((reason) => `block ${reason}`),
      ...outcomes.map((outcome) => `outcome ${outcome}`),
    ];
    return wanted.filter((key) => !this.#reached.has(key));
  }

  #count(key: string): void {
    this.#reached.set(key, (this.#reached.get(key) ?? 0) + 1);
  }
}
