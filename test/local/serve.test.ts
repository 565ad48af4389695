import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { askGate } from './gate-place.ts';

const config = (upstream: number): string => `
version: 1
stores: { state: { kind: file-system, path: state }, log: { kind: file-system, path: log } }
networks:
  office:
    cloud: azure
    firewall: { kind: local-gate, url: "http://127.0.0.1:24900", tokenFile: gate/token, run: true }
    flowLogs: [{ name: office-flows, format: azure-vnet, directory: flow-logs }]
services: [{ name: web, owner: olga, network: office, port: 24001, forwardTo: "127.0.0.1:${upstream}" }]
approvals: { kind: local-page, approvers: [ada] }
schedules: { collect: "* * * * * *", scan: "* * * * * *" }
`;

interface Served {
  readonly directory: string;
  readonly address: string;
  readonly lines: () => readonly unknown[];
  /** Sends the signal; answers the exit code and how long it took in milliseconds. */
  readonly end: (signal: NodeJS.Signals) => Promise<{ readonly code: number | null; readonly tookMs: number }>;
}

async function served(
  check: (at: Served) => Promise<void>,
  configOf: (upstream: number) => string = config,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-serve-'));
  const web = createServer((_request, response) => void response.end('the web service'));
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  const address = web.address();
  await writeFile(
    join(directory, 'lockkeeper.yaml'),
    configOf(typeof address === 'object' && address !== null ? address.port : 0),
  );
  const child = spawn(
    process.execPath,
    ['--no-warnings', 'functions/cli/lockkeeper.js', '--config', join(directory, 'lockkeeper.yaml'), 'serve'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  try {
    const first = await new Promise<string>((resolve, reject) => {
      child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()));
      void ended.then((code) => reject(new Error(`serve ended with ${code}: ${stderr}`)));
    });
    await check({
      directory,
      address: /http:\S+/.exec(first)?.[0] ?? '',
      lines: () =>
        stderr
          .trimEnd()
          .split('\n')
          .map((line): unknown => JSON.parse(line)),
      async end(signal) {
        const from = performance.now();
        child.kill(signal);
        return { code: await ended, tookMs: performance.now() - from };
      },
    });
  } finally {
    child.kill('SIGKILL');
    await ended;
    web.closeAllConnections();
    await new Promise((resolve) => web.close(resolve));
    await rm(directory, { recursive: true });
  }
}

/** A rule that somebody puts into the gate lets a client through to the service. */
async function opens(at: { readonly adminPort: number; readonly port: number; readonly token: string }): Promise<void> {
  const gate = { url: `http://127.0.0.1:${at.adminPort}`, token: at.token };
  const { body: state } = await askGate(gate, { method: 'GET', path: '/openings' });
  const target = state.match(/"interfaces":\[\{"id":"([^"]+)"/)?.[1];
  const rule = {
    id: 'to-web',
    name: 'to web',
    protocol: 'tcp',
    ports: { from: at.port, to: at.port },
    sources: ['127.0.0.0/8'],
    targets: [target],
    description: '',
    createdAt: '2026-01-01T00:00:00Z',
    tags: {},
  };
  const made = await askGate(gate, { method: 'POST', path: '/openings', body: JSON.stringify(rule) });
  expect(made.status).toBe(201);
  const answer = await fetch(`http://127.0.0.1:${at.port}`, { headers: { connection: 'close' } });
  expect(await answer.text()).toBe('the web service');
}

/** The example of the README, with ports of this test and a service that speaks HTTP. */
async function readmeConfig(): Promise<(upstream: number) => string> {
  const [, text = ''] = /```yaml\n([^`]*)```/.exec(await readFile('README.md', 'utf8')) ?? [];
  return (upstream) =>
    text
      .replace('127.0.0.1:18900', '127.0.0.1:24901')
      .replace('port: 15432', 'port: 24002')
      .replace('forwardTo: 127.0.0.1:5432', `forwardTo: 127.0.0.1:${upstream}`);
}

describe('lockkeeper serve', () => {
  test('runs the gate and the page of the configuration in the README', async () =>
    served(
      async ({ directory, address, end }) => {
        const token = (await readFile(join(directory, 'gate', 'token'), 'utf8')).trim();
        await opens({ adminPort: 24_901, port: 24_002, token });
        expect((await fetch(address, { redirect: 'manual' })).status).toBe(303);
        expect((await fetch(address, { redirect: 'manual' })).status).toBe(401);
        expect(await end('SIGTERM')).toMatchObject({ code: 0 });
      },
      await readmeConfig(),
    ));

  test('runs gate, page and schedule of a configuration, and ends in order on SIGTERM', () =>
    served(async ({ directory, address, lines, end }) => {
      expect((await fetch(address, { redirect: 'manual' })).status).toBe(303);
      await expect(fetch('http://127.0.0.1:24001')).rejects.toThrow('fetch failed');
      const token = (await readFile(join(directory, 'gate', 'token'), 'utf8')).trim();
      await opens({ adminPort: 24_900, port: 24_001, token });
      while (!JSON.stringify(lines()).includes('office: 1 cannot-tell'))
        await new Promise((resolve) => setTimeout(resolve, 100));
      const { code, tookMs } = await end('SIGTERM');
      expect(code).toBe(0);
      expect(tookMs).toBeLessThan(5_000);
      expect(lines()).toContainEqual(expect.objectContaining({ level: 'info', job: 'collect' }));
      expect(lines()).toContainEqual(
        expect.objectContaining({ level: 'info', job: 'scan', text: 'office: 1 cannot-tell' }),
      );
      expect(JSON.stringify(lines())).not.toContain(token);
      await expect(fetch('http://127.0.0.1:24001')).rejects.toThrow('fetch failed');
    }));

  test('ends with 130 on Ctrl-C', () =>
    served(async ({ end }) => {
      expect(await end('SIGINT')).toMatchObject({ code: 130 });
    }));
});
