import type { DriftReport } from '../../../shared/rotation/drift/check.ts';
import { follow, makeGround, settings, type Ground, type Setting } from './ground.ts';
import { journalWays } from './journal-ways.ts';
import { serviceWays } from './service-ways.ts';
import { hiddenByStore, storeWays } from './store-ways.ts';
import type { Way } from './way.ts';

export const ways: readonly Way[] = [...storeWays, ...serviceWays, ...journalWays];

/** One case: a setting, and one or two ways in which things differ. */
export interface Case {
  readonly setting: Setting;
  readonly ways: readonly Way[];
}

/** What went wrong in a case. */
export interface Miss {
  readonly kind: 'missed' | 'invented' | 'told' | 'not-over';
  readonly text: string;
}

/** Every way alone, in every setting in which it makes sense. */
export function singles(): readonly Case[] {
  return settings.flatMap((setting) =>
    ways.filter((way) => fits(way, setting)).map((way) => ({ setting, ways: [way] })),
  );
}

/** Every two ways that do not touch the same thing, in every setting. */
export function pairs(): readonly Case[] {
  return settings.flatMap((setting) => {
    const fitting = ways.filter((way) => fits(way, setting));
    return fitting.flatMap((one, n) =>
      fitting.slice(n + 1).flatMap((other) => (touchesSame(one, other) ? [] : [{ setting, ways: [one, other] }])),
    );
  });
}

function fits({ before, strategies, stores }: Way, setting: Setting): boolean {
  const isThen = before?.includes(setting.before) ?? true;
  const isSo = strategies?.includes(setting.strategy) ?? true;
  return isThen && isSo && (stores?.(setting.vault) ?? true);
}

function touchesSame(one: Way, other: Way): boolean {
  return one.touches.some((thing) => other.touches.includes(thing));
}

/** Makes the case, and tells every way in which the checks were wrong. */
export async function tried({ setting, ways: all }: Case): Promise<readonly Miss[]> {
  const ground = await makeGround(setting);
  const expected = all.map((way) => ({ way, ids: way.ids(ground) }));
  for (const way of all) way.apply(ground);
  const before = ground.place.told.length;
  const report = await ground.check();
  const found = report.findings.map(({ id }) => id);
  const misses = [...missed(setting, expected, found), ...invented(expected, found)];
  if (report.error) return [{ kind: 'missed', text: report.error.message }];
  return [
    ...misses,
    ...(await toldOnce(ground, report, before)),
    ...(all.length === 1 ? await overAfter(ground, all, report) : []),
  ];
}

interface Expected {
  readonly way: Way;
  readonly ids: readonly string[];
}

function missed(setting: Setting, expected: readonly Expected[], found: readonly string[]): readonly Miss[] {
  const hiddenBy = ({ way, ids }: Expected) => [
    ...(way.hides ?? []),
    ...(way.alsoHides?.(setting) ?? []),
    ...ids.flatMap((id) => hiddenByStore[id] ?? []),
  ];
  return expected.flatMap(({ way, ids }) => {
    const hidden = expected.filter((one) => one.way !== way).flatMap(hiddenBy);
    const visible = ids.filter((id) => !isOf(id, hidden));
    return visible.filter((id) => !found.includes(id)).map((id): Miss => ({ kind: 'missed', text: id }));
  });
}

function invented(expected: readonly Expected[], found: readonly string[]): readonly Miss[] {
  const known = new Set(expected.flatMap(({ ids }) => ids));
  const also = expected.length === 1 ? [] : expected.flatMap(({ way }) => way.mayAlso ?? []);
  return found.filter((id) => !known.has(id) && !isOf(id, also)).map((id) => ({ kind: 'invented', text: id }));
}

function isOf(id: string, kinds: readonly string[]): boolean {
  return kinds.some((kind) => id === kind || id.startsWith(`${kind} `) || (kind.startsWith('@') && id.endsWith(kind)));
}

/** One notice and one entry each, and nothing of it again in the check after. */
async function toldOnce(ground: Ground, report: DriftReport, before: number): Promise<readonly Miss[]> {
  const { place } = ground;
  const entries = place.log.events.filter(({ action }) => action === 'rotation.drift').length;
  const notices = place.told.length - before;
  const again = await ground.check();
  const wrong = [
    ...(notices === 1 ? [] : [`${notices} notices`]),
    ...(entries === report.findings.length ? [] : [`${entries} entries`]),
    ...(again.fresh.length === 0 ? [] : [`again: ${again.fresh.join(', ')}`]),
    ...(place.told.length - before === notices ? [] : ['told again']),
  ];
  return wrong.map((text) => ({ kind: 'told', text }));
}

/** After what the finding says was done, the same check finds nothing, and people hear that it is over. */
async function overAfter(ground: Ground, [way]: readonly Way[], report: DriftReport): Promise<readonly Miss[]> {
  if (!way || (!way.mend && !way.typed)) return [];
  way.mend?.(ground);
  const id = way.typed?.(ground);
  if (id !== undefined) await follow(ground, report.findings.find((one) => one.id === id)?.todo ?? '');
  if (id !== undefined) ground.place.world.pass(24 * 3_600_000);
  const told = ground.place.told.length;
  const after = await ground.check();
  const left = [...after.findings, ...after.open].map((one) => one.id);
  const wrong = [
    ...(left.length === 0 ? [] : [`left: ${left.join(', ')}`]),
    ...(after.over.length === report.findings.length ? [] : [`over: ${after.over.map((one) => one.id).join(', ')}`]),
    ...(ground.place.told.slice(told).some(({ text }) => text.includes('over: ')) ? [] : ['nobody heard of its end']),
  ];
  return wrong.map((text) => ({ kind: 'not-over', text }));
}

/** A case in words. */
export function caseText({ setting, ways: all }: Case): string {
  return `${setting.strategy}, ${JSON.stringify(setting.vault)}, ${setting.before}: ${all.map(({ name }) => name).join(' + ')}`;
}
