import type { Server } from 'node:net';
import { LockkeeperError } from '../../../shared/base/error.ts';
import { makePrivateFolder } from '../../../shared/base/private-files.ts';
import type { Sealed } from '../../../shared/base/sealed.ts';
import type { World } from '../../../shared/base/world.ts';
import { adminServer } from './admin.ts';
import { processDescriptors, type Descriptors } from './descriptors.ts';
import { Door } from './door.ts';
import { FlowLogWriter } from './flow-log-writer.ts';
import { FlowTable, type Loss } from './flow-table.ts';
import { awsFormat } from './formats/aws.ts';
import { azureFormat } from './formats/azure.ts';
import type { FlowLogFormat } from './formats/format.ts';
import { gcpFormat } from './formats/gcp.ts';
import { listenAt } from './listen.ts';
import type { GateInterface, GateNetwork, GateService } from './network.ts';
import { RuleBook } from './rule-book.ts';
import { stateOf } from './state.ts';
import { tokenFile } from './token.ts';

export interface GateOptions {
  readonly world: World;
  readonly network: GateNetwork;
  readonly interfaces: readonly GateInterface[];
  readonly services: readonly GateService[];
  readonly rulesFile: string;
  /** Made where it is missing. */
  readonly tokenFile: string;
  readonly flowLogs: {
    readonly directory: string;
    /** Aggregation and publishing intervals in milliseconds of world time; a cloud has 60 s and 300 s. */
    readonly intervalMs: number;
    readonly publishMs: number;
  };
  readonly adminPort: number;
  /** True: a port that is taken moves to the next free one. False: a taken port is an error. */
  readonly near: boolean;
  /** How often, in real milliseconds, the gate looks whether an interval is over. */
  readonly tickMs: number;
  readonly onFailure: (error: LockkeeperError) => void;
}

/** A running gate. */
export interface Gate {
  readonly network: GateNetwork;
  /** With the ports that were really free. */
  readonly services: readonly GateService[];
  readonly url: string;
  readonly token: Sealed;
  readonly rules: RuleBook;
  readonly log: FlowLogWriter;
  /** Everything that happened so far is in the flow-log files afterwards. */
  flush(): Promise<void>;
  /** Ends every connection, writes the log down and frees the ports. */
  close(): Promise<void>;
}

/**
 * Starts a gate: a door a service, the rules they obey, the flow log they leave, and the admin API. It serves on
 * return. What was closed stays closed over a restart, since the rules are read back. `conflict` where a port is taken.
 */
export async function startGate(options: GateOptions): Promise<Gate> {
  await makePrivateFolder(options.flowLogs.directory);
  const rules = await RuleBook.open(options.rulesFile);
  const token = await tokenFile(options.tokenFile, options.world);
  const log = new FlowLogWriter({
    directory: options.flowLogs.directory,
    format: formatOf(options.network, options.interfaces),
    publishMs: options.flowLogs.publishMs,
    interfaces: options.interfaces.map(({ id }) => id),
    onFailure: options.onFailure,
  });
  const descriptors = processDescriptors();
  const flows = flowTable(options, log);
  const doors: Door[] = [];
  const admin = adminServer({ rules, token, world: options.world, state: () => stateOf(options, rules) });
  const stopTicks = ticking(options, flows, descriptors);
  const close = async (): Promise<void> => {
    stopTicks();
    await Promise.all([...doors.map((door) => door.close()), closeServer(admin)]);
    flows.flush();
    await log.flush();
  };
  try {
    const services: GateService[] = [];
    for (const service of options.services)
      services.push(await openDoor(service, { options, rules, flows, descriptors, doors }));
    const adminPort = await listenAt(admin, options.adminPort, { near: options.near });
    const flush = async (): Promise<void> => {
      flows.flush();
      await log.flush();
    };
    return {
      network: options.network,
      services,
      url: `http://127.0.0.1:${adminPort}`,
      token,
      rules,
      log,
      flush,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What it counts goes into the log; what it lost is told besides. */
function flowTable(options: GateOptions, log: FlowLogWriter): FlowTable {
  return new FlowTable({
    world: options.world,
    intervalMs: options.flowLogs.intervalMs,
    emit: (interval) => {
      log.add(interval);
      for (const loss of interval.losses) options.onFailure(lossError(options, loss));
    },
  });
}

/** How often the gate looks whether it has a descriptor left, in real milliseconds. */
const probeMs = 100;

function ticking({ tickMs, interfaces }: GateOptions, flows: FlowTable, descriptors: Descriptors): () => void {
  const ticks = setInterval(() => {
    flows.advance();
    descriptors.look();
  }, tickMs);
  const probes = setInterval(() => {
    if (!descriptors.hasOne()) for (const { id } of interfaces) flows.lost(id, 'no descriptors left');
  }, probeMs);
  return () => {
    clearInterval(ticks);
    clearInterval(probes);
  };
}

interface Yard {
  readonly options: GateOptions;
  readonly rules: RuleBook;
  readonly flows: FlowTable;
  readonly descriptors: Descriptors;
  readonly doors: Door[];
}

async function openDoor(
  wanted: GateService,
  { options, rules, flows, descriptors, doors }: Yard,
): Promise<GateService> {
  const service = { ...wanted };
  const door = new Door({ service, rules, flows, descriptors });
  service.port = await listenAt(door.server, wanted.port, { near: options.near });
  doors.push(door);
  return service;
}

/** What people are told of connections that got no answer through the gate's own fault. */
function lossError({ network, services }: GateOptions, { interface: id, why, connections }: Loss): LockkeeperError {
  const names = services.filter((one) => one.interface === id).map(({ name }) => name);
  return new LockkeeperError(
    'unreachable',
    `gate ${network.name} lost ${connections} connections to ${names.join(', ')} (${why}); its flow log says so, and nothing there counts as unused`,
    { hint: 'Look at the limit of open files (ulimit -n) of lockkeeper, and at the service behind the gate.' },
  );
}

function formatOf(network: GateNetwork, interfaces: readonly GateInterface[]): FlowLogFormat {
  return { aws: awsFormat, gcp: gcpFormat, azure: azureFormat }[network.cloud](network, interfaces);
}

async function closeServer(server: Server & { closeAllConnections?: () => void }): Promise<void> {
  if (!server.listening) return;
  server.closeAllConnections?.();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
