import { LockkeeperError } from '../../shared/base/error.ts';
import { minute } from '../../shared/base/time.ts';
import { systemWorld, type World } from '../../shared/base/world.ts';
import { loadConfig } from '../../shared/config/load.ts';
import type { ConfigFile } from '../../shared/config/read-text.ts';
import type { Config } from '../../shared/config/schema.ts';
import { runEndings } from './endings.ts';
import { gatePlan } from './gate/from-config.ts';
import { startGate, type Gate } from './gate/gate.ts';
import { jobClock, withWorld } from './job-clock.ts';
import { LastRuns } from './last-runs.ts';
import { openPage, type OpenPage, type PageEvents } from './page-wire.ts';
import { localDeps } from './deps-wire.ts';
import { startSchedule } from './schedule.ts';
import { serveJobs } from './serve-jobs.ts';
import type { ServeLog } from './serve-log.ts';
import { stoppingWorld } from './stopping-world.ts';

export interface ServeOptions {
  readonly configFile: ConfigFile | string;
  /** Of the approvals page; undefined: as configured. 0 takes a free one. */
  readonly port: number | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: (world: World) => ServeLog;
  /** Shows a new link where the first ones stand: somebody asked for one on the page. */
  readonly newLink: (who: string, address: string) => void;
  /** Aborted: stop after the present step. */
  readonly signal: AbortSignal;
}

/** A running `serve`. */
export interface Serving {
  /** Where each approver comes in, once and within an hour; empty where the configuration asks nobody. */
  readonly addresses: ReadonlyMap<string, string>;
  /** Ends in order: no new run, the present one to its next step, the page, the gates, the log's head. */
  stop(): Promise<void>;
}

/** What one run of a job has; what is left over then is for its next run. */
const jobMs = 10 * minute;

/**
 * Starts gates, page and schedule of a configuration. Everything serves on return; what fails at the start ends what
 * began.
 */
export async function startServing(options: ServeOptions): Promise<Serving> {
  const { config, file } = await loadConfig(options.configFile);
  const world = stoppingWorld(systemWorld(), options.signal);
  const log = options.log(world);
  const endings: (() => Promise<void>)[] = [];
  const stop = (): Promise<void> => runEndings(endings);
  try {
    for (const gate of await startGates(config, world, log)) endings.push(() => gate.close());
    const deps = localDeps({
      loaded: { config, file },
      world,
      environment: options.environment,
      run: 'serve',
      warn: (text) => log.warning('stores', text),
    });
    endings.push(() => deps.close());
    const page = await pageOf(config, { options, world, log });
    if (page) {
      endings.push(() => page.close());
      page.serve(await deps.closing(page.page));
    }
    const { state } = await deps.stores();
    const clock = jobClock(world, jobMs);
    const schedule = await startSchedule({
      jobs: serveJobs(withWorld(deps, clock.world), page?.page, log),
      world,
      onBegin: () => clock.begin(),
      lastRuns: new LastRuns(state),
      log,
    });
    endings.push(() => schedule.stop());
    const people = page === undefined ? [] : (config.approvals?.approvers ?? []);
    return { addresses: new Map(people.map((who) => [who, page?.link(who) ?? ''])), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function pageOf(
  { approvals }: Config,
  { options, world, log }: { readonly options: ServeOptions; readonly world: World; readonly log: ServeLog },
): Promise<OpenPage | undefined> {
  if (approvals === undefined) return undefined;
  const events: PageEvents = {
    newLink: (who, address) => options.newLink(who, address.open()),
    signedIn: (who) => log.info('page', `${who} signed in with a link`),
  };
  return openPage(approvals.approvers, { port: options.port ?? approvals.port, world, events });
}

async function startGates(config: Config, world: World, log: ServeLog): Promise<readonly Gate[]> {
  const gates: Gate[] = [];
  try {
    for (const name of Object.keys(config.networks)) {
      const gate = await startGateOf(config, name, { world, log });
      if (gate) gates.push(gate);
    }
    return gates;
  } catch (error) {
    await Promise.all(gates.map((gate) => gate.close()));
    throw error;
  }
}

async function startGateOf(
  config: Config,
  name: string,
  { world, log }: { readonly world: World; readonly log: ServeLog },
): Promise<Gate | undefined> {
  const plan = gatePlan(config, name);
  if (plan === undefined) return undefined;
  if (plan.flowLogDirectory === undefined) {
    throw new LockkeeperError('invalid', `the gate of network ${name} has nowhere to write its flow log`, {
      hint: 'Name a flow log under the network, with a directory.',
    });
  }
  const gate = await startGate({
    ...plan,
    world,
    flowLogs: { directory: plan.flowLogDirectory, intervalMs: minute, publishMs: 5 * minute },
    near: false,
    tickMs: 1_000,
    onFailure: (error) => log.failure(`gate ${name}`, error),
  });
  log.info(
    `gate ${name}`,
    `forwards ${gate.services.map((service) => `${service.name} at 127.0.0.1:${service.port}`).join(', ')}; admin ${gate.url}`,
  );
  return gate;
}
