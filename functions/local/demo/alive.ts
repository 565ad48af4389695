import { createServer } from 'node:net';
import { join } from 'node:path';
import { hour } from '../../../shared/base/time.ts';
import { LockkeeperError } from '../../../shared/base/error.ts';
import type { FastWorld } from '../../../shared/base/world.ts';
import { gateInterface, gateNetwork } from '../gate/identity.ts';
import { startGate, type Gate } from '../gate/gate.ts';
import { listenAt } from '../gate/listen.ts';
import { miniature, openingOf, type MiniatureService } from './miniature.ts';
import { startPostgres, type PostgresServer } from './postgres-server.ts';
import { absentService, startHttpService, startTcpService, type RunningService } from './services.ts';

/** The networks of the demo; each has its gate. */
export const networkNames = ['aws', 'gcp', 'azure'] as const;
export type NetworkName = (typeof networkNames)[number];

export interface AliveOptions {
  readonly world: FastWorld;
  /** Gates keep their rules and tokens in `gates/NETWORK`, flow logs go to `flow-logs/NETWORK`. */
  readonly directory: string;
  /** For the database; not kept. */
  readonly scratch: string;
  readonly onFailure: (error: LockkeeperError) => void;
}

/** The miniature multi-cloud while it runs. */
export interface Alive {
  readonly gates: Readonly<Record<NetworkName, Gate>>;
  readonly postgres: PostgresServer;
  /** Where a client finds a service: its port at the gate. */
  portOf(service: string): number;
  /** Where a service really listens, behind its gate. */
  upstreamOf(service: string): number;
  /** Ends clients' ways first, then what was behind them. Repeatable. */
  stop(): Promise<void>;
}

/** Starts every service, a gate before each network, and opens the openings. All ports serve on return. */
export async function comeAlive(options: AliveOptions): Promise<Alive> {
  const started: { stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    for (const one of started.splice(0).toReversed()) await one.stop();
  };
  try {
    const postgres = await startDatabase(options);
    started.push(postgres);
    const upstreams = new Map<string, number>();
    for (const service of miniature) {
      const running = service.kind === 'postgres' ? postgres : await startService(service);
      if (running !== postgres) started.push(running);
      upstreams.set(service.name, running.port);
    }
    const gates = await Promise.all(networkNames.map((name) => startOne(name, upstreams, options)));
    started.push(...gates.map((gate) => ({ stop: () => gate.close() })));
    const [aws, gcp, azure] = gates;
    if (!aws || !gcp || !azure) throw new LockkeeperError('bug', 'a gate is missing');
    const services = gates.flatMap((gate) => gate.services);
    return {
      gates: { aws, gcp, azure },
      postgres,
      portOf: (name) => named(services, name).port,
      upstreamOf: (name) => named(services, name).upstream,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startDatabase({ world, scratch }: AliveOptions): Promise<PostgresServer> {
  const placeholder = createServer();
  const port = await listenAt(placeholder, 25_432, { near: true });
  await new Promise((resolve) => placeholder.close(resolve));
  return startPostgres({ world, directory: scratch, port });
}

async function startService(service: MiniatureService): Promise<RunningService> {
  if (service.kind === 'http') return startHttpService(service.name);
  return service.kind === 'absent' ? absentService() : startTcpService(service.name);
}

/** World time runs fast: intervals are an hour, as are objects, so that 45 days are about a thousand of them. */
async function startOne(
  name: NetworkName,
  upstreams: ReadonlyMap<string, number>,
  options: AliveOptions,
): Promise<Gate> {
  const network = gateNetwork(name, name);
  const services = miniature.filter((service) => service.network === name);
  const gate = await startGate({
    world: options.world,
    network,
    interfaces: services.map((service) => gateInterface(network, service.name)),
    services: services.map((service) => ({
      name: service.name,
      port: service.port,
      upstream: upstreams.get(service.name) ?? 0,
      interface: gateInterface(network, service.name).id,
    })),
    rulesFile: join(options.directory, 'gates', name, 'rules.json'),
    tokenFile: join(options.directory, 'gates', name, 'token'),
    flowLogs: { directory: join(options.directory, 'flow-logs', name), intervalMs: hour, publishMs: hour },
    adminPort: 18_900 + networkNames.indexOf(name),
    near: true,
    tickMs: 10,
    onFailure: options.onFailure,
  });
  for (const service of services) await open(gate, service, options.world);
  return gate;
}

async function open(gate: Gate, service: MiniatureService, world: FastWorld): Promise<void> {
  const { port, interface: target } = named(gate.services, service.name);
  const answer = await gate.rules.put(
    {
      id: openingOf(service),
      name: `to ${service.name}`,
      protocol: 'tcp',
      ports: { from: port, to: port },
      sources: ['127.0.0.0/16'],
      targets: [target],
      description: service.description,
      createdAt: world.now(),
      tags: { owner: service.owner },
    },
    'absent',
  );
  if (answer !== 'done')
    throw new LockkeeperError('conflict', `the demo's directory holds a rule ${openingOf(service)} already`, {
      hint: 'Give --keep an empty directory.',
    });
}

function named<T extends { readonly name: string }>(services: readonly T[], name: string): T {
  const found = services.find((service) => service.name === name);
  if (found === undefined) throw new LockkeeperError('bug', `the demo has no service ${name}`);
  return found;
}
