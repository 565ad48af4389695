import { visible } from '../../shared/base/visible.ts';
import type { Stream, Terminal } from './io.ts';

const clear = '\r\u001b[2K';

/** The last line of a screen, which says how far a long command is. Where stderr is no screen it is nothing. */
export class StatusLine {
  readonly #stream: Stream;
  #shown: string | undefined;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** Shows `line` in place of the one before, cut to the screen; undefined: none. */
  show(line: string | undefined): void {
    if (this.#stream.isTTY !== true || (line === undefined && this.#shown === undefined)) return;
    this.#shown = line;
    this.#stream.write(line === undefined ? clear : `${clear}${this.#cut(line)}`);
  }

  /** What writes whole lines, so that they stand above the status. */
  above(write: Terminal['out']): Terminal['out'] {
    return (line, style) => {
      const shown = this.#shown;
      this.show(undefined);
      write(line, style);
      this.show(shown);
    };
  }

  #cut(line: string): string {
    const most = Math.max(20, (this.#stream.columns ?? 80) - 1);
    const text = visible(line);
    return text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`;
  }
}
