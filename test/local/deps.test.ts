import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { formatInstant, parseInstant } from '../../shared/base/time.ts';
import { loadConfig } from '../../shared/config/load.ts';
import { gatePlan } from '../../functions/local/gate/from-config.ts';
import { startGate } from '../../functions/local/gate/gate.ts';
import { standIn } from '../../functions/local/gate/stand-in.ts';
import { localDeps } from '../../functions/local/deps-wire.ts';
import { testWorld } from '../world.ts';
import { askGate, visit } from './gate-place.ts';

let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-deps-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

const text = `
version: 1
stores: { state: { kind: file-system, path: state }, log: { kind: file-system, path: log } }
secrets: { vault: { kind: local-file, path: secrets, keyFile: key } }
networks:
  office:
    cloud: aws
    firewall: { kind: local-gate, url: "http://127.0.0.1:22900", tokenFile: gate/token, run: true }
    flowLogs: [{ name: office-flows, format: aws-vpc, directory: flow-logs }]
services:
  - { name: files, owner: olga, network: office, port: 22001, forwardTo: 127.0.0.1:22999 }
  - name: orders-db
    owner: olga
    network: office
    port: 22002
    forwardTo: 127.0.0.1:22998
    credential:
      engine: postgres
      strategy: alternating
      users: [a, b]
      ownerRole: owner
      endpoints: ["127.0.0.1:22002"]
      tls: off
      admin: { user: lockkeeper, password: { env: ADMIN } }
      secrets: [{ store: vault, name: orders }]
      propagation: 5m
approvals: { kind: local-page, approvers: [ada, olga] }
`;

async function open(change: (text: string) => string = (same) => same) {
  const file = join(directory, 'lockkeeper.yaml');
  await writeFile(file, change(text));
  const loaded = await loadConfig(file);
  const world = testWorld();
  return {
    config: loaded.config,
    world,
    deps: localDeps({ loaded, world, environment: { ADMIN: 'planted-admin-password' }, run: 'test' }),
  };
}

describe('the deps of one machine', () => {
  test('open nothing before they are used', async () => {
    const { deps } = await open();
    await deps.close();
    await expect(stat(join(directory, 'state'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('read and change the rules of a gate that is not running; the gate obeys when it starts', async () => {
    const { config, world, deps } = await open();
    const firewall = (await deps.firewalls()).get('office');
    const token = (await readFile(join(directory, 'gate', 'token'), 'utf8')).trim();
    const plan = gatePlan(config, 'office');
    if (firewall === undefined || plan === undefined) throw new Error('no gate');
    const rule = {
      id: 'to-files',
      name: 'to files',
      protocol: 'tcp',
      ports: { from: 22_001, to: 22_001 },
      sources: ['127.0.0.0/8'],
      targets: [plan.interfaces[0]?.id],
      description: '',
      createdAt: formatInstant(parseInstant('2026-01-01T00:00:00Z')),
      tags: {},
    };
    const gateAt = { url: 'http://127.0.0.1:22900', token };
    const made = await askGate(gateAt, { method: 'POST', path: '/openings', body: JSON.stringify(rule) });
    expect(made.status).toBe(201);
    expect((await firewall.openings()).openings.map(({ id }) => id)).toEqual(['to-files']);
    await deps.close();
    const gate = await startGate({
      ...plan,
      world,
      flowLogs: { directory: join(directory, 'flow-logs'), intervalMs: 60_000, publishMs: 300_000 },
      near: false,
      tickMs: 1_000,
      onFailure: () => undefined,
    });
    expect(gate.rules.rules().map(({ id }) => id)).toEqual(['to-files']);
    expect(await standIn(plan, world)).toBeUndefined();
    expect(await visit(22_001)).toBe('reset');
    await gate.close();
  });

  test('ask about an opening those of the service behind it, and never count its owner', async () => {
    const { deps } = await open();
    const approvals = {
      ask: async () => undefined,
      notify: async () => undefined,
      hear: async () => Promise.reject(new Error('nobody speaks')),
    };
    const closing = await deps.closing(approvals);
    const opening = {
      id: 'x',
      ruleSet: 'r',
      direction: 'ingress',
      protocol: 6,
      ports: { from: 22_000, to: 22_001 },
      sources: [],
      targets: [],
      createdAt: undefined,
      description: '',
      managedBy: undefined,
      rule: {},
      fingerprint: '',
    } as const;
    expect(closing.people('office', opening)).toEqual({
      service: 'files',
      owner: 'olga',
      approvers: ['ada', 'olga'],
      excluded: ['olga'],
      needed: 1,
    });
    expect(closing.people('office', { ...opening, ports: { from: 1, to: 2 } })).toMatchObject({
      service: 'office/r',
      owner: 'nobody',
      excluded: [],
    });
    await deps.close();
  });

  test('give each credential its plan, and show its admin password to nobody', async () => {
    const { deps } = await open();
    const rotations = await deps.rotations({ notify: async () => undefined, actor: 'test' });
    expect(rotations.get('orders-db')?.plan).toEqual({
      name: 'orders-db',
      service: 'orders-db',
      stores: [{ store: 'vault', secret: 'orders', form: expect.objectContaining({ name: 'json' }) }],
      address: { engine: 'postgres', host: '127.0.0.1', port: 22_002, dbname: 'postgres' },
      refreshes: [],
      propagationMs: 300_000,
      everyMs: 30 * 24 * 3_600_000,
      overdueMs: 86_400_000,
      owner: 'olga',
      tags: [],
      acceptDowntime: false,
    });
    const { inspect } = await import('node:util');
    expect(inspect(rotations, { depth: 10 })).not.toContain('planted-admin-password');
    await deps.close();
  });
});

describe('a gate that lockkeeper runs', () => {
  test('needs to know where to forward, and a cloud whose flow logs it can write', async () => {
    await expect(open((all) => all.replace(', forwardTo: 127.0.0.1:22999', ''))).rejects.toThrow(
      'forwardTo is missing',
    );
    await expect(open((all) => all.replace('cloud: aws', 'cloud: kubernetes'))).rejects.toThrow(
      'no cloud of a gate that lockkeeper runs',
    );
    const notRun = await open((all) => all.replace(', run: true', ''));
    expect(gatePlan(notRun.config, 'office')).toBeUndefined();
  });

  test('has the same interfaces at every start, so that facts and openings go on meeting', async () => {
    const { config } = await open();
    const once = gatePlan(config, 'office');
    expect(gatePlan(config, 'office')).toEqual(once);
    expect(once?.interfaces[0]?.id).toMatch(/^eni-[0-9a-f]{17}$/);
  });
});
