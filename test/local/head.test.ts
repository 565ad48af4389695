import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { auditVerifyVerb } from '../../functions/cli/audit-verify.ts';
import { auditDeps } from '../../functions/cli/audit-wire.ts';
import { postHead } from '../../functions/local/head-job.ts';
import { localDeps, type LocalDeps } from '../../functions/local/deps-wire.ts';
import { serveJobs } from '../../functions/local/serve-jobs.ts';
import { serveLog } from '../../functions/local/serve-log.ts';
import type { Approvals, Notice } from '../../shared/approvals/contract.ts';
import { localPage } from '../../shared/approvals/local-page.ts';
import { entries } from '../../shared/audit/read.ts';
import { noteIn } from '../../shared/audit/vouching/saved-note.ts';
import { parseNote } from '../../shared/audit/tlog/note.ts';
import { verifierKey } from '../../shared/audit/tlog/note.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { day } from '../../shared/base/time.ts';
import { loadConfig } from '../../shared/config/load.ts';
import { memoryObjects } from '../../shared/objects/memory.ts';
import { event, identity, place, runOn } from '../audit/place.ts';
import { startWitnessServer } from '../audit/witness-server.ts';
import { testWorld, type TestWorld } from '../world.ts';

let directory = '';
let world: TestWorld;
let deps: LocalDeps;
const notices: Notice[] = [];
const notify = async (notice: Notice) => void notices.push(notice);

/** Opens the dependencies of a configuration with two stores in files and an anchor. */
async function open(): Promise<void> {
  const file = join(directory, 'lockkeeper.yaml');
  const stores = 'stores: { state: { kind: file-system, path: state }, log: { kind: file-system, path: log } }';
  await writeFile(
    file,
    `version: 1\n${stores}\naudit: { origin: logs.example.org/lockkeeper, anchors: [{ kind: file-system, path: copies }] }\n`,
  );
  deps = localDeps({ loaded: await loadConfig(file), world, environment: {}, run: 'serve' });
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-head-'));
  world = testWorld();
  notices.length = 0;
  await open();
});
afterEach(async () => {
  await deps.close();
  await rm(directory, { recursive: true });
});

async function recordAndSeal(count: number): Promise<void> {
  const audit = await deps.audit();
  for (let number = 0; number < count; number += 1) await audit.record(event(number));
  await audit.seal();
}

async function verified(
  since: string,
  where = directory,
): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  const [lines, file] = [[] as string[], join(directory, 'saved.txt')];
  await writeFile(file, since);
  const terminal = {
    out: (line: string) => void lines.push(line),
    err: () => undefined,
    json: false,
    signal: new AbortController().signal,
  };
  const code = await auditVerifyVerb(
    { dir: where, since: file },
    auditDeps(async () => await Promise.reject(new Error('not asked'))),
    terminal,
  );
  return { code, lines };
}

