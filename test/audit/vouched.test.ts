import { afterEach, describe, expect, test } from '@jest/globals';
import { auditVerifyVerb, type AuditVerifyOptions } from '../../functions/cli/audit-verify.ts';
import type { AuditStores } from '../../functions/cli/audit.ts';
import { cosignaturePrefix, publishedKey } from '../../shared/audit/layout.ts';
import { verifierKey } from '../../shared/audit/tlog/note.ts';
import { verifyLog, verifyTiles } from '../../shared/audit/verify/verify.ts';
import type { WitnessPolicy } from '../../shared/audit/verify/witness-check.ts';
import { memoryObjects } from '../../shared/objects/memory.ts';
import { event, identity, place, runOn, stored, tamper, type LogPlace } from './place.ts';
import { startWitnessServer, type WitnessServer } from './witness-server.ts';

const logKey = verifierKey(identity.origin, await identity.signer.publicKey());

const running: WitnessServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

async function witness(name: string): Promise<WitnessServer> {
  const server = await startWitnessServer({ name: `witness.test/${name}`, logs: [logKey] });
  running.push(server);
  return server;
}

/** A sealed log of three entries that these witnesses cosigned. */
async function cosignedBy(...servers: readonly WitnessServer[]): Promise<LogPlace> {
  const at = { ...place(), witnesses: servers.map(({ url, key }) => ({ url, key })) };
  const log = runOn(at, 'run');
  await log.record(event(0));
  await log.end();
  return at;
}

async function printed(at: LogPlace, options: AuditVerifyOptions = {}, more: Partial<AuditStores> = {}, json = false) {
  const lines: string[] = [];
  const stores = async () => ({
    log: at.log,
    state: at.state,
    history: undefined,
    where: 'here',
    kind: 'log' as const,
    verifyWith: logKey,
    anchors: [],
    ...more,
  });
  const terminal = {
    out: (line: string) => void lines.push(line),
    err: () => undefined,
    json,
    signal: new AbortController().signal,
  };
  const code = await auditVerifyVerb(
    options,
    { stores, tables: async () => undefined, text: async () => '' },
    terminal,
  );
  return { code, lines };
}

describe('audit verify with witnesses', () => {
  test('tells how many of the configured witnesses cosigned, and fails where fewer did than must', async () => {
    const [one, two] = [await witness('one'), await witness('two')];
    const at = await cosignedBy(one);
    const keys = [one.key, two.key];
    expect(await printed(at)).toMatchObject({
      code: 0,
      lines: [expect.anything(), `signed up to entry 2 by ${logKey}`],
    });
    const lines = ['here: 3 entries, none changed, none cut off', `signed up to entry 2 by ${logKey}`];
    expect(await printed(at, {}, { trustedWitnesses: { keys, needed: 1 } })).toEqual({
      code: 0,
      lines: [...lines, 'cosigned up to entry 2 by 1 of 2 witnesses; not by witness.test/two'],
    });
    expect(await printed(at, {}, { trustedWitnesses: { keys, needed: 2 } })).toEqual({
      code: 1,
      lines: [...lines, 'cosigned up to entry 2 by 1 of 2 witnesses, and 2 must; not by witness.test/two'],
    });
  });
  test('takes the keys of --witness instead, all of which must have cosigned; one named twice counts once', async () => {
    const [one, two] = [await witness('one'), await witness('two')];
    const at = await cosignedBy(one);
    const configured = { trustedWitnesses: { keys: [two.key], needed: 1 } };
    expect(await printed(at, { witness: [one.key, one.key] }, configured)).toMatchObject({
      code: 0,
      lines: expect.arrayContaining(['cosigned up to entry 2 by 1 of 1 witnesses']),
    });
    expect((await printed(at, { witness: [one.key, two.key] }, configured)).code).toBe(1);
    await expect(printed(at, { witness: ['nonsense'] })).rejects.toMatchObject({ code: 'invalid' });
    const { code, lines } = await printed(at, { witness: [two.key] }, {}, true);
    expect(code).toBe(1);
    expect(JSON.parse(lines.join(''))).toMatchObject({
      ok: false,
      found: 0,
      witnesses: { size: 3, cosigned: [], missing: ['witness.test/two'], needed: 1, isEnough: false },
    });
  });
  test("takes no key of a log for that of a witness, the log's own least of all", async () => {
    const at = await cosignedBy(await witness('one'));
    await expect(printed(at, { witness: [logKey] })).rejects.toMatchObject({
      code: 'invalid',
      hint: expect.any(String),
    });
  });
  test('an empty log is cosigned by nobody', async () => {
    const one = await witness('one');
    expect(await printed(place(), { witness: [one.key] })).toMatchObject({
      code: 1,
      lines: expect.arrayContaining(['nothing is signed that witnesses could have cosigned, and 1 must']),
    });
  });
});

