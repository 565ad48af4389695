import { LockkeeperError } from '../../shared/base/error.ts';
import { minute } from '../../shared/base/time.ts';
import { systemWorld, type World } from '../../shared/base/world.ts';
import { loadConfig } from '../../shared/config/load.ts';
import type { ConfigFile } from '../../shared/config/read-text.ts';
import type { Config } from '../../shared/config/schema.ts';
import { runEndings } from './endings.ts';
import { gatePlan } from './gate/from-config.ts';
import { startGate, type Gate } from './gate/gate.ts';
import { LastRuns } from './last-runs.ts';
import { openPage, type OpenPage } from './page-wire.ts';
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
  /** Aborted: stop after the present step. */
  readonly signal: AbortSignal;
}

/** A running `serve`. */
export interface Serving {
  /** Where each approver finds the page; empty where the configuration asks nobody. */
  readonly addresses: ReadonlyMap<string, string>;
  /** Ends in order: no new run, the present one to its next step, the page, the gates, the log's head. */
  stop(): Promise<void>;
}

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
    const page = await pageOf(config, options.port, world);
    if (page) {
      endings.push(() => page.close());
      page.serve(await deps.closing(page.page));
    }
    const { state } = await deps.stores();
    const schedule = await startSchedule({
      jobs: serveJobs(deps, page?.page, log),
      world,
      lastRuns: new LastRuns(state),
      log,
    });
    endings.push(() => schedule.stop());
    return { addresses: page?.addresses ?? new Map(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function pageOf(config: Config, port: number | undefined, world: World): Promise<OpenPage | undefined> {
  const { approvals } = config;
  return approvals && openPage(approvals.approvers, port ?? approvals.port, world);
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