describe('the head of the log', () => {
  test('is posted with everything one needs: size, root, time, who vouches, what waits, and the whole note', async () => {
    await recordAndSeal(3);
    const audit = await deps.audit();
    await audit.record(event(4));
    const head = await postHead({ audit, world, notify });
    const [notice] = notices;
    expect(notice).toMatchObject({ level: 'info', hash: undefined });
    const text = notice?.text ?? '';
    expect(text.split('\n')).toEqual([
      `The audit log logs.example.org/lockkeeper has 4 entries, root ${head?.root}, on 2026-10-01T00:00:00Z.`,
      'Cosigned by no witnesses, for none are configured; copied to 1 of 1 anchors. 1 entry waits to be signed, since 2026-10-01T00:00:00Z.',
      'Save this message: `lockkeeper audit verify --since FILE` proves that the log has only grown since.',
      '',
      'logs.example.org/lockkeeper',
      '4',
      head?.root,
      '',
      expect.stringMatching(/^— logs\.example\.org\/lockkeeper \S+$/),
      '',
    ]);
    expect(text.length).toBeLessThan(1_000);
  });

  test('that was saved proves on the next day that the log went on from it, and finds that it was cut off or rewritten', async () => {
    await recordAndSeal(2);
    const older = join(directory, 'older');
    for (const store of ['log', 'state']) await cp(join(directory, store), join(older, store), { recursive: true });
    await recordAndSeal(5);
    await postHead({ audit: await deps.audit(), world, notify });
    const saved = `Slack | #lockkeeper\nlockkeeper  APP  7:00 AM\n${notices[0]?.text}\nann  7:12 AM\nthanks!\n`;
    world.pass(day);
    await recordAndSeal(5);
    const honest = await verified(saved);
    expect(honest).toMatchObject({ code: 0 });
    expect(honest.lines[0]).toContain('none changed, none cut off');
    expect(await verified(saved, older)).toMatchObject({
      code: 1,
      lines: [expect.stringContaining('is missing: the log was longer, 8 entries'), expect.anything()],
    });
    await deps.close();
    for (const store of ['log', 'state', 'copies']) await rm(join(directory, store), { recursive: true });
    await open();
    world.pass(1_000);
    await recordAndSeal(20);
    const rewritten = await verified(saved);
    expect(rewritten.code).toBe(1);
    expect(rewritten.lines.join('\n')).toMatch(/the checkpoint given/);
  });

  test('is found again in what a person copied from the page, also quoted, indented, and with other heads before it', async () => {
    await recordAndSeal(1);
    await postHead({ audit: await deps.audit(), world, notify });
    await recordAndSeal(1);
    await postHead({ audit: await deps.audit(), world, notify });
    const [older = '', newer = ''] = notices.map(({ text }) => text);
    const note = newer.slice(newer.indexOf('\n\n') + 2);
    const { origin } = identity;
    const own = 'logs.example.org/lockkeeper';
    for (const saved of [
      note,
      newer,
      `${newer}\n${older}`,
      `${older}\n${newer}`,
      newer.replaceAll(/^/gm, '> '),
      newer.replaceAll('\n', '\r\n'),
      newer.replaceAll(/^/gm, '    '),
      newer.trimEnd(),
    ]) {
      expect(noteIn(saved, own)).toBe(note);
      expect((await verified(saved)).code).toBe(0);
    }
    expect(noteIn(newer, origin)).toBe(newer);
    await expect(verified('nothing of the kind')).rejects.toMatchObject({ code: 'invalid', hint: expect.any(String) });
    await expect(verified(newer.replace(/\n(\d+)\n/, '\n9$1\n'))).rejects.toMatchObject({ code: 'invalid' });
  });

  test('keeps its lines on the page', async () => {
    await recordAndSeal(1);
    const page = localPage({ people: ['ann'], origin: 'http://127.0.0.1:1', world });
    await postHead({ audit: await deps.audit(), world, notify: (notice) => page.notify(notice) });
    const html = page.html({
      who: 'ann',
      now: world.now(),
      questions: [],
      closures: [],
      notices: page.shown().notices,
    });
    expect(html).toMatch(/\.notice \{[^}]*white-space: pre-wrap/);
    expect(html).toMatch(/class="notice">.*\n(.*\n)*logs\.example\.org\/lockkeeper\n\d+\n/);
  });

  test('has its posting in the log; one that did not reach people is a failed outcome', async () => {
    await recordAndSeal(1);
    const audit = await deps.audit();
    await postHead({ audit, world, notify });
    await expect(
      postHead({
        audit,
        world,
        notify: async () => await Promise.reject(new LockkeeperError('unreachable', 'no channel')),
      }),
    ).rejects.toMatchObject({ code: 'unreachable' });
    const { log } = await deps.stores();
    const told: unknown[] = [];
    for await (const { event: one } of entries({ log }))
      if (one.action === 'log.post-head') told.push([one.subject, one.stage, one.result, one.details['size']]);
    const subject = { kind: 'log', id: 'logs.example.org/lockkeeper' };
    expect(told).toEqual([
      [subject, 'intent', undefined, 2],
      [subject, 'outcome', 'done', 2],
      [subject, 'intent', undefined, 2],
      [subject, 'outcome', 'failed', 2],
    ]);
  });

  test('without an acknowledged intent is told to nobody', async () => {
    await recordAndSeal(1);
    const audit = await deps.audit();
    const deaf = {
      ...audit,
      record: async () => await Promise.reject(new LockkeeperError('unreachable', 'the log is down')),
    };
    await expect(postHead({ audit: deaf, world, notify })).rejects.toMatchObject({ code: 'unreachable' });
    expect(notices).toEqual([]);
  });

  test('of a log in which nothing is signed is not posted', async () => {
    expect(await postHead({ audit: await deps.audit(), world, notify })).toBeUndefined();
    expect(notices).toEqual([]);
  });

  test('names the witnesses and anchors that are behind', async () => {
    const at = place();
    const one = await startWitnessServer({ logs: [verifierKey(identity.origin, await identity.signer.publicKey())] });
    const two = await startWitnessServer({ name: 'witness.test/two', logs: [] });
    const gone = {
      ...memoryObjects(),
      create: async () => await Promise.reject(new LockkeeperError('unreachable', 'away')),
    };
    const anchors = [
      { name: 's3://copies', store: memoryObjects() },
      { name: 'gs://copies', store: gone },
    ];
    const audit = runOn({ ...at, anchors, witnesses: [one, two].map(({ key, url }) => ({ key, url })) }, 'run');
    await audit.record(event(0));
    await audit.seal();
    await postHead({ audit, world, notify });
    expect(notices[0]?.text).toContain(
      'Cosigned by 1 of 2 witnesses (not witness.test/two); copied to 1 of 2 anchors (not gs://copies). No entry waits to be signed.',
    );
    const note = parseNote((notices[0]?.text ?? '').split('\n\n').slice(-2).join('\n\n'));
    expect(note.signatures.map(({ name }) => name)).toEqual([identity.origin, 'witness.test/one']);
    await Promise.all([one.stop(), two.stop()]);
  });
});

describe('serve', () => {
  const approvals: Approvals = {
    notify,
    ask: async () => undefined,
    hear: async () => await Promise.reject(new Error('nobody speaks')),
  };
  const lines: string[] = [];
  const jobs = (asked?: Approvals) =>
    serveJobs(
      deps,
      asked,
      serveLog(world, (line) => lines.push(line)),
    );

  test('seals every minute and posts the head in the morning, after it was sealed', async () => {
    expect(jobs(approvals).map(({ name, pattern }) => `${name} ${pattern}`)).toEqual([
      'seal * * * * *',
      'rotate 0 * * * *',
      'drift 20 5 * * *',
      'collect 10 * * * *',
      'scan 30 6 * * *',
      'close */10 * * * *',
      'head 0 7 * * *',
    ]);
    expect(jobs().map(({ name }) => name)).toEqual(['seal', 'rotate', 'drift', 'collect']);
    await (await deps.audit()).record(event(0));
    for (const { name, run } of jobs(approvals)) if (name === 'seal' || name === 'head') await run();
    expect(notices).toHaveLength(1);
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      expect.objectContaining({ level: 'info', job: 'head', text: expect.stringMatching(/^posted: 2 entries, root /) }),
    ]);
  });
});
