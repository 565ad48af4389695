import type { Happening, RunEvent } from './events.ts';
import { goWalk, type WalkPlan } from './one-walk.ts';
import { plainSetting, type Setting } from './setting.ts';

/** The shortest walk found that breaks the same promise; tried at most `most` times. */
export async function shrink(plan: WalkPlan, promise: string, most = 500): Promise<WalkPlan> {
  let tries = 0;
  const breaks = async (candidate: WalkPlan): Promise<boolean> => {
    tries += 1;
    if (tries > most) return false;
    try {
      return (await goWalk(candidate)).broken?.promise === promise;
    } catch {
      return false;
    }
  };
  let best = plan;
  for (let before = ''; before !== JSON.stringify(best);) {
    before = JSON.stringify(best);
    best = await fewer(best, breaks);
    best = await simpler(best, breaks);
  }
  return best;
}

type Breaks = (plan: WalkPlan) => Promise<boolean>;

/** Leaves happenings out, many at once first. */
async function fewer(plan: WalkPlan, breaks: Breaks): Promise<WalkPlan> {
  let best = plan;
  for (let size = Math.max(1, Math.floor(best.happenings.length / 2)); size >= 1; size = Math.floor(size / 2)) {
    for (let at = best.happenings.length - size; at >= 0; at -= 1) {
      const candidate = { ...best, happenings: best.happenings.toSpliced(at, size) };
      if (await breaks(candidate)) best = candidate;
    }
  }
  return best;
}

/** Makes the setting and each happening plainer, one thing at a time. */
async function simpler(plan: WalkPlan, breaks: Breaks): Promise<WalkPlan> {
  let best = plan;
  for (const setting of plainerSettings(best.setting)) {
    const candidate = { ...best, setting: { ...best.setting, ...setting } };
    if (await breaks(candidate)) best = candidate;
  }
  for (let at = 0; at < best.happenings.length; at += 1) {
    for (const plainer of plainerHappenings(best.happenings[at])) {
      const candidate = { ...best, happenings: best.happenings.with(at, plainer) };
      if (await breaks(candidate)) best = candidate;
    }
  }
  return best;
}

function plainerSettings(setting: Setting): readonly Partial<Setting>[] {
  const { fence, kind, fleet, endpoints, lockWaits, clock, skews, refreshes } = plainSetting;
  const { propagationMs, deadlines, fingerprints } = plainSetting;
  const one: readonly Partial<Setting>[] = [{ fence }, { kind }, { fleet }, { endpoints }, { lockWaits }, { clock }];
  const two: readonly Partial<Setting>[] = [
    { skews },
    { refreshes },
    { propagationMs },
    { deadlines },
    { fingerprints },
  ];
  const plainStores = setting.stores.map(() => plainSetting.stores[0]).flatMap((store) => store ?? []);
  const alternating = { strategy: 'alternating', capacity: 1, counts: false, sessionsSeen: 'exact' } as const;
  return [
    alternating,
    { stores: plainStores },
    { stores: setting.stores.slice(0, 1) },
    ...one,
    ...two,
    { adopts: false },
    { endpoints: 2 },
  ];
}

function plainerHappenings(what: Happening | undefined): readonly Happening[] {
  if (!what) return [];
  if (what.do === 'run' || what.do === 'pause') return plainerRuns(what).map((run) => ({ ...what, ...run }));
  if (what.do === 'together') {
    const one = what.runs.flatMap((run, at) =>
      plainerRuns(run).map((plain) => ({ ...what, runs: what.runs.with(at, { ...run, ...plain }) })),
    );
    return [...what.runs.map((run): Happening => ({ do: 'run', ...run })), ...one];
  }
  if (what.do === 'resume' && what.until !== undefined) return [{ do: 'resume', which: what.which }];
  if (what.do === 'pass') return [60_000, 3_600_000, 86_400_000].map((ms) => ({ do: 'pass', ms }));
  return [];
}

function plainerRuns(run: RunEvent): readonly Partial<RunEvent>[] {
  return [
    { breaks: [] },
    ...run.breaks.map((_, at) => ({ breaks: run.breaks.toSpliced(at, 1) })),
    { rotator: 0 },
    { now: false },
    { now: true },
  ];
}
