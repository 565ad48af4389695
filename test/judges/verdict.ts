import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import { second } from '../../shared/base/time.ts';

/** What a judge answered. */
export interface Verdict {
  readonly isAccepted: boolean;
  /** Its own words; where it refuses, why. */
  readonly said: string;
}

/** How a program ended that was given everything at its start. */
export interface Run {
  /** Exit code, or the signal that ended it; SIGKILL where it was late. */
  readonly ended: number | string;
  readonly said: string;
}

const longestMs = 30 * second;

/**
 * Runs a verifier to its end, or kills it after 30 s: a judge that hangs has not accepted. `input` is its standard
 * input.
 */
export async function runToEnd(program: string, words: readonly string[], input = ''): Promise<Run> {
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'pipe'] });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => void said.push(part));
  // One that ends before it has read all of its input says why itself.
  child.stdin.on('error', () => undefined).end(input);
  const limit = setTimeout(() => child.kill('SIGKILL'), longestMs);
  const ended = await new Promise<number | string>((resolve, reject) => {
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'no code'));
    child.on('error', (cause) => reject(new Error(`${basename(program)} did not start`, { cause })));
  });
  clearTimeout(limit);
  return { ended, said: said.join('').trim() };
}
