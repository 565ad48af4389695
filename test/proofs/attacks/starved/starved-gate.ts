import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filesFlowLog } from '../../../../shared/flow-logs/files.ts';
import type { ParsedRow } from '../../../../shared/flow-logs/contract.ts';
import { gateInterface, gateNetwork } from '../../../../functions/local/gate/identity.ts';
import type { GateService } from '../../../../functions/local/gate/network.ts';
import { freePorts } from '../gate/gate-scene.ts';

export type GateCloud = 'aws' | 'gcp' | 'azure';

/** A gate whose process may hold few descriptors. */
export interface StarvedGate {
  readonly portOf: (service: string) => number;
  /** What people were told. */
  readonly failures: readonly string[];
  tell(command: 'hog' | 'leave one' | 'free'): Promise<void>;
  /** Ends it in order; every row of its flow log, as lockkeeper's reader has it. */
  close(): Promise<readonly ParsedRow[]>;
  end(): Promise<void>;
}

/** Starts one with so many descriptors before these services: name and port where each listens. */
export async function starvedGate(
  cloud: GateCloud,
  descriptors: number,
  upstreams: ReadonlyMap<string, number>,
): Promise<StarvedGate> {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-starved-'));
  const child = spawn(
    'prlimit',
    [
      `--nofile=${descriptors}:${descriptors}`,
      process.execPath,
      '--no-warnings',
      join(import.meta.dirname, 'gate-process.ts'),
      JSON.stringify(await optionsOf(cloud, directory, upstreams)),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'], timeout: 60_000 },
  );
  const failures: string[] = [];
  const waiting: ((said: Said) => void)[] = [];
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    const lines = (text + part).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- gate-process.ts wrote it
      const said = JSON.parse(line) as Said;
      if (said.failure === undefined) waiting.shift()?.(said);
      else failures.push(said.failure);
    }
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const next = async (): Promise<Said> =>
    Promise.race([
      new Promise<Said>((resolve) => waiting.push(resolve)),
      ended.then(() => Promise.reject(new Error('the gate ended'))),
    ]);
  const tell = async (command: string): Promise<void> => {
    const answer = next();
    child.stdin.write(`${command}\n`);
    await answer;
  };
  const { services = [] } = await next();
  return {
    portOf: (name) => services.find((service) => service.name === name)?.port ?? 0,
    failures,
    tell,
    async close() {
      await tell('close');
      await ended;
      return rowsIn(cloud, join(directory, 'flow-logs'));
    },
    async end() {
      child.kill('SIGKILL');
      await ended;
      await rm(directory, { recursive: true });
    },
  };
}

interface Said {
  readonly failure?: string;
  readonly services?: readonly GateService[];
}

async function optionsOf(cloud: GateCloud, directory: string, upstreams: ReadonlyMap<string, number>) {
  const network = gateNetwork('office', cloud);
  const names = [...upstreams.keys()];
  const [adminPort, ...ports] = await freePorts(names.length + 1);
  return {
    network,
    interfaces: names.map((name) => gateInterface(network, name)),
    services: names.map((name, at) => ({
      name,
      port: ports[at],
      upstream: upstreams.get(name),
      interface: gateInterface(network, name).id,
    })),
    rulesFile: join(directory, 'rules.json'),
    tokenFile: join(directory, 'token'),
    flowLogs: { directory: join(directory, 'flow-logs'), intervalMs: 60_000, publishMs: 300_000 },
    adminPort,
    near: false,
    tickMs: 500,
  };
}

/** Every row of a flow log. */
export async function rowsIn(cloud: GateCloud, directory: string): Promise<readonly ParsedRow[]> {
  const log = filesFlowLog({ name: 'office', cloud, directory });
  const rows: ParsedRow[] = [];
  for await (const object of log.objects()) for await (const row of log.records(object)) rows.push(row);
  return rows;
}
