import { after, type Instant } from '../../base/time.ts';
import { beforeLooking } from '../decisions/decide.ts';
import { isEmergency } from '../decisions/trouble.ts';
import type { RotateRequest } from '../effects/under-way.ts';
import type { Journal } from '../journal/journal.ts';
import type { CredentialPlan } from '../plan.ts';

/** A credential of a run over many, as its journal stands when the run begins. */
export interface Standing {
  readonly name: string;
  /**
   * `unread`: its journal could not be read, so its own run has to find out. `under-way` is also one that goes on with
   * what was ordered or begun; `due` one that would begin now; `resting` one that nothing is to be done for now.
   */
  readonly kind: 'emergency' | 'unread' | 'under-way' | 'due' | 'resting';
  /** Since when it is due or under way; after all times where it was never tried. */
  readonly since: number;
  /** The last rotation that began. */
  readonly rotation: string | undefined;
}

/** Where a credential stands; `journal` is undefined where there is none, and `unread` where nobody knows. Pure. */
export function standingOf(
  journal: Journal | 'unread' | undefined,
  asked: { readonly plan: CredentialPlan; readonly now: Instant; readonly request: RotateRequest },
): Standing {
  const { plan, now, request } = asked;
  const known = journal === 'unread' ? undefined : journal;
  const isUrgent = request.leaked !== undefined || (known !== undefined && isEmergency(known));
  const base = { name: plan.name, since: sinceOf(known, plan), rotation: known?.rotation };
  if (isUrgent) return { ...base, kind: 'emergency' };
  if (journal === 'unread') return { ...base, kind: 'unread' };
  if (journal && journal.phase !== 'done') return { ...base, kind: 'under-way' };
  const rests = beforeLooking(journal, { plan, now, force: request.now === true, isMute: true });
  return { ...base, kind: rests ? 'resting' : 'due' };
}

function sinceOf(journal: Journal | undefined, { everyMs }: CredentialPlan): number {
  if (!journal?.adopted) return Number.MAX_SAFE_INTEGER;
  return journal.finishedAt === null ? journal.startedAt : after(journal.finishedAt, everyMs);
}

const ranks: Readonly<Record<Standing['kind'], number>> = {
  emergency: 0,
  unread: 1,
  'under-way': 1,
  due: 2,
  resting: 3,
};

/**
 * The order of a run: emergencies first, in every run. Then those that this round has not reached yet, and at last those
 * that it has; each of them: under way, due the longest ago, never tried, and what rests. Pure.
 */
export function inOrder(all: readonly Standing[], reached: ReadonlySet<string>): readonly Standing[] {
  const turn = ({ kind, name }: Standing) => (kind === 'emergency' ? -1 : Number(reached.has(name)));
  return all.toSorted(
    (one, other) =>
      turn(one) - turn(other) ||
      ranks[one.kind] - ranks[other.kind] ||
      one.since - other.since ||
      (one.name < other.name ? -1 : 1),
  );
}
