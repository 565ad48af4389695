import type { Notice } from '../../approvals/contract.ts';
import { acknowledged, audited } from '../../audit/audited.ts';
import { toldText } from '../../audit/entries/withhold.ts';
import type { AuditEvent, AuditLog } from '../../audit/entry.ts';
import { canonicalJson } from '../../base/canonical.ts';
import { hasCode, LockkeeperError } from '../../base/error.ts';
import { formatInstant } from '../../base/time.ts';
import type { World } from '../../base/world.ts';
import type { ObjectStore } from '../../objects/contract.ts';
import { readReview, writeReview, type HeldReview, type Review } from './review.ts';
import {
  asLogged,
  counting,
  mayNotSign,
  said,
  signedBy,
  waitsFor,
  type Refused,
  type SignatureLog,
} from './review-people.ts';

/** What signing needs from the world; a host fills it. */
export interface ReviewDeps {
  readonly state: ObjectStore;
  readonly audit: AuditLog;
  readonly world: World;
  /** The entries of rotations in the same log: who signed is read there, not in the state store. */
  readonly said: SignatureLog;
  /** Who may decide about the service with this credential. */
  readonly approvers: (credential: string) => readonly string[];
  readonly notify: (notice: Notice) => Promise<void>;
  /** The account at the terminal through which people speak here, user@host; undefined where each proves who he is. */
  readonly account?: string | undefined;
}

/** What became of one signature. */
export interface Signing {
  /** `already`: the same person had signed before. */
  readonly outcome: 'counted' | 'already' | 'refused';
  readonly refused: Refused | undefined;
  /** One sentence for people. */
  readonly text: string;
  readonly review: Review;
  /** Whose signatures count now. */
  readonly signed: readonly string[];
}

/** What one person says at a terminal. */
export interface Signer {
  readonly rotation: string;
  readonly who: string;
  readonly why: string;
}

/** So many may sign at once before one has to sign again. */
const mostAttempts = 10;

/**
 * Signs the review of an emergency rotation for one person. The log has it before it takes effect; signing twice counts
 * once, and is told to the log again. Whoever signs as the last of those who are needed closes it, and people are told.
 * `not-found` where there is no such review; throws what the stores and the log throw.
 */
export async function signReview(deps: ReviewDeps, signer: Signer): Promise<Signing> {
  for (let attempt = 1; ; attempt += 1) {
    const held = await readReview(deps.state, signer.rotation);
    try {
      return await signOnce(deps, held, signer);
    } catch (thrown) {
      if (!hasCode(thrown, 'conflict') || attempt === mostAttempts) throw thrown;
    }
  }
}

async function signOnce(deps: ReviewDeps, held: HeldReview, signer: Signer): Promise<Signing> {
  const logged = await said(deps, held.review);
  const review = asLogged(held.review, logged);
  const ruling = mayNotSign(signer.who, review, deps.approvers(review.credential));
  if ('refused' in ruling) return await refuse(deps, { review, logged }, { ...signer, ...ruling });
  const { who } = ruling;
  const { next, before, signed } = withSignature(deps, { review, logged }, { ...signer, who });
  const isNews = canonicalJson(next) !== canonicalJson(held.review);
  let kept = held;
  const effect = {
    event: () => eventOf(deps, review, { who, why: signer.why }),
    act: async () => {
      if (isNews) kept = await writeReview(deps.state, held, next);
    },
    told: () => ({ signatures: signed.length, closed: next.closed !== null }),
  };
  await audited(deps.audit, effect);
  await tellClosed(deps, kept, signed);
  const outcome = before.includes(who) ? 'already' : 'counted';
  const what = outcome === 'already' ? 'had signed it before' : `signed the review of ${nameOf(review)}`;
  const text = `${who} ${what}: ${standing(deps, next, signed)}`;
  return { outcome, refused: undefined, text, review: next, signed };
}

/** A review as the log knows it, and what the log has about it. */
interface LoggedReview {
  readonly review: Review;
  readonly logged: Awaited<ReturnType<typeof said>>;
}

/** The review as it is once this person signed; whose signatures counted before it, and whose count with it. */
function withSignature(deps: ReviewDeps, { review, logged }: LoggedReview, { who, why }: Signer) {
  const now = deps.world.now();
  const before = counting(signedBy(logged, review), review);
  const signed = counting([...before, who], review);
  const signatures = review.signatures.some((one) => one.who === who)
    ? review.signatures
    : [...review.signatures, { who, at: now, why: toldText(why) }];
  const isClosed = signed.length >= review.needed;
  const wasClosed = before.length >= review.needed && review.closed !== null;
  const closed = isClosed ? (wasClosed ? review.closed : now) : null;
  return { next: { ...review, signatures, closed, told: wasClosed && review.told }, before, signed };
}

/** How far a review is, for people. */
export function standing(
  { approvers }: Pick<ReviewDeps, 'approvers'>,
  review: Review,
  signed: readonly string[],
): string {
  if (signed.length >= review.needed) return `it is closed, ${signed.join(', ')} signed it`;
  const counts = `it has ${signed.length} of ${review.needed} signatures`;
  const waits = waitsFor(review, approvers(review.credential), signed);
  if (signed.length + waits.length >= review.needed) return `${counts}; ${waits.join(', ')} may sign`;
  const who = waits.length === 0 ? 'nobody else may sign' : `only ${waits.join(', ')} may sign`;
  return `${counts}; ${who}: add somebody who did not order it to \`approvers\` in the configuration`;
}

/** A crash or a messenger that is down leaves it untold; whoever signs again tells. */
async function tellClosed(deps: ReviewDeps, held: HeldReview, signed: readonly string[]): Promise<void> {
  const { review } = held;
  if (review.closed === null || review.told) return;
  const text = `The review of the emergency rotation ${nameOf(review)} is closed: ${signed.join(', ')} signed it.`;
  try {
    await deps.notify({ hash: undefined, level: 'info', text });
    await writeReview(deps.state, held, { ...review, told: true });
  } catch (thrown) {
    // The signature is durable. Who wrote meanwhile tells too.
    if (!(thrown instanceof LockkeeperError)) throw thrown;
  }
}

/** Who tried to sign and may not is in the log too. It was never begun, so there is no intent. */
async function refuse(
  deps: ReviewDeps,
  { review, logged }: LoggedReview,
  { who, why, refused, text }: Signer & { readonly refused: Refused; readonly text: string },
): Promise<Signing> {
  const { details, ...event } = eventOf(deps, review, { who, why });
  await acknowledged(deps.audit, { ...event, details: { ...details, text }, stage: 'outcome', result: 'refused' });
  const signed = counting(signedBy(logged, review), review);
  return { outcome: 'refused', refused, text, review, signed };
}

/** What was signed is in the entry: that the state store showed another reason or other names would show there. */
function eventOf(
  { account }: ReviewDeps,
  review: Review,
  { who, why }: Pick<Signer, 'who' | 'why'>,
): Omit<AuditEvent, 'stage' | 'result'> {
  const { credential, rotation, reason, actors, opened, needed } = review;
  const reviewing = {
    reason: toldText(reason),
    orderedBy: actors.map(toldText),
    opened: formatInstant(opened),
    needed,
  };
  return {
    action: 'rotation.review-sign',
    subject: { kind: 'credential', id: credential },
    actor: who,
    correlation: rotation,
    details: { ...reviewing, why: why === '' ? undefined : toldText(why), account },
  };
}

function nameOf({ rotation, credential }: Review): string {
  return `${rotation} of ${credential}`;
}
