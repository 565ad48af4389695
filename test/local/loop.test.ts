import { mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { AuditEvent } from '../../shared/audit/entry.ts';
import { entries } from '../../shared/audit/read.ts';
import { hour, parseInstant } from '../../shared/base/time.ts';
import { loadConfig } from '../../shared/config/load.ts';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import { ClosureJournal } from '../../shared/idle-ports/closing/closure-journal.ts';
import { reopen } from '../../shared/idle-ports/closing/reopen.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { auditRecomputeVerb } from '../../functions/cli/audit-recompute.ts';
import { gatePlan } from '../../functions/local/gate/from-config.ts';
import { startGate, type Gate } from '../../functions/local/gate/gate.ts';
import { closeAll, collectAll, scanAll } from '../../functions/local/jobs.ts';
import { localDeps } from '../../functions/local/deps-wire.ts';
import { terminalApprovals } from '../../functions/cli/wire.ts';
import { unpaired } from '../intent-pairs.ts';
import { testWorld } from '../world.ts';
import { ruleFor, visit } from './gate-place.ts';

const config = (upstream: number): string => `
version: 1
stores: { state: { kind: file-system, path: state }, log: { kind: file-system, path: log } }
networks:
  office:
    cloud: aws
    firewall: { kind: local-gate, url: "http://127.0.0.1:23900", tokenFile: gate/token, run: true }
    flowLogs: [{ name: office-flows, format: aws-vpc, directory: flow-logs }]
services:
  - { name: busy, owner: olga, network: office, port: 23001, forwardTo: "127.0.0.1:${upstream}" }
  - { name: silent, owner: olga, network: office, port: 23002, forwardTo: "127.0.0.1:${upstream}" }
idlePorts: { window: 3d }
approvals: { kind: local-page, approvers: [ada] }
`;

test('the loop runs: real traffic is read, a silent port is proposed, approved, closed for real, knocked at, and reopened as it was; without the log nothing of it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-loop-'));
  const echo = createServer((socket) => void socket.on('error', () => socket.destroy()).pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  const address = echo.address();
  const file = join(directory, 'lockkeeper.yaml');
  await writeFile(file, config(typeof address === 'object' && address !== null ? address.port : 0));
  const loaded = await loadConfig(file);
  const world = testWorld('2026-10-01T00:00:00Z');
  const plan = gatePlan(loaded.config, 'office');
  if (plan === undefined) throw new Error('no gate');
  const flowLogs = { directory: join(directory, 'flow-logs'), intervalMs: hour, publishMs: hour };
  const gate = await startGate({ ...plan, world, flowLogs, near: false, tickMs: 1_000, onFailure: () => undefined });
  const deps = localDeps({ loaded, world, environment: {}, run: 'test' });
  const approvals = await terminalApprovals(deps, {
    out: () => undefined,
    err: () => undefined,
    json: false,
    signal: new AbortController().signal,
  });
  try {
    for (const name of ['busy', 'silent'])
      await gate.rules.put(ruleFor(gate, name, { createdAt: parseInstant('2026-09-01T00:00:00Z') }), 'absent');
    const answers = new Set<string>();
    for (let hours = 0; hours < 4 * 24; hours += 1) {
      if (hours % 6 === 1) answers.add(await visit(portOf(gate, 'busy'), 'x'.repeat(100), '127.0.1.1'));
      world.pass(hour);
    }
    expect([...answers]).toEqual(['x'.repeat(100)]);
    await gate.flush();
    await (await deps.audit()).seal();
    await withoutLog(directory, async () => {
      const state = await filesIn(join(directory, 'state'));
      expect(await collectAll(deps)).toMatchObject({ done: [], problems: [expect.anything()] });
      expect(await filesIn(join(directory, 'state'))).toEqual(state);
    });
    expect((await collectAll(deps)).done[0]?.report).toMatchObject({ malformed: 0, unreadable: 0, left: 0 });
    const { done, problems } = await scanAll(deps, approvals);
    expect(problems).toEqual([]);
    const [scanned] = done;
    expect(scanned?.report.judged.judgement.verdicts.map(({ rule, verdict }) => `${rule} ${verdict}`)).toEqual([
      'to-busy used',
      'to-silent unused',
    ]);
    const closing = await deps.closing(approvals);
    const [held] = await new ClosureJournal(closing.state).all();
    await takeAnswer(closing, {
      hash: held?.closure.hash ?? '',
      answer: 'approve',
      who: 'ada',
      why: '',
      until: undefined,
    });
    await withoutLog(directory, async () => {
      expect(await closeAll(deps, approvals)).toMatchObject({ steps: [], problems: [expect.anything()] });
      expect(await visit(portOf(gate, 'silent'))).toBe('hello');
    });
    const closed = await closeAll(deps, approvals, async () =>
      (await visit(portOf(gate, 'silent'))) === 'reset' ? 'refused' : 'reachable',
    );
    expect(closed.steps.map(({ opening, outcome }) => `${opening} ${outcome}`)).toEqual(['to-silent closed']);
    expect([await visit(portOf(gate, 'silent')), await visit(portOf(gate, 'busy'))]).toEqual(['reset', 'hello']);
    await withoutLog(directory, async () => {
      await expect(
        reopen(closing, await new ClosureJournal(closing.state).find(held?.closure.hash ?? ''), {
          who: 'ada',
          why: 'still needed',
        }),
      ).rejects.toMatchObject({ code: expect.any(String) });
      expect(await visit(portOf(gate, 'silent'))).toBe('reset');
    });
    await reopen(closing, await new ClosureJournal(closing.state).find(held?.closure.hash ?? ''), {
      who: 'ada',
      why: 'still needed',
    });
    expect(await visit(portOf(gate, 'silent'))).toBe('hello');
    expect(gate.rules.rules().map((rule) => rule.id)).toEqual(['to-busy', 'to-silent']);
    const { log } = await deps.stores();
    await (await deps.audit()).seal();
    expect(await verdictAgain(log, held?.closure.hash ?? '')).toEqual(
      expect.objectContaining({
        opening: 'to-silent',
        same: true,
        differences: [],
        verdict: expect.objectContaining({ verdict: 'unused' }),
      }),
    );
    const told: AuditEvent[] = [];
    for await (const { event } of entries({ log })) told.push(event);
    expect(unpaired(told)).toEqual([]);
  } finally {
    await deps.close();
    await gate.close();
    await new Promise((resolve) => echo.close(resolve));
    await rm(directory, { recursive: true });
  }
});

