import { after, dayOf, formatInstant, hour, instant } from '../../../base/time.ts';
import type { Window } from '../../../usage/evidence.ts';
import { hoursOf, type Seen } from './seen.ts';
import type { IdlePolicy } from '../policy.ts';
import type { Reason } from '../../verdict.ts';

/** A log with rows in so many hours of a usual day says "no traffic" too, and is measured in hours; else in days. */
const hoursOfAFullDay = 22;
const dayMs = 24 * hour;

export interface Measure {
  /** Id of the interface. */
  readonly place: string;
  readonly span: Window;
  readonly policy: IdlePolicy;
}

/** Whether what was seen of an interface is enough to believe in silence. */
export function weigh(seen: Seen, measure: Measure): { readonly share: number; readonly problems: readonly Reason[] } {
  const { span, policy, place } = measure;
  if (seen.days.size === 0) return { share: 0, problems: [unseen(seen, measure)] };
  const days = wholeDays(span);
  const missing = days.filter((day) => !seen.days.has(day));
  const inDays = days.length === 0 ? 1 : (days.length - missing.length) / days.length;
  const inHours = Math.min(1, seen.hours / hoursOf(span));
  const share = Math.max(0, (seen.hoursADay >= hoursOfAFullDay ? inHours : inDays) - seen.malformed / hoursOf(span));
  const problems = [
    young(seen, measure),
    lost(seen, measure),
    unreadable(seen, place),
    endsEarly(seen, measure, missing),
    missingDays(seen, measure, missing),
  ].filter((problem) => problem !== undefined);
  if (problems.length > 0 || share >= policy.minCoverage) return { share, problems };
  const cause = seen.malformed > 0 ? damaged(seen, { place, share, policy }) : thin({ place, share, policy });
  return { share, problems: [cause] };
}

/** UTC days that lie in the span from their beginning to their end, as YYYY-MM-DD. */
function wholeDays({ from, to }: Window): readonly string[] {
  const first = Math.ceil(from / dayMs);
  const count = Math.max(0, Math.floor(to / dayMs) - first);
  return Array.from({ length: count }, (_, index) => dayOf(instant((first + index) * dayMs)));
}

function unseen(seen: Seen, measure: Measure): Reason {
  const { place } = measure;
  return (
    young(seen, measure) ?? {
      code: 'no-rows',
      text: `The flow log that covers ${place} has no row of it in the window, which is not the same as no traffic. Check that its objects are delivered and complete.`,
    }
  );
}

function young({ createdAt }: Seen, { place, span }: Measure): Reason | undefined {
  if (createdAt === undefined || createdAt <= after(span.from, hour)) return undefined;
  const until = formatInstant(after(createdAt, span.to - span.from));
  return { code: 'log-young', text: `The flow log of ${place} began ${formatInstant(createdAt)}, inside the window. Judge again after ${until}, or with a shorter --window.` };
}

function lost({ lostHours }: Seen, { place, policy }: Measure): Reason | undefined {
  if (lostHours <= policy.toleratedLostHours) return undefined;
  return {
    code: 'records-lost',
    text: `The cloud lost records of ${place} (SKIPDATA) in ${lostHours} hours of the window. Judge a window without such hours, or raise toleratedLostHours.`,
  };
}

function unreadable({ unreadable: keys }: Seen, place: string): Reason | undefined {
  const [first] = keys;
  if (first === undefined) return undefined;
  const more = keys.length > 1 ? ` and ${keys.length - 1} more` : '';
  return { code: 'damaged-log', text: `Log object ${first}${more} could not be read, and may hold packets of ${place}. Fetch it again.` };
}

function endsEarly({ lastSeen, hoursADay }: Seen, { place, span, policy }: Measure, missing: readonly string[]): Reason | undefined {
  if (lastSeen === undefined) return undefined;
  const isLate = hoursADay >= hoursOfAFullDay ? span.to - lastSeen > policy.settleMs + hour : missing.some((day) => day > dayOf(lastSeen));
  if (!isLate) return undefined;
  const end = formatInstant(lastSeen);
  return { code: 'log-ends-early', text: `The log of ${place} ends ${end}, before ${formatInstant(span.to)}. Fetch the rest, or judge with --as-of ${end}.` };
}

function missingDays({ createdAt, lastSeen }: Seen, { place }: Measure, missing: readonly string[]): Reason | undefined {
  const open = missing.filter((day) => (createdAt === undefined || day > dayOf(createdAt)) && (lastSeen === undefined || day <= dayOf(lastSeen)));
  if (open.length === 0) return undefined;
  const named = open.length > 3 ? `${open.slice(0, 3).join(', ')} and ${open.length - 3} more` : open.join(', ');
  return { code: 'missing-days', text: `The log has no row of ${place} on ${named}. Fetch those days, or judge a window without them.` };
}

interface Shortfall {
  readonly place: string;
  readonly share: number;
  readonly policy: IdlePolicy;
}

function damaged({ malformed }: Seen, { place, share, policy }: Shortfall): Reason {
  return {
    code: 'damaged-log',
    text: `${malformed} log objects have rows that cannot be read, so ${place} was seen ${percent(share)} of the time; ${percent(policy.minCoverage)} is needed. Fetch them again.`,
  };
}

function thin({ place, share, policy }: Shortfall): Reason {
  return {
    code: 'missing-hours',
    text: `The log saw ${place} ${percent(share)} of the time; ${percent(policy.minCoverage)} is needed. Fetch the missing hours, or judge a window without them.`,
  };
}

/** A share in percent, rounded down, so that 0.9899 never reads as the 99 % that it missed. */
function percent(share: number): string {
  return `${Math.floor(share * 1000) / 10} %`;
}
