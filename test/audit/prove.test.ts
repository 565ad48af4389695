import { describe, expect, test } from '@jest/globals';
import { auditCheckVerb, type AuditCheckOptions } from '../../functions/cli/audit-check.ts';
import { auditProveVerb, type AuditProveOptions } from '../../functions/cli/audit-prove.ts';
import type { AuditFiles, AuditDeps } from '../../functions/cli/audit.ts';
import type { Terminal } from '../../functions/cli/io.ts';
import { bundlePath, tilePath } from '../../shared/audit/tlog/tile.ts';
import { decodeBundle } from '../../shared/audit/tlog/bundle.ts';
import { verifierKey } from '../../shared/audit/tlog/note.ts';
import { findEntry } from '../../shared/audit/export/prove.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { memorySigner } from '../../shared/signers/memory.ts';
import { allEntries, event, filled, identity, place, runOn, stored, tamper, type LogPlace } from './place.ts';
import { startWitnessServer } from './witness-server.ts';

const logKey = verifierKey(identity.origin, await identity.signer.publicKey());

/** Files in memory, and the log of a place. */
function depsOf({ log, state }: LogPlace) {
  const files = new Map<string, Uint8Array>();
  const stores = {
    log,
    state,
    history: undefined,
    where: 'memory',
    kind: 'log',
    verifyWith: undefined,
    anchors: [],
  } as const;
  const deps: AuditDeps & AuditFiles = {
    stores: async () => ({ ...stores, trustedWitnesses: undefined }),
    text: async (path) => Buffer.from(files.get(path) ?? '').toString(),
    async bytes(path) {
      const bytes = files.get(path);
      if (bytes) return bytes;
      throw new LockkeeperError('not-found', `there is no file ${path}`);
    },
    async create(path, bytes) {
      files.set(path, bytes);
    },
  };
  return { files, deps };
}

function screen(json = false): { readonly terminal: Terminal; readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    terminal: { out: (line) => lines.push(line), err: () => {}, json, signal: new AbortController().signal },
  };
}

type Deps = ReturnType<typeof depsOf>;

async function proved({ deps }: Deps, options: AuditProveOptions, json = false): Promise<readonly string[]> {
  const { terminal, lines } = screen(json);
  expect(await auditProveVerb(options, deps, terminal)).toBe(0);
  return lines;
}

async function checked(
  { deps }: Deps,
  options: Partial<AuditCheckOptions> = {},
  configured?: string,
): Promise<readonly string[]> {
  const { terminal, lines } = screen();
  const wanted = { proof: 'p', entry: 'e', keys: [logKey], ...options };
  expect(await auditCheckVerb(wanted, { ...deps, configuredKey: async () => configured }, terminal)).toBe(0);
  return lines;
}

