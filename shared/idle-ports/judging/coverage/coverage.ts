import type { Interface } from '../../../firewalls/contract.ts';
import { hour } from '../../../base/time.ts';
import type { Window } from '../../../usage/evidence.ts';
import { seenBy, together, type ReadLog } from './seen.ts';
import { weigh } from './weigh.ts';
import type { CoverageExpectation } from './expected.ts';
import type { IdlePolicy } from '../policy.ts';
import type { Reason } from '../../verdict.ts';

export interface Coverage {
  /** Share of the expected time that was seen, 0–1. */
  readonly share: number;
  /** What stands in the way of believing silence; empty: nothing. */
  readonly problems: readonly Reason[];
  /** True where some log would show who is refused. */
  readonly showsRejects: boolean;
}

export interface CoverageQuestion {
  readonly logs: readonly ReadLog[];
  readonly window: Window;
  readonly policy: IdlePolicy;
}

/** What the logs could have seen of one interface since the window began, or since the interface was attached. */
export function coverageOf(one: Interface, { logs, window, policy }: CoverageQuestion): Coverage {
  const here = logs.filter(({ covers }) => covers === undefined || [one.id, ...one.within].some((place) => covers.includes(place)));
  const working = here.filter(({ trouble }) => trouble === undefined);
  const fit = working.filter(({ traffic }) => traffic !== 'rejected');
  const showsRejects = working.some(({ traffic }) => traffic !== 'accepted');
  const { share, problems } = fit.length === 0 ? { share: 0, problems: [unfit(one, here)] } : shareOf(one, fit, { logs, window, policy });
  return { share, problems: [...problems, ...blindness(one)], showsRejects };
}

/** Each log alone may be enough; else all of them together must be. */
function shareOf(one: Interface, fit: readonly ReadLog[], { window, policy }: CoverageQuestion): Omit<Coverage, 'showsRejects'> {
  const from = one.attachedAt !== undefined && one.attachedAt > window.from ? one.attachedAt : window.from;
  // So young that nothing of it need have arrived.
  if (window.to - from <= policy.settleMs + hour) return { share: 1, problems: [] };
  const each = fit.map((log) => seenBy(one, log));
  const tries = (each.length > 1 ? [...each, together(each, window)] : each).map((seen) => weigh(seen, { place: one.id, span: { from, to: window.to }, policy }));
  return tries.find(({ problems }) => problems.length === 0) ?? tries.at(-1) ?? { share: 0, problems: [] };
}

function blindness({ id, blindSpot }: Interface): readonly Reason[] {
  if (blindSpot === undefined) return [];
  return [{ code: 'blind-spot', text: `Flow logs do not see all traffic of ${id}: ${blindSpot}. Ask whoever owns it; no log can settle this.` }];
}

function unfit({ id, within }: Interface, here: readonly CoverageExpectation[]): Reason {
  const failing = here.find(({ trouble }) => trouble !== undefined);
  if (failing?.trouble !== undefined) return { code: 'log-failing', text: `Flow log ${failing.name} of ${id}: ${failing.trouble}` };
  const [rejects] = here;
  if (rejects) {
    return {
      code: 'rejects-only',
      text: `Flow log ${rejects.name} of ${id} keeps rejected packets only, so use is invisible. Switch on one for all traffic.`,
    };
  }
  const where = within.at(-1) ?? id;
  return { code: 'no-flow-log', text: `No flow log covers ${id}. Switch one on for all traffic at ${where}, and judge again one window later.` };
}
