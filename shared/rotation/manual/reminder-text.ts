import type { Notice } from '../../approvals/contract.ts';
import { day, formatInstant, hour, type Instant } from '../../base/time.ts';
import { visible } from '../../base/visible.ts';
import { counted } from '../decisions/sessions-left.ts';
import type { ManualPlan } from './manual-plan.ts';
import { lastOf } from './places-seen.ts';
import type { Problem, ReminderRecord } from './reminder-record.ts';
import type { ValidEnd } from './reminders-due.ts';

/** `expires 2027-03-31, in 121 days` or `expired 2027-03-31, 3 days ago`. */
export function endText(plan: ManualPlan, end: ValidEnd, now: Instant): string {
  return `${now >= end.at ? 'expired' : 'expires'} ${dateOf(plan, end)}, ${distance(end.at - now)}`;
}

/** What people are told before and after the end: when, why then, and what to do. */
export function reminderNotice(
  plan: ManualPlan,
  { end, record, now }: { readonly end: ValidEnd; readonly record: ReminderRecord; readonly now: Instant },
): Notice {
  const { name, owner, renew } = plan;
  const isOver = now >= end.at;
  const text = [
    `${name} ${endText(plan, end, now)}${whyThen(plan, end)}.${isOver ? ' Consumers may be refused.' : ''}`,
    ...renewedBefore(plan, record, end),
    `Owner: ${owner}. To renew it: ${renew}`,
    `Then put the new value where consumers read it: lockkeeper secret import ${name}${plan.validUntil.by === 'date' ? ', and its new end into `expires` in the configuration' : ''}.`,
  ].join('\n');
  return { hash: undefined, level: isOver ? 'alarm' : 'warning', text };
}

/** What people are told where the places are not as they should be. */
export function problemNotice({ name, owner }: ManualPlan, { text }: Problem): Notice {
  return { hash: undefined, level: 'warning', text: `${name} (owner: ${owner}) is not in order:\n${text}` };
}

function dateOf({ validUntil }: ManualPlan, { at }: ValidEnd): string {
  return validUntil.by === 'date' ? validUntil.text : formatInstant(at);
}

function whyThen({ validUntil }: ManualPlan, { since, subject, place }: ValidEnd): string {
  const where = place && `${place.store}/${place.secret}`;
  if (validUntil.by === 'date') return validUntil.text.includes('T') ? '' : ' (the end of that day in UTC)';
  if (validUntil.by === 'certificate') return ` (the certificate of ${visible(subject ?? '')} in ${where ?? ''})`;
  return since === undefined ? '' : ` (${where ?? ''} was first seen to hold it at ${formatInstant(since)})`;
}

/** A date in the configuration may be that of the value before. */
function renewedBefore({ validUntil, stores, remindMs }: ManualPlan, record: ReminderRecord, end: ValidEnd) {
  if (validUntil.by !== 'date') return [];
  const begun = end.at - Math.max(...remindMs);
  const renewed = stores.flatMap((place) => {
    const isFirst = (record.places.find((one) => isPlace(one, place))?.versions.length ?? 0) < 2;
    const { since } = lastOf(record, place) ?? {};
    return isFirst || since === undefined || since < begun ? [] : [since];
  });
  if (renewed.length === 0) return [];
  const at = formatInstant(renewed.toSorted((a, b) => b - a)[0] ?? end.at);
  return [`A new value is there since ${at}: if it ends later, change \`expires\` in the configuration.`];
}

function isPlace(one: { readonly store: string; readonly secret: string }, other: typeof one): boolean {
  return one.store === other.store && one.secret === other.secret;
}

function distance(ms: number): string {
  const much = Math.abs(ms);
  const text = much >= day ? counted(Math.floor(much / day), 'day') : counted(Math.floor(much / hour), 'hour');
  return ms > 0 ? `in ${text}` : `${text} ago`;
}
