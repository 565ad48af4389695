import { LockkeeperError } from '../../shared/base/error.ts';
import { ClosureJournal, type HeldClosure } from '../../shared/idle-ports/closing/closure-journal.ts';
import { reopen } from '../../shared/idle-ports/closing/reopen.ts';
import { personOf, type AnswerOptions, type AnswerDeps } from './answer.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';

/**
 * `lockkeeper reopen OPENING|HASH --reason WHY [--as NAME]`: puts a closed opening back exactly as it was. Takes the
 * opening's id, or at least 6 digits of the hash. Repeatable.
 */
export async function reopenVerb(
  openingOrHash: string,
  options: AnswerOptions,
  deps: AnswerDeps,
  terminal: Terminal,
): Promise<ExitCode> {
  const who = personOf(options, deps);
  const held = await closureOf(openingOrHash, deps);
  const { opening, hash, outcome, text } = await reopen(deps.closing, held, { who, why: options.reason ?? '' });
  if (terminal.json) terminal.out(JSON.stringify({ hash, opening, answer: 'reopen', who, outcome, text }));
  else terminal.out(`${text}.`);
  return exitCode.done;
}

/** An opening's id wins over a hash that begins so; several firewalls may have an opening of one id. */
async function closureOf(openingOrHash: string, { closing }: AnswerDeps): Promise<HeldClosure> {
  const journal = new ClosureJournal(closing.state);
  const [held, ...more] = (await journal.all()).filter(({ closure }) => closure.opening === openingOrHash);
  if (held && more.length === 0) return held;
  if (held) {
    const hashes = [held, ...more].map(({ closure }) => `${closure.hash.slice(0, 12)} in ${closure.firewall}`);
    throw new LockkeeperError('invalid', `several firewalls have an opening ${openingOrHash}`, {
      hint: `Give the hash: ${hashes.join(', ')}.`,
    });
  }
  if (/^[0-9a-f]{6,64}$/.test(openingOrHash)) return journal.find(openingOrHash);
  throw new LockkeeperError('not-found', `nobody was ever asked about an opening ${openingOrHash}`, {
    hint: 'Give the id of a closed opening, or at least 6 digits of its hash.',
  });
}
