import { Choice } from '../hostile/seeded.ts';
import { drawHappenings, type Happening } from './events.ts';
import { longTrouble } from './long-trouble.ts';
import { quietly } from './quiet.ts';
import { drawSetting, type Setting } from './setting.ts';
import { BrokenPromise, type Broken } from './watch.ts';
import { Walk } from './walk.ts';

/** What one walk does: plain data. */
export interface WalkPlan {
  readonly setting: Setting;
  readonly happenings: readonly Happening[];
  /** Of the quiet part. */
  readonly seed: number;
}

/** How a walk went. */
export interface WalkResult {
  readonly broken: Broken | undefined;
  readonly story: readonly string[];
  readonly walk: Walk;
}

/** The walk of a seed. */
export function drawWalk(seed: number): WalkPlan {
  const choice = new Choice(seed);
  // A few steps apart, neighbouring seeds begin alike.
  for (let n = 0; n < 5; n += 1) choice.below(2);
  const setting = drawSetting(choice);
  const length = choice.of([6, 10, 15, 20, 30, 30, 50, 80, 150]);
  return { setting, happenings: drawHappenings(choice, length), seed };
}

/** Walks; the same plan goes the same way. `tells` fills the story. */
export async function goWalk(plan: WalkPlan, tells = false): Promise<WalkResult> {
  const walk = new Walk(plan.setting, tells);
  const choice = new Choice(plan.seed);
  try {
    walk.tell('at the beginning');
    if (plan.setting.adopts) await walk.adopt(0);
    for (const what of plan.happenings) await walk.happen(what);
    if (plan.seed % 8 === 0) await longTrouble(walk, (n) => choice.below(n));
    await quietly(walk, (n) => choice.below(n));
  } catch (thrown) {
    if (!(thrown instanceof BrokenPromise)) throw thrown;
    return { broken: thrown.broken, story: walk.story, walk };
  }
  return { broken: walk.broken, story: walk.story, walk };
}