describe('a proof', () => {
  test.each([0, 1, 255, 256, 300, 601])(
    'of entry %i of 602 is checked with two files and a key alone',
    async (index) => {
      const deps = depsOf(await filled(600, 100));
      const lines = await proved(deps, { wanted: String(index), out: 'p', entry: 'e' });
      expect(lines).toEqual([`p: entry ${index} is in lockkeeper.test/log as of 602 entries`]);
      expect((await checked(deps)).slice(0, 2)).toEqual([
        `proven: this is entry ${index} of lockkeeper.test/log, as of 602 entries`,
        'signed by lockkeeper.test/log (01ad0a18)',
      ]);
    },
  );
  test('goes to stdout as the file would be, and as JSON', async () => {
    const deps = depsOf(await filled(5));
    await proved(deps, { wanted: '3', out: 'p', entry: 'e' });
    const text = Buffer.from(deps.files.get('p') ?? '').toString();
    expect(`${(await proved(deps, { wanted: '3' })).join('\n')}\n`).toBe(text);
    expect(JSON.parse((await proved(deps, { wanted: '3' }, true))[0] ?? '')).toEqual({
      index: 3,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      verifierKey: logKey,
      proof: text,
    });
  });
  test('is found by index, id, place in its run, leaf hash, or the first digits', async () => {
    const at = await filled(5);
    const deps = depsOf(at);
    const [entry] = (await allEntries(at)).slice(3);
    for (const wanted of [
      '3',
      entry?.id ?? '',
      `${entry?.run}/3`,
      entry?.hash ?? '',
      (entry?.hash ?? '').slice(0, 12),
    ]) {
      expect(JSON.parse((await proved(deps, { wanted }, true))[0] ?? '')).toMatchObject({
        index: 3,
        hash: entry?.hash,
      });
    }
  });
  test.each(['5', '-1', 'nobody', 'run.x/1', 'ffffffffffffffff', '01ad'])(
    'of %s, which names no entry, is refused',
    async (wanted) => {
      await expect(proved(depsOf(await filled(3)), { wanted })).rejects.toMatchObject({
        code: 'not-found',
        hint: expect.any(String),
      });
    },
  );
  test('of digits that several entries share names them', async () => {
    const at = await filled(5);
    const prefix = 'abcdef';
    const alike = (await allEntries(at)).map((entry) => ({ ...entry, id: `${prefix}${entry.id.slice(6)}` }));
    const listed = async function* () {
      yield* alike;
    };
    await expect(findEntry(listed(), prefix)).rejects.toMatchObject({
      code: 'invalid',
      message: `7 entries fit ${prefix}: entry 0, entry 1, entry 2, entry 3, entry 4, …`,
    });
    expect(await findEntry(listed(), alike[2]?.id ?? '')).toMatchObject({ index: 2 });
  });
  test('of an entry that waits for its place says to seal first', async () => {
    const at = await filled(3);
    const log = runOn(at, 'later');
    const { run, n, hash } = await log.record(event(9));
    for (const wanted of [`${run}/${n}`, hash]) {
      await expect(proved(depsOf(at), { wanted })).rejects.toMatchObject({
        code: 'not-found',
        hint: expect.stringContaining('audit seal'),
      });
    }
    await log.seal();
    expect(await proved(depsOf(at), { wanted: hash, out: 'p' })).toEqual([
      'p: entry 6 is in lockkeeper.test/log as of 7 entries',
    ]);
  });
  test('is not made of a log that nobody sealed, nor of one that was changed', async () => {
    const empty = place();
    await runOn(empty, 'run').record(event(1));
    await expect(proved(depsOf(empty), { wanted: '0' })).rejects.toMatchObject({
      code: 'not-found',
      hint: expect.stringContaining('audit seal'),
    });
    const at = await filled(300);
    const [bundle, tile] = [stored(at.bucket, bundlePath(0)), stored(at.bucket, tilePath(0, 0))];
    const middle = (decodeBundle(bundle)[0]?.length ?? 0) + 40;
    tamper(at.bucket, bundlePath(0), bundle.with(middle, (bundle[middle] ?? 0) ^ 1));
    await expect(proved(depsOf(at), { wanted: '1' })).rejects.toMatchObject({ code: 'invalid' });
    tamper(at.bucket, bundlePath(0), bundle);
    tamper(at.bucket, tilePath(0, 0), tile.with(0, (tile[0] ?? 0) ^ 1));
    await expect(proved(depsOf(at), { wanted: '1' })).rejects.toMatchObject({ code: 'invalid' });
    expect(depsOf(at).files.size).toBe(0);
  });
});

describe('a proof is not believed', () => {
  test('without a key; the configured one is enough', async () => {
    const deps = depsOf(await filled(3));
    await proved(deps, { wanted: '2', out: 'p', entry: 'e' });
    await expect(checked(deps, { keys: [] })).rejects.toMatchObject({
      code: 'invalid',
      hint: expect.stringContaining('--key'),
    });
    expect((await checked(deps, { keys: [] }, logKey))[0]).toContain('proven');
  });
  test('signed by another key, about other bytes, or with any line changed', async () => {
    const deps = depsOf(await filled(3));
    await proved(deps, { wanted: '2', out: 'p', entry: 'e' });
    const other = verifierKey(identity.origin, await memorySigner(new Uint8Array(32)).publicKey());
    await expect(checked(deps, { keys: [other] })).rejects.toMatchObject({ code: 'invalid' });
    const [proof, entry] = [Buffer.from(deps.files.get('p') ?? '').toString(), deps.files.get('e') ?? new Uint8Array()];
    deps.files.set('e', Buffer.concat([entry, Buffer.from('\n')]));
    await expect(checked(deps)).rejects.toMatchObject({ code: 'invalid' });
    deps.files.set('e', entry);
    for (const [at, line] of proof.split('\n').entries()) {
      deps.files.set('p', Buffer.from(proof.split('\n').with(at, `${line}A`).join('\n')));
      await expect(checked(deps)).rejects.toMatchObject({ code: 'invalid' });
    }
  });
  test('without the cosignature of a witness that is asked for; with it, its time is told', async () => {
    const witness = await startWitnessServer({ logs: [logKey] });
    try {
      const at = await filled(3);
      const alone = depsOf(at);
      await proved(alone, { wanted: '2', out: 'p', entry: 'e' });
      await expect(checked(alone, { keys: [logKey, witness.key] })).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('did not cosign'),
      });
      const log = runOn({ ...at, witnesses: [{ key: witness.key, url: witness.url }] }, 'witnessed');
      await log.record(event(4));
      await log.end();
      const deps = depsOf(at);
      await proved(deps, { wanted: '2', out: 'p', entry: 'e' });
      expect((await checked(deps, { keys: [logKey, witness.key] }))[2]).toMatch(
        /^cosigned by witness\.test\/one \([0-9a-f]{8}\) at 2026-/,
      );
    } finally {
      await witness.stop();
    }
  });
});
