import { asLockkeeperError, LockkeeperError } from '../../shared/base/error.ts';
import { formatInstant } from '../../shared/base/time.ts';
import { signReview, standing, type ReviewDeps, type Signing } from '../../shared/rotation/reviews/review-signing.ts';
import { asLogged, counting, said, signedBy, unlogged, waitsFor } from '../../shared/rotation/reviews/review-people.ts';
import { readReview, reviewed, type Review } from '../../shared/rotation/reviews/review.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';

/** What wire.ts provides to `review`. */
export interface ReviewVerbDeps extends ReviewDeps {
  /** Who sits at this terminal, as the configuration names people; undefined where it cannot be known. */
  readonly whoami: string | undefined;
}

export interface SignOptions {
  /** Who signs; `--as NAME`. Defaults to whoami. */
  readonly as?: string | undefined;
  readonly reason?: string | undefined;
}

/** One review as it stands. */
interface Listed {
  readonly review: Review;
  /** Whose signatures count: the log has them. */
  readonly signed: readonly string[];
  /** Names in the review that the log lacks. */
  readonly unlogged: readonly string[];
}

/** `lockkeeper review list [--all]`: emergencies whose review is open, oldest first; with --all also those that are closed. Exit code 1 where one cannot be read. */
export async function reviewListVerb(
  options: { readonly all?: boolean },
  deps: ReviewVerbDeps,
  terminal: Terminal,
): Promise<ExitCode> {
  const { found, problems } = await allReviews(deps);
  const shown = found.filter((one) => (options.all ?? false) || isOpen(one));
  if (terminal.json) terminal.out(JSON.stringify({ reviews: shown.map((one) => plainOf(one, deps)), problems }));
  else if (shown.length === 0 && problems.length === 0)
    terminal.out(options.all ? 'There was no emergency yet, so there is no review.' : 'No review is open.');
  else for (const one of shown) for (const line of linesOf(one, deps)) terminal.out(line);
  if (!terminal.json) for (const text of problems) terminal.err(`warning: ${text}`);
  return problems.length > 0 ? exitCode.failed : exitCode.done;
}

/** `lockkeeper review sign ROTATION [--as NAME] [--reason TEXT]`. Exit code 3 where the person may not. Repeatable. */
export async function reviewSignVerb(
  rotation: string,
  options: SignOptions,
  deps: ReviewVerbDeps,
  terminal: Terminal,
): Promise<ExitCode> {
  const who = options.as ?? deps.whoami;
  if (who === undefined || who === '')
    throw new LockkeeperError('invalid', 'it is not known who signs', {
      hint: 'Say so: --as NAME, one of the approvers in the configuration.',
    });
  const signing = await signReview(deps, { rotation, who, why: options.reason ?? '' });
  print({ ...signing, who }, deps, terminal);
  if (signing.refused === 'not-asked' && options.as === undefined && !terminal.json)
    terminal.err(`Say who you are: lockkeeper review sign ${rotation} --as NAME`);
  return signing.outcome === 'refused' ? exitCode.denied : exitCode.done;
}

function print(signing: Signing & { readonly who: string }, deps: ReviewVerbDeps, terminal: Terminal): void {
  const { review, signed, outcome, refused, text, who } = signing;
  const listed = { review, signed, unlogged: [] };
  if (terminal.json)
    terminal.out(JSON.stringify({ ...plainOf(listed, deps), who, outcome, why: refused ?? null, text }));
  else if (outcome === 'refused') terminal.err(`Not signed: ${text}. The review: ${standing(deps, review, signed)}.`);
  else terminal.out(`${text}.`);
}

/** One that cannot be read keeps no other from being shown. */
async function allReviews(deps: ReviewVerbDeps) {
  const found: Listed[] = [];
  const problems: string[] = [];
  for (const rotation of await reviewed(deps.state)) {
    try {
      const stored = (await readReview(deps.state, rotation)).review;
      const entries = await said(deps, stored);
      const review = asLogged(stored, entries);
      const logged = signedBy(entries, review);
      found.push({ review, signed: counting(logged, review), unlogged: unlogged(review, logged) });
    } catch (thrown) {
      const { code, message, hint } = asLockkeeperError(thrown);
      if (code === 'bug') throw thrown;
      problems.push(hint === undefined ? message : `${message}. ${hint}`);
    }
  }
  return { found: found.toSorted((a, b) => a.review.opened - b.review.opened), problems };
}

function isOpen({ review, signed }: Listed): boolean {
  return signed.length < review.needed;
}

function linesOf(one: Listed, deps: ReviewVerbDeps): readonly string[] {
  const { review, signed } = one;
  const { credential, rotation, reason, actors, opened } = review;
  const signatures = review.signatures.filter(({ who }) => signed.includes(who));
  return [
    `${rotation}: emergency rotation of ${credential}, ordered by ${actors.join(', ')}, review opened ${formatInstant(opened)}`,
    `  reason: ${reason}`,
    ...signatures.map(({ who, at, why }) => `  signed: ${who} at ${formatInstant(at)}${why === '' ? '' : `: ${why}`}`),
    ...one.unlogged.map((who) => `  not counted: ${who}, whose signature is in the state store and not in the log`),
    `  ${standing(deps, review, signed)}`,
    ...(isOpen(one)
      ? [
          `  what happened: lockkeeper audit show --correlation ${rotation}`,
          `  to sign: lockkeeper review sign ${rotation}`,
        ]
      : []),
  ];
}

function plainOf(one: Listed, deps: ReviewVerbDeps) {
  const { credential, rotation, reason, actors, opened, needed, signatures } = one.review;
  return {
    rotation,
    credential,
    reason,
    orderedBy: actors,
    opened: formatInstant(opened),
    open: isOpen(one),
    needed,
    signed: one.signed,
    signatures: signatures.map(({ who, at, why }) => ({
      who,
      at: formatInstant(at),
      why,
      counts: one.signed.includes(who),
    })),
    maySign: isOpen(one) ? waitsFor(one.review, deps.approvers(credential), one.signed) : [],
  };
}
