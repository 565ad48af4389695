import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { Writable } from 'node:stream';
import { LockkeeperError } from '../../shared/base/error.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { systemCode } from '../local/system-code.ts';

/** Where a value comes from; this process's stdin, or a test's own. */
export type ValueInput = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/** How it is asked for at a terminal. */
export interface ValuePrompt {
  readonly text: string;
  /** Writes to the screen. */
  readonly show: (text: string) => void;
  /** Called for Ctrl-C, which reaches nobody else while a person types unseen. */
  readonly interrupt: () => void;
  /** Aborted: stop asking, by throwing its reason. */
  readonly signal: AbortSignal;
}

/**
 * One value: a line that a person types at a terminal and nobody sees, else everything that comes, without one line end
 * after it. `invalid` where nothing came, or what came is no UTF-8: it would be another value.
 */
export async function readValue(input: ValueInput, prompt: ValuePrompt): Promise<Sealed> {
  const value = input.isTTY === true ? await typed(input, prompt) : decoded(await buffer(input));
  if (value !== '') return new Sealed(value);
  throw new LockkeeperError('invalid', 'no value came', { hint: 'Type it when asked, or pipe it: … < FILE' });
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch (thrown) {
    if (systemCode(thrown) !== 'ERR_ENCODING_INVALID_ENCODED_DATA') throw thrown;
    throw new LockkeeperError('invalid', 'what came on stdin is no UTF-8 text', {
      hint: 'Convert it first: iconv -t utf-8',
    });
  }
}

/** The editor of lines writes what is typed to its output, which here goes nowhere. */
async function typed(input: ValueInput, { text, show, interrupt, signal }: ValuePrompt): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  show(text);
  const editor = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  try {
    const line = await new Promise<string>((resolve) => {
      editor.once('line', resolve).once('close', () => resolve(''));
      editor.once('SIGINT', interrupt);
      signal.addEventListener('abort', () => resolve(''), { once: true });
    });
    signal.throwIfAborted();
    return line;
  } finally {
    editor.close();
    show('\n');
  }
}
