/** What happened to one secret; versions are told apart by their values. */
type Event =
  | { readonly kind: 'staged'; readonly rotation: string; readonly text: string }
  | { readonly kind: 'abandoned'; readonly rotation: string }
  | { readonly kind: 'published'; readonly text: string; readonly rotation?: string }
  | { readonly kind: 'ended'; readonly text: string };

/** One call on the secret, or something a person does. */
export type Step =
  | { readonly does: 'stage'; readonly rotation: string; readonly text: string }
  | { readonly does: 'promote'; readonly rotation: string; readonly text: string; readonly from: string | undefined }
  | { readonly does: 'abandon'; readonly rotation: string }
  | { readonly does: 'retire' | 'byHand'; readonly text: string }
  | { readonly does: 'rollBack' };

/**
 * The secret-store contract as it reads, and nothing of how it is kept: every answer follows from what happened before.
 * A step answers a value, `done` or the code of its error.
 */
export class History {
  readonly #events: readonly Event[];
  readonly #keepsPrevious: boolean;

  constructor(keepsPrevious: boolean, events: readonly Event[] = []) {
    this.#events = events;
    this.#keepsPrevious = keepsPrevious;
  }

  /** The history after `step`, and what the step answers. */
  after(step: Step): { readonly history: History; readonly answer: string } {
    const { pending, current } = this;
    switch (step.does) {
      case 'stage':
        if (pending?.rotation === step.rotation) return this.#same(pending.text);
        if (pending || this.#published.some(({ rotation }) => rotation === step.rotation))
          return this.#same('conflict');
        return this.#with({ kind: 'staged', rotation: step.rotation, text: step.text }, step.text);
      case 'promote':
        if (current?.rotation === step.rotation && current.text === step.text) return this.#same(current.text);
        if (pending?.rotation !== step.rotation || pending.text !== step.text) return this.#same('conflict');
        if (current?.text !== step.from) return this.#same('conflict');
        return this.#with({ kind: 'published', rotation: step.rotation, text: step.text }, step.text);
      case 'abandon':
        return this.#with({ kind: 'abandoned', rotation: step.rotation }, 'done');
      case 'retire':
        if (!this.earlier.includes(step.text)) return this.#same('done');
        return this.#with({ kind: 'ended', text: step.text }, 'done');
      case 'byHand':
        return this.#with({ kind: 'published', text: step.text }, 'done');
      case 'rollBack': {
        const back = this.#published.findLast(({ text }) => text === this.earlier[0]);
        return back ? this.#with(back, 'done') : this.#same('conflict');
      }
    }
  }

  get current(): { readonly text: string; readonly rotation?: string } | undefined {
    return this.#published.at(-1);
  }

  /** The value staged last, unless its rotation was abandoned or published since. */
  get pending(): { readonly text: string; readonly rotation: string } | undefined {
    const staged = this.#events.findLast((event) => event.kind === 'staged');
    if (!staged) return undefined;
    const since = this.#events.slice(this.#events.indexOf(staged) + 1);
    return since.some((event) => 'rotation' in event && event.rotation === staged.rotation) ? undefined : staged;
  }

  /** What was published before, newest first, without what was ended. */
  get earlier(): readonly string[] {
    if (!this.#keepsPrevious) return [];
    const before = this.#published.slice(0, -1).map(({ text }) => text);
    const ended = this.#events.filter((event) => event.kind === 'ended').map(({ text }) => text);
    const gone = [...ended, this.current?.text];
    return [...new Set(before.toReversed())].filter((text) => !gone.includes(text));
  }

  /** What a reader sees. */
  get seen(): unknown {
    const { current, pending, earlier } = this;
    return {
      current: current?.text,
      previous: earlier[0],
      pending: pending && { text: pending.text, rotation: pending.rotation },
    };
  }

  /** Every value that somebody can still read by its id. */
  get readable(): readonly string[] {
    return [this.current?.text, this.pending?.text, ...this.earlier].filter((text) => text !== undefined).toSorted();
  }

  get #published() {
    return this.#events.filter((event) => event.kind === 'published');
  }

  #same(answer: string) {
    return { history: this, answer };
  }

  #with(event: Event, answer: string) {
    return { history: new History(this.#keepsPrevious, [...this.#events, event]), answer };
  }
}
