import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { minute, parseInstant } from '../../shared/base/time.ts';
import type { World } from '../../shared/base/world.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { callGate, type GateAnswer, type GateRequest } from '../../shared/firewalls/local-gate/call.ts';
import type { GateRule } from '../../shared/firewalls/local-gate/rule.ts';
import { startGate, type Gate, type GateOptions } from '../../functions/local/gate/gate.ts';
import type { GateNetwork } from '../../functions/local/gate/network.ts';
import { systemWorld } from '../../shared/base/world.ts';
import { testWorld } from '../world.ts';

export const networks: Readonly<Record<'aws' | 'gcp' | 'azure', GateNetwork>> = {
  aws: {
    name: 'aws',
    cloud: 'aws',
    account: '000123456789',
    region: 'eu-west-1',
    network: 'vpc-1',
    subnet: 'subnet-1',
    flowLog: 'fl-0a1b2c3d',
  },
  gcp: {
    name: 'gcp',
    cloud: 'gcp',
    account: 'project-1',
    region: 'europe-west1',
    network: 'vpc',
    subnet: 'subnet',
    flowLog: 'log',
  },
  azure: {
    name: 'azure',
    cloud: 'azure',
    account: 'b1a2',
    region: 'westeurope',
    network: 'vnet',
    subnet: 'subnet',
    flowLog: 'log',
  },
};

export interface GatePlace {
  readonly gate: Gate;
  readonly directory: string;
  /** Stops the gate and starts it again from what it left on disk, on the same ports. */
  restart(): Promise<Gate>;
  end(): Promise<void>;
}

export interface PlaceOptions {
  readonly cloud?: 'aws' | 'gcp' | 'azure';
  readonly world?: World;
  /** Names of services; each echoes what it is sent, save those named `absent…`, which do not listen. */
  readonly services?: readonly string[];
  readonly intervalMs?: number;
  readonly publishMs?: number;
}

/** A gate in a temporary directory before real echo services. */
export async function gatePlace(options: PlaceOptions = {}): Promise<GatePlace> {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-gate-'));
  const names = options.services ?? ['echo'];
  const echoes = await Promise.all(names.map((name) => echoServer(!name.startsWith('absent'))));
  const network = networks[options.cloud ?? 'aws'];
  const gateOptions: GateOptions = {
    world: options.world ?? testWorld(),
    network,
    interfaces: names.map((name) => ({ id: `if-${name}`, machine: name, address: '127.0.0.1' })),
    services: names.map((name, at) => ({
      name,
      // Every worker has ports of its own: what one gives up for a restart no other takes meanwhile.
      port: 21_000 + 100 * Number(process.env['JEST_WORKER_ID'] ?? 0) + at,
      upstream: echoes[at]?.port ?? 0,
      interface: `if-${name}`,
    })),
    rulesFile: join(directory, 'rules.json'),
    tokenFile: join(directory, 'token'),
    flowLogs: {
      directory: join(directory, 'flow-logs'),
      intervalMs: options.intervalMs ?? minute,
      publishMs: options.publishMs ?? 5 * minute,
    },
    adminPort: 21_900,
    near: true,
    tickMs: 50,
    onFailure: (error) => {
      throw error;
    },
  };
  const closeEchoes = async (): Promise<void> => {
    await Promise.all(echoes.map((echo) => echo.close()));
  };
  let gate = await startGate(gateOptions).catch(async (error: unknown) => {
    await closeEchoes();
    throw error;
  });
  return {
    get gate() {
      return gate;
    },
    directory,
    async restart() {
      const services = gate.services;
      const adminPort = Number(new URL(gate.url).port);
      await gate.close();
      gate = await startGate({ ...gateOptions, services, adminPort, near: false });
      return gate;
    },
    async end() {
      await gate.close();
      await closeEchoes();
      await rm(directory, { recursive: true });
    },
  };
}

/** One request to a gate's admin API, from who holds its token. */
export async function askGate(
  { url, token }: { readonly url: string; readonly token: Sealed | string },
  request: GateRequest,
): Promise<GateAnswer> {
  const held = typeof token === 'string' ? new Sealed(token) : token;
  return callGate({ name: 'gate', url, token: held, world: systemWorld(), timeoutMs: 5_000 }, request);
}

/** An allow rule for one service, for everybody unless told otherwise. */
export function ruleFor(gate: Gate, name: string, rest: Partial<GateRule> = {}): GateRule {
  const service = gate.services.find((one) => one.name === name);
  if (service === undefined) throw new Error(`no service ${name}`);
  return {
    id: `to-${name}`,
    name: `to ${name}`,
    protocol: 'tcp',
    ports: { from: service.port, to: service.port },
    sources: ['127.0.0.0/8'],
    targets: [service.interface],
    description: `lets clients reach ${name}`,
    createdAt: parseInstant('2026-01-02T00:00:00Z'),
    tags: { team: 'web' },
    ...rest,
  };
}

/** What a client sees that connects from `from`, sends `sent` and waits for the end: the answer, or `reset`. */
export async function visit(port: number, sent: string | Buffer = 'hello', from = '127.0.0.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: '127.0.0.1', port, localAddress: from, timeout: 5_000 });
    socket.on('connect', () => socket.end(sent));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('timeout', () => socket.destroy(new Error('no answer within 5 s')));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' || error.code === 'EPIPE' ? resolve('reset') : reject(error),
    );
    socket.on('end', () => resolve(Buffer.concat(chunks).toString()));
  });
}

/** An open connection that says nothing until told. */
export async function stay(port: number, from = '127.0.0.1'): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: from });
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Says something on an open connection and answers what comes back. */
export async function say(socket: Socket, text: string): Promise<string> {
  return new Promise((resolve) => {
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    socket.write(text);
  });
}

/** Every file below the gate's flow logs, by path, unzipped. */
export async function logFiles(place: GatePlace): Promise<ReadonlyMap<string, string>> {
  const root = join(place.directory, 'flow-logs');
  const files = new Map<string, string>();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path);
    files.set(path.slice(root.length + 1), (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString());
  }
  return new Map([...files].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Rows of AWS text objects as records by column name. */
export function awsRows(files: ReadonlyMap<string, string>): readonly Readonly<Record<string, string>>[] {
  return [...files.values()].flatMap((text) => {
    const [header = '', ...rows] = text.trimEnd().split('\n');
    const columns = header.split(' ');
    return rows.map((row) => {
      const cells = row.split(' ');
      if (cells.length !== columns.length)
        throw new Error(`${cells.length} cells under ${columns.length} columns: ${row}`);
      return Object.fromEntries(columns.map((column, at) => [column, cells[at] ?? '']));
    });
  });
}

async function echoServer(listens: boolean): Promise<{ readonly port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  if (!listens) await close();
  return { port, close };
}
