import { day, hour, minute } from '../../../shared/base/time.ts';
import type { RotationReport } from '../../../shared/rotation/run.ts';
import { secret } from './ground.ts';
import { heal, repair } from './hands.ts';
import { BrokenPromise } from './watch.ts';
import type { Walk } from './walk.ts';

const terminal: ReadonlySet<string> = new Set(['done', 'reverted', 'idle']);

/**
 * After the random part: nothing fails any more, nobody touches anything, and simply running again ends what is under
 * way, or a person was told. Then one whole rotation, of which everything must hold.
 */
export async function quietly(walk: Walk, choice: (n: number) => number): Promise<void> {
  await walk.resumeAll();
  heal(walk.ground, walk.watch);
  walk.watch.isWeak = false;
  walk.tell('everything is well again');
  // No rotation can begin where values are not counted, or one cannot stand beside another.
  const { strategy, capacity, counts } = walk.ground.setting;
  if (strategy === 'additive' && (capacity === 1 || !counts)) return;
  const first = await untilRest(walk, choice);
  if (first.startsWith('done') || first.startsWith('reverted')) checkEnd(walk, first);
  walk.ground.now = walk.ground.world(31 * day, 0).now();
  walk.watch.byOthers();
  walk.tell('a month passes');
  const second = await untilRest(walk, choice, { begins: true });
  if (second.startsWith('idle')) throw new BrokenPromise('never begins', 'the rotation that was due did not begin');
  checkEnd(walk, second, true);
  searchForValues(walk);
}

interface Ending {
  /** The credential is due, or a person asks for it. */
  readonly begins?: boolean;
}

/** Runs again and again, letting the time pass that reports ask for. */
async function untilRest(walk: Walk, choice: (n: number) => number, { begins }: Ending = {}): Promise<string> {
  const { ground, watch } = walk;
  // Where it never was adopted nothing begins unless a person asks for it.
  const isForeign = () => begins === true && ground.journal()?.adopted !== true;
  let now = isForeign();
  let asked = 0;
  let repairs = 0;
  let overruled = '';
  for (let runs = 0; runs < 70; runs += 1) {
    const toldBefore = ground.told.length;
    const { report } = await walk.run({ rotator: choice(ground.setting.skews.length), now, breaks: [] });
    if (!report) throw new BrokenPromise('quiet', 'a quiet run was killed');
    const isUnfinished = ground.journal()?.phase !== 'done' && ground.journal() !== undefined;
    if (terminal.has(report.outcome) && !(report.outcome === 'idle' && (begins === true || isUnfinished)))
      return `${report.outcome}${overruled}`;
    if (report.outcome === 'idle') throw new BrokenPromise('never begins', report.text);
    const isBlocked = report.outcome === 'blocked';
    if (isBlocked) checkTold(walk, report, { toldBefore, now });
    if (isBlocked && /hands out|somebody else/.test(report.text)) overruled = ', a store overruled';
    now = isForeign() || (isBlocked && !now);
    if (isBlocked && now) asked += 1;
    if (isBlocked && asked > 3) {
      repairs += 1;
      if (repairs > 3) throw new BrokenPromise('no way out', report.text);
      asked = 0;
      repair(ground, watch);
      walk.tell('a person sets one new login at the service and in every store');
      now = true;
    }
    pass(walk, report);
  }
  throw new BrokenPromise('no end', `${ground.journal()?.phase ?? 'no journal'} after 70 quiet runs`);
}

function pass(walk: Walk, report: RotationReport): void {
  const { ground } = walk;
  // The report is by the clock of its rotator: at least a minute passes, whatever that clock says.
  const mostSkew = Math.max(...ground.setting.skews.map((skew) => Math.abs(skew)));
  const ms = report.until === undefined ? hour : Math.max(report.until - ground.now + mostSkew, minute);
  ground.now = ground.world(Math.min(ms, 31 * day), 0).now();
  walk.watch.byOthers();
}

/** Who is blocked has told: in the journal, or the person at the terminal who asked. */
function checkTold({ ground }: Walk, report: RotationReport, at: { toldBefore: number; now: boolean }): void {
  const journal = ground.journal();
  const isTold =
    journal?.blocked?.told === true || (journal?.trouble?.told ?? 0) > 0 || ground.told.length > at.toldBefore;
  if (!isTold && !at.now) throw new BrokenPromise('not told', report.text);
}

function checkEnd({ ground, watch }: Walk, outcome: string, isLast = false): void {
  // What persons did to the service after the old values were ended is found when the next rotation is due.
  if (!watch.isUntouched) return;
  const wrong = [...watch.truth.wrong()].filter((what) => !what.includes('in its window'));
  if (wrong.length > 0)
    throw new BrokenPromise(
      outcome.includes('overruled') ? 'ends locked out, overruled' : 'ends locked out',
      `${outcome}, and ${wrong.join('; ')}`,
    );
  const strays = watch.truth.strays();
  if (strays.length > 0) throw new BrokenPromise('ends with strays', `${outcome}, and valid is ${strays.join(', ')}`);
  for (const [at, vault] of ground.vaults.entries())
    if (isLast && !watch.isJournalLost && vault.find(secret)?.shelf.pending?.rotation.startsWith('r-foreign') === false)
      throw new BrokenPromise('ends with staged', `store${at} still holds a staged value`);
}

/** No value in the log, the journal, a notice. */
function searchForValues({ ground, watch, story }: Walk): void {
  const journals = [...ground.bucket.objects.values()].map(({ bytes }) => Buffer.from(bytes).toString());
  const everything = JSON.stringify([ground.events, ground.told, journals]);
  const isGreek = /[\u0391-\u03c9]{4}/.test(everything) || everything.includes('PRIVATE KEY');
  const issued = ground.setting.kind === 'issued' && watch.truth.logins.some(({ value }) => everything.includes(value));
  if (isGreek || issued) throw new BrokenPromise('secret', `a value came out (${story.length})`);
}
