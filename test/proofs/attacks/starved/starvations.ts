import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after } from '../../../../shared/base/time.ts';
import { systemWorld } from '../../../../shared/base/world.ts';
import { FlowLogWriter } from '../../../../functions/local/gate/flow-log-writer.ts';
import { awsFormat } from '../../../../functions/local/gate/formats/aws.ts';
import { FlowTable } from '../../../../functions/local/gate/flow-table.ts';
import { gateInterface, gateNetwork } from '../../../../functions/local/gate/identity.ts';
import { dailyFacts, dailyCoverage } from '../../../../shared/flow-logs/daily.ts';
import type { ParsedRow } from '../../../../shared/flow-logs/contract.ts';
import { mustHold } from '../attack.ts';
import { crowd, healthyService, stuckService } from './clients.ts';
import { rowsIn, starvedGate, type GateCloud, type StarvedGate } from './starved-gate.ts';

/** What happened in all. */
export interface Tally {
  clients: number;
  answered: number;
  lost: number;
  told: number;
}

/** More clients than descriptors, beside a service that is really down and a source that no rule lets in. */
export async function crowds(cloud: GateCloud, tally: Tally): Promise<void> {
  const healthy = await healthyService();
  const gate = await starvedGate(
    cloud,
    96,
    new Map([
      ['healthy', healthy.port],
      ['down', 1],
    ]),
  );
  try {
    const fates = await crowd(gate.portOf('healthy'), 200);
    // The crowd is gone once its connections are closed on both sides.
    await sleep(700);
    await crowd(gate.portOf('down'), 1);
    await crowd(gate.portOf('healthy'), 1, '127.9.0.1');
    const later = await crowd(gate.portOf('healthy'), 1);
    if (later[0] !== 'answered') throw new Error('the gate does not forward when the crowd has gone');
    const rows = await gate.close();
    const answered = [...fates, ...later].filter((fate) => fate === 'answered').length;
    const lost = lostIn(gate.failures);
    mustHold(answered + lost === 201, `${cloud}: of 201 clients ${answered} were answered and ${lost} told to be lost`);
    isHonest(rows, { cloud, refused: 1, rejected: 1, answered });
    Object.assign(tally, {
      clients: tally.clients + 201,
      answered: tally.answered + answered,
      lost: tally.lost + lost,
    });
    tally.told += gate.failures.length;
  } finally {
    await gate.end();
    await healthy.end();
  }
}

interface Expected {
  readonly cloud: GateCloud;
  readonly refused: number;
  readonly rejected: number;
  readonly answered: number;
}

/** The log has what was refused and what was answered, nothing else, and says that it is incomplete. */
function isHonest(rows: readonly ParsedRow[], { cloud, refused, rejected, answered }: Expected): void {
  const facts = dailyFacts(rows);
  const count = (kind: string): number =>
    facts.filter((fact) => fact.kind === kind).reduce((sum, { records }) => sum + records, 0);
  // GCP and Azure have no flags: a connection that is reset at once counts as traffic both ways.
  if (cloud === 'aws') {
    mustHold(
      count('refused') === refused,
      `the log has ${count('refused')} refusals of services, there were ${refused}`,
    );
    mustHold(count('answered') === answered, `the log has ${count('answered')} answered connections of ${answered}`);
  }
  mustHold(count('rejected') === rejected, `${cloud}: the log has ${count('rejected')} rejections of ${rejected}`);
  isIncomplete(rows, cloud);
}

function isIncomplete(rows: readonly ParsedRow[], what: string): void {
  mustHold(
    rows.every(({ kind }) => kind !== 'malformed'),
    `${what}: the log has rows that cannot be read`,
  );
  mustHold(
    dailyCoverage(rows).some(({ state }) => state === 'lost'),
    `${what}: the log does not say that records are lost`,
  );
}

function lostIn(failures: readonly string[]): number {
  return failures.reduce((sum, text) => sum + Number(/lost (\d+) connections to healthy/.exec(text)?.[1] ?? 0), 0);
}

