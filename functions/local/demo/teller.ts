import { LockkeeperError } from '../../../shared/base/error.ts';
import type { Style, Terminal } from '../../cli/io.ts';

/** One thing that the demo claims, and whether it was so. */
export interface Claim {
  readonly chapter: string;
  readonly claim: string;
  readonly holds: boolean;
}

/** Tells the demo's story: a heading, what to look for, what really came out, and the proof. */
export interface Teller {
  chapter(title: string, lookFor: string): void;
  /** What came out, line by line. */
  shows(...lines: readonly string[]): void;
  /** A line that is about the telling, not about the result. */
  aside(line: string): void;
  /** States a proof. One that does not hold is shown as such and ends the demo with an error. */
  proves(claim: string, holds: boolean): void;
  claims(): readonly Claim[];
}

/**
 * Tells on stdout; with `--output json` only the claims count, and the telling goes to stderr. It falls silent once the
 * demo is interrupted: what still goes wrong then proves nothing.
 */
export function teller(terminal: Terminal): Teller {
  const say = (line: string, style?: Style): void => {
    if (terminal.signal.aborted) return;
    if (terminal.json) terminal.err(line, style);
    else terminal.out(line, style);
  };
  const claims: Claim[] = [];
  let chapters = 0;
  let title = '';
  return {
    chapter(name, lookFor) {
      chapters += 1;
      title = name;
      say('');
      say(`${chapters}. ${name}`, 'strong');
      say(`   Look for: ${lookFor}`, 'faint');
      say('');
    },
    shows: (...lines) => lines.flatMap((line) => line.split('\n')).forEach((line) => say(`   ${line}`)),
    aside: (line) => say(`   ${line}`, 'faint'),
    proves(claim, holds) {
      claims.push({ chapter: title, claim, holds });
      say(holds ? `   ✓ proof: ${claim}` : `   ✗ NOT SO: ${claim}`, holds ? 'good' : 'bad');
      if (!holds)
        throw new LockkeeperError('bug', `the demo claims "${claim}" (${title}), and it is not so`, {
          hint: 'This is a defect in lockkeeper: please report it with what is above.',
        });
    },
    claims: () => claims,
  };
}
