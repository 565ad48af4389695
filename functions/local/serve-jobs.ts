import type { Approvals, Notice } from '../../shared/approvals/contract.ts';
import type { LockkeeperError } from '../../shared/base/error.ts';
import type { Step } from '../../shared/idle-ports/closing/closing-deps.ts';
import { CollectJob } from './collect-job.ts';
import { postHead } from './head-job.ts';
import { closeAll, collectAll, remindAll, rotateAll, scanAll } from './jobs.ts';
import type { LocalDeps } from './deps-wire.ts';
import type { Job } from './schedule.ts';
import { SealJob } from './seal-job.ts';
import type { ServeLog } from './serve-log.ts';

/**
 * What `serve` does at which times. Without approvals nobody can be asked, so nothing is judged or closed, and nobody
 * is told the head.
 */
export function serveJobs(deps: LocalDeps, approvals: Approvals | undefined, log: ServeLog): readonly Job[] {
  const { rotate, collect, scan, close, seal, head } = deps.config.schedules;
  const sealing = new SealJob({
    audit: () => deps.audit(),
    world: deps.world,
    log,
    notify: approvals && ((notice) => approvals.notify(notice)),
  });
  const collecting = new CollectJob({
    collect: () => collectAll(deps),
    log,
    notify: approvals && ((notice) => approvals.notify(notice)),
  });
  const jobs: Job[] = [
    { name: 'seal', pattern: seal, run: () => sealing.run() },
    { name: 'rotate', pattern: rotate, run: () => runRotate(deps, approvals, log) },
    { name: 'collect', pattern: collect, run: () => collecting.run() },
  ];
  if (approvals === undefined) return jobs;
  return [
    ...jobs,
    { name: 'scan', pattern: scan, run: () => runScan(deps, approvals, log) },
    { name: 'close', pattern: close, run: () => runClose(deps, approvals, log) },
    { name: 'head', pattern: head, run: () => runHead(deps, approvals, log) },
  ];
}

/** An emergency that is not finished is not left to the schedule. */
async function runRotate(deps: LocalDeps, approvals: Approvals | undefined, log: ServeLog): Promise<void | 'again'> {
  const notify = async (notice: Notice): Promise<void> => {
    log.warning('rotate', notice.text);
    await approvals?.notify(notice);
  };
  const { done, problems } = await rotateAll(deps, notify);
  for (const { name, report } of done) {
    if (report.error !== undefined) log.failure('rotate', report.error);
    else log.info('rotate', `${name}: ${report.outcome}: ${report.text}`);
  }
  for (const problem of problems) log.failure('rotate', problem);
  const reminders = await remindAll(deps, notify);
  for (const { name, report } of reminders.done) {
    if (report.error !== undefined) log.failure('rotate', report.error);
    else log.info('rotate', `${name}: ${report.outcome}: ${report.text}`);
  }
  for (const problem of reminders.problems) log.failure('rotate', problem);
  const isUrgent = done.some(({ report }) => report.emergency.length > 0 && report.outcome === 'failed');
  return isUrgent ? 'again' : undefined;
}

async function runScan(deps: LocalDeps, approvals: Approvals, log: ServeLog): Promise<void> {
  const { done, problems } = await scanAll(deps, approvals);
  for (const { name, report } of done) {
    const counts = Map.groupBy(report.judged.judgement.verdicts, ({ verdict }) => verdict);
    log.info('scan', `${name}: ${[...counts].map(([verdict, some]) => `${some.length} ${verdict}`).join(', ')}`);
    tellSteps('scan', { steps: report.steps, problems: [] }, log);
  }
  for (const problem of problems) log.failure('scan', problem);
}

async function runClose(deps: LocalDeps, approvals: Approvals, log: ServeLog): Promise<void> {
  tellSteps('close', await closeAll(deps, approvals), log);
}

async function runHead(deps: LocalDeps, approvals: Approvals, log: ServeLog): Promise<void> {
  const head = await postHead({
    audit: await deps.audit(),
    world: deps.world,
    notify: (notice) => approvals.notify(notice),
  });
  log.info('head', head === undefined ? 'nothing is signed yet' : `posted: ${head.size} entries, root ${head.root}`);
}

function tellSteps(
  job: string,
  { steps, problems }: { readonly steps: readonly Step[]; readonly problems: readonly LockkeeperError[] },
  log: ServeLog,
): void {
  for (const { opening, outcome, text } of steps) log.info(job, `${opening}: ${outcome}: ${text}`);
  for (const problem of problems) log.failure(job, problem);
}
