import { setTimeout as sleep } from 'node:timers/promises';
import { LockkeeperError } from '../../../shared/base/error.ts';
import { importLogin } from '../../../shared/rotation/import.ts';
import type { RotationDeps } from '../../../shared/rotation/plan.ts';
import { rotate, type RotationReport } from '../../../shared/rotation/run.ts';
import type { Login } from '../../../shared/services/contract.ts';
import { propagationMs } from './config-text.ts';
import { startConsumers, type Tally } from './consumers.ts';
import type { FirstLogins } from './database.ts';
import type { Stage } from './stage.ts';

const rotations = 20;
const controls = 2;
const clients = 4;

/**
 * Twenty rotations of a database credential while clients log in in a loop, and the same loop against a credential with
 * one user only, which shows that the loop would notice.
 */
export async function rotationChapter(stage: Stage, first: FirstLogins): Promise<void> {
  const { teller } = stage;
  teller.chapter(
    'Rotation that nobody notices',
    `${clients} clients log in to PostgreSQL in a loop, through ${rotations} rotations: failures must stay 0`,
  );
  const tally = await rotateUnderLoad(stage, { name: 'orders-db', times: rotations, first: first.orders });
  teller.shows(
    `${tally.logins} logins through ${rotations} rotations of orders-db: ${tally.failures} failed${codesOf(tally)}.`,
  );
  teller.proves(
    `${rotations} rotations, ${tally.logins} real logins, 0 failures`,
    tally.failures === 0 && tally.logins > rotations,
  );
  teller.shows('', 'The same loop against a single user, who has only one password at a time:');
  const control = await rotateUnderLoad(stage, { name: 'reports-db', times: controls, first: first.reports });
  teller.shows(
    `${control.logins} logins through ${controls} rotations of reports-db: ${control.failures} failed${codesOf(control)}.`,
  );
  teller.proves(
    'the loop notices when clients are locked out',
    control.failures > 0 && control.codes.includes('28P01'),
  );
}

interface Load {
  readonly name: string;
  readonly times: number;
  readonly first: Login;
}

async function rotateUnderLoad(stage: Stage, { name, times, first }: Load): Promise<Tally> {
  const notify = async ({ text }: { readonly text: string }): Promise<void> => stage.teller.shows(text);
  const deps = (await stage.deps.rotations({ notify, actor: 'demo' })).get(name);
  const store = deps?.stores['vault'];
  if (!deps || !store) throw new LockkeeperError('bug', `the demo's configuration has no credential ${name}`);
  const port = stage.alive.portOf(name);
  await importLogin(deps, first);
  const consumers = startConsumers({
    world: deps.world,
    store,
    secret: name,
    port,
    count: clients,
    cacheMs: propagationMs / 4,
  });
  try {
    for (let round = 1; round <= times && !stage.signal.aborted; round += 1) {
      const report = await rotateOnce(deps, stage);
      if (round === 1) stage.teller.shows(...stepsOf(report), '');
    }
  } finally {
    await consumers.stop();
  }
  stage.signal.throwIfAborted();
  return consumers.tally();
}

/** One whole rotation: runs until it is done, and waits for the drain between runs as a scheduler would. */
async function rotateOnce(deps: RotationDeps, stage: Stage): Promise<RotationReport> {
  const steps: string[] = [];
  let report = await rotate(deps, { now: true });
  steps.push(...report.steps);
  while (report.outcome === 'waiting' && !stage.signal.aborted) {
    await sleep(Math.max(20, (report.until ?? 0) - deps.world.now()));
    report = await rotate(deps);
    steps.push(...report.steps);
  }
  if (report.outcome !== 'done' && !stage.signal.aborted) {
    throw (
      report.error ??
      new LockkeeperError('rejected', `the rotation of ${deps.plan.name} ended ${report.outcome}: ${report.text}`)
    );
  }
  return { ...report, steps };
}

function codesOf({ codes }: Tally): string {
  return codes.length === 0 ? '' : ` (SQLSTATE ${codes.join(', ')})`;
}

function stepsOf(report: RotationReport): readonly string[] {
  return [
    `The first rotation of ${report.credential} (${report.rotation ?? ''}), step by step:`,
    ...report.steps.map((step, at) => `  ${at + 1}. ${step}`),
  ];
}
