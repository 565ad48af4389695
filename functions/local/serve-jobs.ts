import type { Approvals, Notice } from '../../shared/approvals/contract.ts';
import type { LockkeeperError } from '../../shared/base/error.ts';
import type { Step } from '../../shared/idle-ports/closing/closing-rooms.ts';
import { postHead } from './head-job.ts';
import { closeAll, collectAll, rotateAll, scanAll } from './jobs.ts';
import type { LocalRooms } from './rooms-wire.ts';
import type { Job } from './schedule.ts';
import { SealJob } from './seal-job.ts';
import type { ServeLog } from './serve-log.ts';

/**
 * What `serve` does at which times. Without approvals nobody can be asked, so nothing is judged or closed, and nobody
 * is told the head.
 */
export function serveJobs(rooms: LocalRooms, approvals: Approvals | undefined, log: ServeLog): readonly Job[] {
  const { rotate, collect, scan, close, seal, head } = rooms.config.schedules;
  const sealing = new SealJob({
    audit: () => rooms.audit(),
    world: rooms.world,
    log,
    tell: approvals && ((notice) => approvals.tell(notice)),
  });
  const jobs: Job[] = [
    { name: 'seal', pattern: seal, run: () => sealing.run() },
    { name: 'rotate', pattern: rotate, run: () => runRotate(rooms, approvals, log) },
    { name: 'collect', pattern: collect, run: () => runCollect(rooms, log) },
  ];
  if (approvals === undefined) return jobs;
  return [
    ...jobs,
    { name: 'scan', pattern: scan, run: () => runScan(rooms, approvals, log) },
    { name: 'close', pattern: close, run: () => runClose(rooms, approvals, log) },
    { name: 'head', pattern: head, run: () => runHead(rooms, approvals, log) },
  ];
}

async function runRotate(rooms: LocalRooms, approvals: Approvals | undefined, log: ServeLog): Promise<void> {
  const tell = async (notice: Notice): Promise<void> => {
    log.warning('rotate', notice.text);
    await approvals?.tell(notice);
  };
  for (const { name, report } of await rotateAll(rooms, tell)) {
    if (report.error !== undefined) log.failure('rotate', report.error);
    else log.info('rotate', `${name}: ${report.outcome}: ${report.text}`);
  }
}

async function runCollect(rooms: LocalRooms, log: ServeLog): Promise<void> {
  const { done, problems } = await collectAll(rooms);
  for (const { name, report } of done)
    log.info(
      'collect',
      `${name}: ${report.objects} new objects, ${report.records} rows, ${report.malformed} malformed, ${report.unreadable} unreadable, ${report.left} left`,
    );
  for (const problem of problems) log.failure('collect', problem);
}

async function runScan(rooms: LocalRooms, approvals: Approvals, log: ServeLog): Promise<void> {
  const { done, problems } = await scanAll(rooms, approvals);
  for (const { name, report } of done) {
    const counts = Map.groupBy(report.judged.judgement.verdicts, ({ verdict }) => verdict);
    log.info('scan', `${name}: ${[...counts].map(([verdict, some]) => `${some.length} ${verdict}`).join(', ')}`);
    tellSteps('scan', { steps: report.steps, problems: [] }, log);
  }
  for (const problem of problems) log.failure('scan', problem);
}

async function runClose(rooms: LocalRooms, approvals: Approvals, log: ServeLog): Promise<void> {
  tellSteps('close', await closeAll(rooms, approvals), log);
}

async function runHead(rooms: LocalRooms, approvals: Approvals, log: ServeLog): Promise<void> {
  const head = await postHead({
    audit: await rooms.audit(),
    world: rooms.world,
    tell: (notice) => approvals.tell(notice),
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