describe('a cosignature', () => {
  const policy = (...servers: readonly WitnessServer[]): WitnessPolicy => ({
    keys: servers.map(({ key }) => key),
    needed: servers.length,
  });
  test('counts from the note as it was published, or as it is kept in the log', async () => {
    const one = await witness('one');
    const at = await cosignedBy(one);
    const trustedWitnesses = policy(one);
    const shown = { isEnough: true, cosigned: ['witness.test/one'] };
    const bare = memoryObjects();
    for (const [key, { bytes }] of at.bucket.objects)
      if (!key.startsWith(cosignaturePrefix)) await bare.create(key, bytes);
    expect(await verifyLog({ log: bare, state: at.state, trustedWitnesses })).toMatchObject({ witnesses: shown });
    expect(await verifyLog({ log: at.log, trustedWitnesses })).toMatchObject({ ok: true, witnesses: shown });
    expect(await verifyLog({ log: bare, trustedWitnesses })).toMatchObject({
      ok: false,
      found: 0,
      witnesses: { isEnough: false, cosigned: [] },
    });
  });
  test('in the name of a trusted witness that does not fit is a finding', async () => {
    const one = await witness('one');
    const at = await cosignedBy(one);
    const note = Buffer.from(stored(at.heads, publishedKey)).toString();
    const changed = note.replace(
      /(— witness\.test\/one .{60})(.)/,
      (_, before: string, letter: string) => `${before}${letter === 'A' ? 'B' : 'A'}`,
    );
    expect(changed).not.toBe(note);
    tamper(at.heads, publishedKey, Buffer.from(changed));
    const report = await verifyLog({ log: at.log, state: at.state, trustedWitnesses: policy(one) });
    expect(report.ok).toBe(false);
    expect(report.findings).toContainEqual({
      key: publishedKey,
      kind: 'changed',
      what: expect.stringContaining('in the name of witness.test/one'),
    });
  });
  test('of an older checkpoint is none of the newest', async () => {
    const one = await witness('one');
    const at = await cosignedBy(one);
    const alone = runOn({ ...at, witnesses: [] }, 'alone');
    await alone.record(event(1));
    await alone.end();
    expect(await verifyLog({ log: at.log, state: at.state, trustedWitnesses: policy(one) })).toMatchObject({
      ok: false,
      found: 0,
      witnesses: { size: 6, cosigned: [] },
    });
  });
  test('while sealing goes on counts for what is published', async () => {
    const one = await witness('one');
    const at = await cosignedBy(one);
    const before = new Map(at.heads.objects);
    const next = runOn({ ...at, witnesses: [] }, 'next');
    await next.record(event(1));
    await next.end();
    for (const [key, object] of before) at.heads.objects.set(key, object);
    expect(await verifyLog({ log: at.log, state: at.state, trustedWitnesses: policy(one) })).toMatchObject({
      ok: true,
      size: 6,
      witnesses: { size: 3, cosigned: ['witness.test/one'] },
    });
  });
  test('counts in plain tiles as well', async () => {
    const one = await witness('one');
    const at = await cosignedBy(one);
    const store = memoryObjects();
    await store.create('checkpoint', stored(at.heads, publishedKey));
    for (const [key, { bytes }] of at.heads.objects)
      if (key.startsWith('audit/partial/')) await store.create(key.slice('audit/partial/'.length), bytes);
    expect(await verifyTiles({ store, verifierKey: logKey, trustedWitnesses: policy(one) })).toMatchObject({
      ok: true,
      size: 3,
      witnesses: { isEnough: true },
    });
    expect(
      await verifyTiles({ store, verifierKey: logKey, trustedWitnesses: policy(one, await witness('two')) }),
    ).toMatchObject({ ok: false, found: 0 });
  });
});
