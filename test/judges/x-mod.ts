import { installed } from './installed.ts';
import { runToEnd, type Verdict } from './verdict.ts';

/**
 * The Go team's log code, over every byte of a tlog-tiles directory; `older` are files with checkpoints that must be
 * its beginnings.
 */
export async function xModDirectory(directory: string, vkey: string, older: readonly string[] = []): Promise<Verdict> {
  return await judged([directory, vkey, ...older.flatMap((file) => ['--old', file])]);
}

/** The same code, on a tlog-proof file for the bytes in `entryFile`. */
export async function xModProof(file: string, vkey: string, entryFile: string): Promise<Verdict> {
  return await judged(['proof', file, vkey, entryFile]);
}

async function judged(words: readonly string[]): Promise<Verdict> {
  const { ended, said } = await runToEnd(await installed('x-mod'), words);
  if (ended !== 0 && ended !== 1) throw new Error(`x-mod ended with ${ended}: ${said}`);
  return { isAccepted: ended === 0 && /^ok size=\d+$/.test(said), said };
}
