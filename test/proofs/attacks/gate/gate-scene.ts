import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseInstant } from '../../../../shared/base/time.ts';
import { systemWorld } from '../../../../shared/base/world.ts';
import { loadConfig } from '../../../../shared/config/load.ts';
import type { Firewall } from '../../../../shared/firewalls/contract.ts';
import type { GateRule } from '../../../../shared/firewalls/local-gate/rule.ts';
import { localDeps } from '../../../../functions/local/deps-wire.ts';
import { gatePlan } from '../../../../functions/local/gate/from-config.ts';
import { startGate, type Gate } from '../../../../functions/local/gate/gate.ts';

/** A configuration with one gate, as in the README, and what lockkeeper makes of it. */
export interface GateScene {
  readonly adminPort: number;
  readonly directory: string;
  readonly token: string;
  /** The rule that is open when the scene begins. */
  readonly rule: GateRule;
  tried: number;
  /** lockkeeper's own way to the gate, opened anew; `at` replaces the address of the configuration. */
  firewall(at?: string): Promise<Firewall>;
  /** The gate at its own port, or at another; ended by its `close`. */
  gate(port?: number): Promise<Gate>;
  end(): Promise<void>;
}

/** Makes the token as the first start does, whatever the umask, and leaves the gate down. */
export async function gateScene(): Promise<GateScene> {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-attack-'));
  const [adminPort = 0, servicePort = 0] = await freePorts(2);
  const file = join(directory, 'lockkeeper.yaml');
  await writeFile(file, configText(`http://127.0.0.1:${adminPort}`, servicePort));
  const { config } = await loadConfig(file);
  const plan = gatePlan(config, 'office');
  if (plan === undefined) throw new Error('the configuration has no gate');
  const world = systemWorld();
  const gate = async (port = adminPort): Promise<Gate> =>
    startGate({
      ...plan,
      adminPort: port,
      world,
      flowLogs: { directory: join(directory, 'flow-logs'), intervalMs: 60_000, publishMs: 300_000 },
      near: false,
      tickMs: 1_000,
      onFailure: () => undefined,
    });
  const umask = process.umask(0);
  const first = await gate().finally(() => process.umask(umask));
  const rule = ruleOf(plan.interfaces[0]?.id ?? '', servicePort);
  await first.rules.put(rule, 'absent');
  await first.close();
  const endings: (() => Promise<void>)[] = [];
  return {
    adminPort,
    directory,
    token: (await readFile(plan.tokenFile, 'utf8')).trim(),
    rule,
    tried: 0,
    gate,
    async firewall(at = `http://127.0.0.1:${adminPort}`) {
      await writeFile(file, configText(at, servicePort));
      const deps = localDeps({ loaded: await loadConfig(file), world, environment: {}, run: 'attack' });
      endings.push(() => deps.close());
      const office = (await deps.firewalls()).get('office');
      if (office === undefined) throw new Error('no firewall');
      return office;
    },
    async end() {
      for (const end of endings) await end();
      await rm(directory, { recursive: true });
    },
  };
}

function configText(url: string, port: number): string {
  return `version: 1
stores: { state: { kind: file-system, path: state }, log: { kind: file-system, path: log } }
networks:
  office:
    cloud: aws
    firewall: { kind: local-gate, url: "${url}", tokenFile: gate/token, run: true }
    flowLogs: [{ name: office-flows, format: aws-vpc, directory: flow-logs }]
services: [{ name: web, owner: olga, network: office, port: ${port}, forwardTo: "127.0.0.1:9" }]
`;
}

function ruleOf(target: string, port: number): GateRule {
  return {
    id: 'to-web',
    name: 'to web',
    protocol: 'tcp',
    ports: { from: port, to: port },
    sources: ['127.0.0.0/8'],
    targets: [target],
    description: '',
    createdAt: parseInstant('2026-01-01T00:00:00Z'),
    tags: {},
  };
}

let next = 26_000 + (process.pid % 4_000);

/** Ports that nobody listens at, each once, below those that the system gives to clients. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const found: number[] = [];
  while (found.length < count) {
    const port = (next += 1);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (isFree) found.push(port);
    if (isFree) await new Promise((resolve) => server.close(resolve));
  }
  return found;
}
