import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { terminalApprovals } from '../../../../functions/cli/wire.ts';
import { gatePlan } from '../../../../functions/local/gate/from-config.ts';
import { startGate, type Gate } from '../../../../functions/local/gate/gate.ts';
import type { Step } from '../../../../shared/idle-ports/closing/closing-deps.ts';
import { localDeps, type LocalDeps } from '../../../../functions/local/deps-wire.ts';
import { closeAll, collectAll, scanAll } from '../../../../functions/local/jobs.ts';
import type { Approvals, Heard, Notice } from '../../../../shared/approvals/contract.ts';
import { hour, parseInstant } from '../../../../shared/base/time.ts';
import { loadConfig } from '../../../../shared/config/load.ts';
import { takeAnswer } from '../../../../shared/idle-ports/closing/answers.ts';
import { ClosureJournal, type HeldClosure } from '../../../../shared/idle-ports/closing/closure-journal.ts';
import type { Ruling } from '../../../../shared/idle-ports/closing/decision.ts';
import { ruleFor, visit } from '../../../local/gate-place.ts';
import { testWorld, type TestWorld } from '../../../world.ts';

/** Where clients come from: one used `silent` long ago, one uses `busy`. */
export const clients = { silent: '127.0.1.1', busy: '127.0.2.2' } as const;

interface Plan {
  readonly needed?: number;
  /** First port; the services take it and the two after it. */
  readonly port: number;
  /** True: one opening lets in to `silent` and `idle`. */
  readonly shared?: boolean;
}

function config({ needed = 1, port }: Plan, upstream: number): string {
  const service = (name: string, owner: string, at: number) =>
    `  - { name: ${name}, owner: ${owner}, network: office, port: ${at}, forwardTo: "127.0.0.1:${upstream}" }`;
  return `
version: 1
stores: { state: { kind: file-system, path: state }, log: { kind: file-system, path: log } }
networks:
  office:
    cloud: aws
    firewall: { kind: local-gate, url: "http://127.0.0.1:${port + 9}", tokenFile: gate/token, run: true }
    flowLogs: [{ name: office-flows, format: aws-vpc, directory: flow-logs }]
services:
${[service('busy', 'zoe', port), service('silent', 'olga', port + 1), service('idle', 'otto', port + 2)].join('\n')}
idlePorts: { window: 3d, maxClosuresPerRun: 9 }
approvals: { kind: local-page, needed: ${needed}, approvers: [ada, ben, olga, otto] }
`;
}

/** A network with a real gate, its flow log and everything of lockkeeper that watches it, after some days of traffic. */
export class Office {
  readonly notices: Notice[] = [];
  readonly world: TestWorld;
  readonly gate: Gate;
  readonly deps: LocalDeps;
  readonly approvals: Approvals;
  readonly #closers: readonly (() => Promise<void>)[];

  private constructor(
    parts: Pick<Office, 'world' | 'gate' | 'deps' | 'approvals'>,
    closers: readonly (() => Promise<void>)[],
  ) {
    this.world = parts.world;
    this.gate = parts.gate;
    this.deps = parts.deps;
    this.#closers = closers;
    this.approvals = {
      ask: (question) => parts.approvals.ask(question),
      hear: (message) => parts.approvals.hear(message),
      notify: async (notice) => {
        this.notices.push(notice);
        await parts.approvals.notify(notice);
      },
    };
  }

  static async open(plan: Plan): Promise<Office> {
    const closers: (() => Promise<void>)[] = [];
    const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-attack-'));
    closers.push(() => rm(directory, { recursive: true, force: true }));
    const echo = await echoServer();
    closers.unshift(() => closed(echo));
    const file = join(directory, 'lockkeeper.yaml');
    const address = echo.address();
    await writeFile(file, config(plan, typeof address === 'object' && address !== null ? address.port : 0));
    const loaded = await loadConfig(file);
    const world = testWorld('2026-10-01T00:00:00Z');
    const planned = gatePlan(loaded.config, 'office');
    if (planned === undefined) throw new Error('no gate is planned');
    const flowLogs = { directory: join(directory, 'flow-logs'), intervalMs: hour, publishMs: 6 * hour };
    const options = { ...planned, world, flowLogs, near: false, tickMs: 60_000 };
    const gate = await startGate({
      ...options,
      onFailure: (error) => {
        throw error;
      },
    });
    closers.unshift(() => gate.close());
    const deps = localDeps({ loaded, world, environment: {}, run: 'attack' });
    closers.unshift(() => deps.close());
    const silence = { out: () => undefined, err: () => undefined, json: false, signal: new AbortController().signal };
    const approvals = await terminalApprovals(deps, silence);
    const office = new Office({ world, gate, deps, approvals }, closers);
    await office.#live(plan);
    return office;
  }

  /** Five days: `silent` is used on the first alone, `busy` all the time. */
  async #live({ shared = false }: Plan): Promise<void> {
    const createdAt = parseInstant('2026-09-01T00:00:00Z');
    await this.gate.rules.put(ruleFor(this.gate, 'busy', { createdAt }), 'absent');
    const both = {
      ports: { from: this.portOf('silent'), to: this.portOf('idle') },
      targets: ['silent', 'idle'].map((name) => this.interfaceOf(name)),
    };
    await this.gate.rules.put(ruleFor(this.gate, 'silent', { createdAt, ...(shared && both) }), 'absent');
    if (!shared) await this.gate.rules.put(ruleFor(this.gate, 'idle', { createdAt }), 'absent');
    for (let hours = 0; hours < 5 * 24; hours += 1) {
      if (hours === 2) await visit(this.portOf('silent'), 'x'.repeat(200), clients.silent);
      if (hours % 6 === 2) await visit(this.portOf('busy'), 'x'.repeat(200), clients.busy);
      this.world.pass(hour);
    }
    await this.read();
    await scanAll(this.deps, this.approvals);
  }

  portOf(name: string): number {
    return this.gate.services.find((one) => one.name === name)?.port ?? 0;
  }

  interfaceOf(name: string): string {
    return this.gate.services.find((one) => one.name === name)?.interface ?? '';
  }

  async held(opening: string): Promise<HeldClosure> {
    const { state } = await this.deps.stores();
    const held = await new ClosureJournal(state).load('office', opening);
    if (held === undefined) throw new Error(`nobody was asked about ${opening}`);
    return held;
  }

  async says(who: string, opening: string, answer: Heard['answer'] = 'approve'): Promise<Ruling> {
    const { hash } = (await this.held(opening)).closure;
    const heard = { hash, answer, who, why: 'so', until: undefined };
    return await takeAnswer(await this.deps.closing(this.approvals), heard);
  }

  /** Half a day later what was logged has settled and is collected, and the closings are looked after. */
  async look(): Promise<readonly Step[]> {
    this.world.pass(12 * hour);
    await this.read();
    const { steps, problems } = await closeAll(this.deps, this.approvals);
    if (problems[0]) throw problems[0];
    return steps;
  }

  async read(): Promise<void> {
    await this.gate.flush();
    const { problems } = await collectAll(this.deps);
    if (problems[0]) throw problems[0];
  }

  async close(): Promise<void> {
    for (const closer of this.#closers) await closer();
  }
}

async function echoServer(): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
