import pc from 'picocolors';
import { LockkeeperError } from '../../../shared/base/error.ts';
import type { Terminal } from '../../cli/io.ts';

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
  const say = (line: string): void => {
    if (terminal.signal.aborted) return;
    if (terminal.json) terminal.err(line);
    else terminal.out(line);
  };
  const claims: Claim[] = [];
  let chapters = 0;
  let title = '';
  return {
    chapter(name, lookFor) {
      chapters += 1;
      title = name;
      say('');
      say(pc.bold(`${chapters}. ${name}`));
      say(pc.dim(`   Look for: ${lookFor}`));
      say('');
    },
    shows: (...lines) => lines.flatMap((line) => line.split('\n')).forEach((line) => say(`   ${line}`)),
    aside: (line) => say(pc.dim(`   ${line}`)),
    proves(claim, holds) {
      claims.push({ chapter: title, claim, holds });
      say(holds ? `   ${pc.green('✓ proof:')} ${claim}` : `   ${pc.red('✗ NOT SO:')} ${claim}`);
      if (!holds)
        throw new LockkeeperError('bug', `the demo claims "${claim}" (${title}), and it is not so`, {
          hint: 'This is a defect in lockkeeper: please report it with what is above.',
        });
    },
    claims: () => claims,
  };
}
