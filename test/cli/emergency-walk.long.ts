import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { run } from '../../functions/cli/main.ts';
import { consumerForm } from '../../shared/rotation/forms/consumer-form.ts';
import { adminPassword, logsIn, makePair, type PostgresPair } from '../services/postgres-pair.ts';
import { startPostgres, type PostgresServer } from '../services/postgres-server.ts';
import { memoryHost } from './memory-host.ts';

const command = fileURLToPath(new URL('../../functions/cli/lockkeeper.js', import.meta.url));

let server: PostgresServer;
let pair: PostgresPair;
let directory = '';

beforeAll(async () => {
  server = await startPostgres();
  pair = await makePair(server);
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-walk-'));
  await writeFile(join(directory, 'admin.password'), adminPassword, { mode: 0o600 });
  await configure(server.port);
  await mkdir(join(directory, 'bin'));
  await writeFile(join(directory, 'bin', 'lockkeeper'), `#!/bin/sh\nexec '${process.execPath}' '${command}' "$@"\n`);
  await chmod(join(directory, 'bin', 'lockkeeper'), 0o700);
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

/** A configuration as README has it, with two stores; the database is where `port` says. */
async function configure(port: number): Promise<void> {
  const text = `version: 1
stores:
  state: { kind: file-system, path: state }
  log: { kind: file-system, path: log }
secrets:
  one: { kind: local-file, path: secrets-one, keyFile: one.key }
  two: { kind: local-file, path: secrets-two, keyFile: two.key }
networks:
  office: { cloud: aws }
services:
  - name: orders-db
    owner: olga
    network: office
    port: ${server.port}
    credential:
      engine: postgres
      strategy: alternating
      users: [${pair.users.join(', ')}]
      ownerRole: ${pair.owner}
      database: postgres
      endpoints: ["127.0.0.1:${port}"]
      tls: off
      admin: { user: lockkeeper, password: { file: admin.password } }
      secrets: [{ store: one, name: orders-db }, { store: two, name: orders-db }]
      propagation: 1ms
      every: 1s
approvals: { kind: local-page, needed: 1, approvers: [ada, ben, cyd] }
`;
  await writeFile(join(directory, 'lockkeeper.yaml'), text, { mode: 0o600 });
}

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** One command line in this process, as the command runs it. */
async function lockkeeper(...words: readonly string[]): Promise<Ended> {
  const host = memoryHost(words, {}, directory);
  return { code: await run(host), out: host.out(), err: host.err() };
}

/** A line that was printed, in a shell, as somebody types it who reads it. */
async function typed(line: string, input = ''): Promise<Ended> {
  const env = { ...process.env, PATH: `${join(directory, 'bin')}${delimiter}${process.env['PATH']}` };
  return await new Promise((resolve) => {
    const child = execFile('sh', ['-c', line], { cwd: directory, env, timeout: 30_000 }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
    child.stdin?.end(input);
  });
}

/** The one command in a text; what stands for a name is left to whoever types it. */
function printed(text: string, beginning: string): string {
  const found = new RegExp(`lockkeeper ${beginning}[^\\n\`;]*`).exec(text)?.[0];
  if (found === undefined) throw new Error(`no command "${beginning}" in ${text}`);
  return found;
}

/** What consumers read in a store logs in. */
async function consumerLogsIn(store: string): Promise<boolean> {
  const { secretStores } = await import('../../functions/local/credentials.ts');
  const { drivers } = await import('../../functions/local/credentials-wire.ts');
  const { findConfig, loadConfig } = await import('../../shared/config/load.ts');
  const { systemWorld } = await import('../../shared/base/world.ts');
  const { config } = await loadConfig(
    await findConfig({ asked: join(directory, 'lockkeeper.yaml'), environment: undefined, from: directory }),
  );
  const stores = secretStores(config, drivers, { world: systemWorld(), environment: {} });
  const { current } = (await stores[store]?.read('orders-db', [])) ?? {};
  if (!current) throw new Error(`${store} hands out nothing`);
  return await logsIn(server.port, consumerForm().read(current.value, pair.users));
}

/** Both stores are as they were before, and hand out what logs in; the first login does not. */
async function expectReplaced(): Promise<void> {
  expect([await consumerLogsIn('one'), await consumerLogsIn('two')]).toEqual([true, true]);
  expect(await logsIn(server.port, pair.initial)).toBe(false);
}

describe('an emergency, from the first word to the last signature', () => {
  const leak = ['rotate', 'orders-db', '--now', '--leaked', '--reason'] as const;
  let rotation = '';

  test('what was never adopted is left alone, and the words say what to do', async () => {
    const { out, code } = await typed(
      `lockkeeper secret import orders-db --user ${pair.users[0]}`,
      `${pair.initial.value.open()}\n`,
    );
    expect({ out, code }).toMatchObject({ code: 0, out: expect.stringContaining('orders-db') });
    expect(await lockkeeper('rotate', 'orders-db')).toMatchObject({
      code: 7,
      out: expect.stringMatching(/^orders-db: idle: not adopted yet: .*--adopt.*--now/),
    });
    const { err } = await lockkeeper('rotate', 'orders-db', '--leaked');
    expect(printed(err, 'rotate')).toContain(
      'lockkeeper rotate orders-db --now --leaked --reason "where it was found"',
    );
  });

  test('a rehearsal says every step, and nothing changes', async () => {
    const { code, out } = await lockkeeper('rotate', 'orders-db', '--rehearse', '--leaked');
    expect(code).toBe(0);
    expect(out).toMatch(
      /would finish\. Nothing was changed\.[\s\S]*publish in one[\s\S]*publish in two[\s\S]*open the review/,
    );
    expect((await lockkeeper('review', 'list', '--all')).out).toMatch(/no emergency yet/);
    expect(await logsIn(server.port, pair.initial)).toBe(true);
  });

  test('while the database is down the order stays, and the printed command goes on with it', async () => {
    await configure(1);
    const { code, out, err } = await lockkeeper(...leak, 'in a chat');
    expect({ code, out }).toMatchObject({ code: 1, out: expect.stringMatching(/^orders-db: failed: .*ECONNREFUSED/) });
    expect(err).toMatch(/alarm: Emergency rotation of orders-db was ordered by .*: in a chat/);
    await configure(server.port);
    expect(await typed(printed(out, 'rotate'))).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^orders-db: done: Every earlier value .* is refused\.\n {2}emergency, ordered by /),
    });
    await expectReplaced();
  });

  test('a second leak goes round the store that cannot be read, and is finished once it can', async () => {
    await rename(join(directory, 'two.key'), join(directory, 'two.key.away'));
    await writeFile(join(directory, 'two.key'), 'garbage', { mode: 0o600 });
    const { code, out } = await lockkeeper(...leak, 'postgres://app:hunter2-hunter2@db/app in a log');
    expect({ code, out }).toMatchObject({ code: 1, out: expect.stringMatching(/failed \(retired\).*two\/orders-db/) });
    expect(out).toMatch(/the reason looks like a secret, so it is neither kept nor told/);
    expect(out.match(/cannot be used/g)).toHaveLength(1);
    expect(await consumerLogsIn('one')).toBe(true);
    await rename(join(directory, 'two.key.away'), join(directory, 'two.key'));
    const finished = await lockkeeper(...printed(out, 'rotate').split(' ').slice(1));
    expect(finished).toMatchObject({ code: 0, err: expect.stringContaining('Two people must sign the review') });
    await expectReplaced();
    expect(JSON.stringify(finished) + out).not.toContain('hunter2');
  });

  test('the command of the notice signs its review, for an approver who did not order it', async () => {
    const { err } = await lockkeeper(...leak, 'seen a third time');
    const sign = printed(err, 'review sign');
    rotation = sign.split(' ')[3] ?? '';
    const account = userInfo().username;
    const nobody = await typed(sign);
    expect(nobody).toMatchObject({ code: 3, err: expect.stringContaining(`${account} is no approver of orders-db`) });
    const named = printed(nobody.err, 'review sign');
    expect(await typed(named.replace('NAME', 'ada'))).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^ada signed .*1 of 2 signatures; ben, cyd may sign/),
    });
  });

  test('every open review is listed with how to sign it and where to look', async () => {
    const { code, out } = await lockkeeper('review', 'list');
    expect({ code, reviews: out.match(/^r-/gm) }).toEqual({ code: 0, reviews: ['r-', 'r-', 'r-'] });
    const [first = '', ...others] = out.split(/^(?=r-)/m);
    expect(first).toMatch(/emergency rotation of orders-db, ordered by .*\n {2}reason: in a chat\n {2}it has 0 of 2/);
    const last = others.at(-1) ?? '';
    expect(last).toMatch(/signed: ada at/);
    const shown = await lockkeeper(...printed(last, 'audit show').split(' ').slice(1));
    expect(shown).toMatchObject({
      code: 0,
      out: expect.stringMatching(/rotation\.plan[\s\S]*seen a third time[\s\S]*rotation\.review-sign +done/),
    });
    const signed = await lockkeeper(...printed(last, 'review sign').split(' ').slice(1), '--as', 'ben');
    expect(signed).toMatchObject({ code: 0, err: expect.stringMatching(/info: The review .* is closed: ada, ben/) });
    const sign = printed(first, 'review sign').split(' ').slice(1);
    const atOnce = await Promise.all(['ada', 'cyd'].map((who) => lockkeeper(...sign, '--as', who)));
    expect(atOnce.map(({ code: ended }) => ended)).toEqual([0, 0]);
    const all: unknown = JSON.parse((await lockkeeper('review', 'list', '--all', '--output', 'json')).out);
    expect(all).toEqual({
      problems: [],
      reviews: [
        expect.objectContaining({ open: false }),
        expect.objectContaining({ open: true, signed: [], maySign: ['ada', 'ben', 'cyd'] }),
        expect.objectContaining({ rotation, open: false, signed: ['ada', 'ben'], maySign: [] }),
      ],
    });
  });

  test('afterwards the schedule rotates what was adopted, and the log proves all of it', async () => {
    expect(await lockkeeper('rotate', 'orders-db')).toMatchObject({
      code: 7,
      out: expect.stringMatching(/^orders-db: idle: not adopted yet/),
    });
    expect(await lockkeeper('rotate', 'orders-db', '--adopt')).toMatchObject({ code: 0 });
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    const rotated = await lockkeeper('rotate', 'orders-db');
    expect(rotated).toMatchObject({ code: 0, out: expect.stringMatching(/^orders-db: (waiting|done)/), err: '' });
    expect(rotated.out).not.toContain('emergency');
    await expectReplaced();
    expect(await lockkeeper('audit', 'verify')).toMatchObject({
      code: 0,
      out: expect.stringContaining('none changed, none cut off'),
    });
  });
});
