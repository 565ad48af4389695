import { toldText } from '../../audit/entries/withhold.ts';
import { LockkeeperError } from '../../base/error.ts';
import { day, type Instant } from '../../base/time.ts';
import type { SecretVersion } from '../../secrets/contract.ts';
import { isAt } from '../decisions/seen.ts';
import { storeOf } from '../effects/under-way.ts';
import { firstToEnd } from '../forms/certificates.ts';
import { readOrNothing } from '../forms/proven.ts';
import type { PlannedCopy } from '../plan.ts';
import type { ManualPlan, ReminderDeps } from './manual-plan.ts';
import type { PlaceRecord, Problem, ReminderRecord, VersionRecord } from './reminder-record.ts';

/** What one place hands out now. */
export interface PlaceSeen {
  readonly place: PlannedCopy;
  /** Undefined where it holds nothing, or cannot be read. */
  readonly current: SecretVersion | undefined;
  /** It is another version than the recorded one, with the same text: nobody renewed anything. */
  readonly isSameText: boolean;
  readonly trouble: LockkeeperError | undefined;
}

/** Reads every place of the plan. One that cannot be read keeps no other from being read. */
export async function lookAtPlaces(deps: ReminderDeps, record: ReminderRecord): Promise<readonly PlaceSeen[]> {
  return await Promise.all(
    deps.plan.stores.map(async (place): Promise<PlaceSeen> => {
      const last = lastOf(record, place)?.id;
      try {
        const { current, asked } = await storeOf(deps, place.store).read(
          place.secret,
          last === undefined ? [] : [last],
        );
        const before = asked.find(({ id }) => id === last);
        const isSameText = current !== undefined && before !== undefined && before.value.equals(current.value);
        return { place, current, isSameText, trouble: undefined };
      } catch (trouble) {
        if (!(trouble instanceof LockkeeperError)) throw trouble;
        return { place, current: undefined, isSameText: false, trouble };
      }
    }),
  );
}

/** What the record says was current at a place last. */
export function lastOf({ places }: ReminderRecord, place: PlannedCopy): VersionRecord | undefined {
  return places.find((one) => isAt(one, place))?.versions.at(-1);
}

/**
 * The record after a look. A version that was not there before begins now, and one that came back goes on. A place that
 * cannot be read or holds nothing stays as it was; one that left the plan is forgotten. Pure.
 */
export function observed(
  record: ReminderRecord,
  plan: ManualPlan,
  { seen, now }: { readonly seen: readonly PlaceSeen[]; readonly now: Instant },
): ReminderRecord {
  const places = seen.map((one) => placeAfter(record, one, now));
  return { ...record, places, problem: problemAfter(record.problem, problemsIn(plan, seen), now) };
}

function placeAfter(record: ReminderRecord, { place, current, isSameText }: PlaceSeen, now: Instant): PlaceRecord {
  const { store, secret } = place;
  const versions = record.places.find((one) => isAt(one, place))?.versions ?? [];
  if (!current) return { store, secret, versions };
  const known = versions.find(({ id }) => id === current.id) ?? (isSameText ? versions.at(-1) : undefined);
  // A beginning more than a day from now was written by a clock that was wrong.
  const since = known && known.since - now <= day ? known.since : now;
  const certificate = firstToEnd(current.value);
  const told = certificate ? { at: certificate.at, subject: toldText(certificate.subject) } : null;
  const others = versions.filter(({ id }) => id !== current.id);
  return { store, secret, versions: [...others, { id: current.id, since, certificate: told }].slice(-5) };
}

function problemAfter(last: Problem | null, texts: readonly string[], now: Instant): Problem | null {
  if (texts.length === 0) return null;
  const { since = now, told = 0, toldAt = null } = last ?? {};
  return { text: texts.join('\n'), since: since - now > day ? now : since, told, toldAt };
}

/** Everything that is wrong with the places, each with what to do. Pure. */
export function problemsIn(plan: ManualPlan, seen: readonly PlaceSeen[]): readonly string[] {
  const found = seen.flatMap((one) => problemOf(plan, one));
  const values = seen.flatMap((one) => (one.current ? [{ name: nameOf(one), ...valueIn(plan, one) }] : []));
  const [first, ...others] = values;
  const strays = others.filter((one) => first && isOther(one, first)).map(({ name }) => name);
  if (!first || strays.length === 0) return found;
  return [
    ...found,
    `${strays.join(', ')} does not hold the same value as ${first.name}. Put the newest into all of them.`,
  ];
}

function problemOf({ validUntil, name }: ManualPlan, seen: PlaceSeen): readonly string[] {
  const { current, trouble } = seen;
  if (trouble) return [`${nameOf(seen)} cannot be read: ${toldText(trouble.message)}`];
  if (!current) return [`${nameOf(seen)} holds nothing. Put the value there: lockkeeper secret import ${name}`];
  if (validUntil.by !== 'certificate' || firstToEnd(current.value)) return [];
  return [`${nameOf(seen)} holds no certificate, so nobody knows when it ends. Say \`expires\` or \`lifetime\`.`];
}

/** The value alone, where the form tells it, else the whole text. */
function valueIn({ name }: ManualPlan, { place, current }: PlaceSeen) {
  const text = current?.value;
  const value = text && readOrNothing(place.form, text, { slot: name })?.value;
  return { value: value ?? text, form: value ? 'a value' : place.form.name };
}

/** Of texts in two forms of which one tells no value, nobody knows. */
function isOther(one: ReturnType<typeof valueIn>, other: ReturnType<typeof valueIn>): boolean {
  if (!one.value || !other.value || one.form !== other.form) return false;
  return !one.value.equals(other.value);
}

function nameOf({ place }: PlaceSeen): string {
  return `${place.store}/${place.secret}`;
}