/** Another part of the process holds every descriptor: the system drops connections, and tells nobody. */
export async function hogged(tally: Tally): Promise<void> {
  await starving(tally, async (gate) => {
    await gate.tell('hog');
    const fates = await crowd(gate.portOf('healthy'), 20, '127.0.0.1', 1_500);
    await sleep(300);
    await gate.tell('free');
    return fates;
  });
}

/** One descriptor is left: a client is accepted, and there is none for the way to the service. */
export async function oneLeft(tally: Tally): Promise<void> {
  await starving(tally, async (gate) => {
    await gate.tell('hog');
    await gate.tell('leave one');
    const fates = await crowd(gate.portOf('healthy'), 1, '127.0.0.1', 300);
    await gate.tell('free');
    return fates;
  });
}

async function starving(tally: Tally, work: (gate: StarvedGate) => Promise<readonly string[]>): Promise<void> {
  const healthy = await healthyService();
  const gate = await starvedGate('aws', 96, new Map([['healthy', healthy.port]]));
  try {
    const fates = await work(gate);
    const rows = await gate.close();
    const refused = dailyFacts(rows).filter(({ kind }) => kind === 'refused' || kind === 'rejected');
    mustHold(refused.length === 0, 'a client that the gate failed is logged as refused by the service');
    isIncomplete(rows, 'no descriptors');
    mustHold(gate.failures.length > 0, 'nobody was told');
    tally.clients += fates.length;
    tally.lost += fates.length;
    tally.told += gate.failures.length;
  } finally {
    await gate.end();
    await healthy.end();
  }
}

/** The service listens and takes nobody; then the gate ends. */
export async function stuck(tally: Tally): Promise<void> {
  const service = await stuckService();
  const gate = await starvedGate('aws', 256, new Map([['stuck', service.port]]));
  try {
    const fates = await crowd(gate.portOf('stuck'), 10, '127.0.0.1', 800);
    const rows = await gate.close();
    mustHold(!dailyFacts(rows).some(({ kind }) => kind === 'refused'), 'a service that is slow is logged as refusing');
    isIncomplete(rows, 'a service that takes nobody');
    tally.clients += fates.length;
    tally.lost += fates.length;
    tally.told += gate.failures.length;
  } finally {
    await gate.end();
    await service.end();
  }
}

/** The disk takes nothing for a while: what was counted is there afterwards. */
export async function brokenDisk(tally: Tally): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'lockkeeper-disk-'));
  const directory = join(root, 'flow-logs');
  const network = gateNetwork('office', 'aws');
  const one = gateInterface(network, 'healthy');
  const service = { name: 'healthy', port: 5_432, upstream: 1, interface: one.id };
  const real = systemWorld();
  const start = real.now();
  let passed = 0;
  const world = { ...real, now: () => after(start, passed) };
  let told = 0;
  const options = { directory, format: awsFormat(network, [one]), publishMs: 60_000, interfaces: [one.id] };
  const writer = new FlowLogWriter({ ...options, onFailure: () => (told += 1) });
  const flows = new FlowTable({ world, intervalMs: 60_000, emit: (interval) => writer.add(interval) });
  try {
    for (let window = 0; window < 6; window += 1) {
      if (window === 2) await writeFile(directory, 'no directory').catch(async () => swap(directory));
      if (window === 4) await rm(directory).then(async () => rename(`${directory}.kept`, directory));
      flows.opened({ service, peer: '127.0.0.5', peerPort: 40_000 + window, rule: 'r' }).over();
      passed += 60_000;
      flows.advance();
      await writer.flush();
    }
    const opened = dailyFacts(await rowsIn('aws', directory)).filter(({ kind }) => kind === 'answered');
    const records = opened.reduce((sum, fact) => sum + fact.records, 0);
    mustHold(records === 6, `of 6 connections ${records} are in the log after the disk was full`);
    mustHold(told > 0, 'nobody was told of the disk');
    tally.clients += 6;
    tally.answered += 6;
    tally.told += told;
  } finally {
    await rm(root, { recursive: true });
  }
}

async function swap(directory: string): Promise<void> {
  await rename(directory, `${directory}.kept`);
  await writeFile(directory, 'no directory');
}