/** While the log store cannot be written: another file stands where its directory was. */
async function withoutLog(directory: string, work: () => Promise<void>): Promise<void> {
  const [log, aside] = [join(directory, 'log'), join(directory, 'log-aside')];
  await rename(log, aside);
  await writeFile(log, '');
  await work();
  await rm(log);
  await rename(aside, log);
}

/** All files below, and when each was written. */
async function filesIn(directory: string): Promise<readonly unknown[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  return await Promise.all(files.toSorted().map(async (path) => [path, (await stat(path)).mtimeMs]));
}

function portOf(gate: Gate, name: string): number {
  return gate.services.find((one) => one.name === name)?.port ?? 0;
}

/** What `lockkeeper audit recompute HASH --output json` prints. */
async function verdictAgain(log: ObjectStore, hash: string): Promise<unknown> {
  const lines: string[] = [];
  const terminal = {
    out: (line: string) => void lines.push(line),
    err: () => undefined,
    json: true,
    signal: new AbortController().signal,
  };
  const stores = async () => ({
    log,
    state: undefined,
    history: undefined,
    where: 'here',
    kind: 'log' as const,
    verifyWith: undefined,
    anchors: [],
  });
  await auditRecomputeVerb({ hash, place: {} }, { stores, text: async () => '' }, terminal);
  return JSON.parse(lines.join(''));
}
