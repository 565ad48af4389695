import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { publishedKey } from '../../shared/audit/layout.ts';
import { parseNote, parseVerifierKey, verifierKey, verifyNote } from '../../shared/audit/tlog/note.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import { event, identity, place, runOn, stored, type LogPlace } from '../audit/place.ts';
import { addCheckpoint, startWitness, type Witness } from './litewitness.ts';
import { logVkey, namedKey, origin, rootOf, signedCheckpoint, vectorEntries } from './plain-log.ts';
import { consistencyBetween } from './plain-proof.ts';

const sizes = [1, 255, 256, 257, 70_000];
const checkpoint = (size: number) => signedCheckpoint(size, rootOf(vectorEntries(size)));

let witness: Witness;
beforeEach(async () => {
  witness = await startWitness(origin, logVkey);
});
afterEach(async () => {
  await witness.stop();
});

/** Shows the witness every size in turn up to `size`; answers who signed the last checkpoint. */
async function grow(size: number): Promise<readonly string[]> {
  let old = 0;
  let cosigned = '';
  for (const next of sizes.filter((one) => one <= size)) {
    const { status, body } = await addCheckpoint(witness, {
      old,
      proof: await consistencyBetween(old, next),
      checkpoint: checkpoint(next),
    });
    expect([next, status, body]).toEqual([next, 200, expect.stringContaining('— example.com/witness ')]);
    cosigned = checkpoint(next) + body;
    old = next;
  }
  return verifyNote(parseNote(cosigned), [parseVerifierKey(logVkey), parseVerifierKey(witness.vkey)]).map(
    ({ name }) => name,
  );
}

describe('litewitness', () => {
  test('cosigns the growing log, and the cosignatures verify', async () => {
    expect(await grow(70_000)).toEqual([origin, 'example.com/witness']);
  });

  test('tells the size it knows to one who does not', async () => {
    await grow(255);
    const answer = await addCheckpoint(witness, {
      old: 1,
      proof: await consistencyBetween(1, 257),
      checkpoint: checkpoint(257),
    });
    expect(answer).toEqual({ status: 409, body: '255\n' });
  });

  test('refuses a proof with one changed bit, and a fork', async () => {
    await grow(257);
    const proof = (await consistencyBetween(257, 70_000)).map((hash) => Uint8Array.from(hash));
    const [first] = proof;
    if (first) first[0] = (first[0] ?? 0) ^ 1;
    expect((await addCheckpoint(witness, { old: 257, proof, checkpoint: checkpoint(70_000) })).status).toBe(422);
    const forked = signedCheckpoint(70_000, rootOf(vectorEntries(69_999)));
    expect(
      (await addCheckpoint(witness, { old: 257, proof: await consistencyBetween(257, 70_000), checkpoint: forked }))
        .status,
    ).toBe(422);
  });

  test('refuses a checkpoint with one changed bit, and one of another key', async () => {
    const changed = checkpoint(257).replace('257\n', '256\n');
    expect((await addCheckpoint(witness, { old: 0, proof: [], checkpoint: changed })).status).toBe(403);
    const theirs = signedCheckpoint(257, rootOf(vectorEntries(257)), namedKey('somebody else'));
    expect((await addCheckpoint(witness, { old: 0, proof: [], checkpoint: theirs })).status).toBe(403);
  });
});

describe('litewitness as the witness of a log that lockkeeper writes', () => {
  let home: string;
  let server: Witness;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'lk-witness-home-'));
    server = await startWitness(identity.origin, await ownVkey(), home);
  });
  afterEach(async () => {
    await server.stop();
    await rm(home, { recursive: true });
  });
  const ownVkey = async () => verifierKey(identity.origin, await identity.signer.publicKey());
  const watched = (at: LogPlace): LogPlace => ({ ...at, witnesses: [{ key: server.vkey, url: server.url }] });
  const verified = (at: LogPlace) =>
    verifyLog({ log: at.log, state: at.state, trustedWitnesses: { keys: [server.vkey], needed: 1 } });

  /** A run on the place that records so many events and seals. */
  async function sealing(at: LogPlace, run: string, count: number) {
    const log = runOn(watched(at), run);
    await Promise.all(Array.from({ length: count }, (_, number) => log.record(event(number))));
    return await log.seal();
  }

  test('cosigns every sealing, also after it was away, and an auditor who trusts it alone is shown its line', async () => {
    const at = place();
    for (const [run, count] of [
      ['a', 1],
      ['b', 254],
      ['c', 1],
      ['d', 300],
    ] as const) {
      expect(await sealing(at, run, count)).toMatchObject({ cosigned: 1, witnessed: true, problems: [], alarms: [] });
      expect(await verified(at)).toMatchObject({
        ok: true,
        witnesses: { cosigned: ['example.com/witness'], isEnough: true },
      });
    }
    await server.stop();
    expect(await sealing(at, 'e', 3)).toMatchObject({
      cosigned: 0,
      witnessed: false,
      problems: [expect.stringContaining('did not answer')],
    });
    expect(await verified(at)).toMatchObject({ ok: false, found: 0, witnesses: { missing: ['example.com/witness'] } });
    server = await startWitness(identity.origin, await ownVkey(), home);
    expect(await sealing(at, 'f', 5)).toMatchObject({ cosigned: 1, witnessed: true, problems: [] });
    const { ok, size, witnesses } = await verified(at);
    expect([ok, size, witnesses?.size]).toEqual([true, 570, 570]);
    const published = parseNote(stored(at.heads, publishedKey));
    expect(verifyNote(published, [await ownVkey(), server.vkey].map(parseVerifierKey)).map(({ name }) => name)).toEqual(
      [identity.origin, 'example.com/witness'],
    );
  });

  test('has another answer for a log that was cut off, and for one that was forked: both are alarms', async () => {
    const at = place();
    await sealing(at, 'a', 5);
    const cut = place();
    const set = new Map(at.bucket.objects);
    await sealing(at, 'b', 20);
    for (const [key, object] of set) cut.bucket.objects.set(key, object);
    expect((await sealing(cut, 'c', 1)).alarms).toEqual([
      expect.stringContaining('it knows 27 entries, of which there is no checkpoint here'),
    ]);
    const forked = place();
    expect((await sealing(forked, 'd', 26)).alarms).toEqual([
      expect.stringContaining('has seen another log than this'),
    ]);
    expect((await sealing(forked, 'e', 1)).alarms).toEqual([
      expect.stringContaining('it refuses the proof that the 27 entries it knows are the first of this log'),
    ]);
  });

  test('does not cosign a log that it was not told of', async () => {
    const stranger = await startWitness(origin, logVkey);
    try {
      const log = runOn({ ...place(), witnesses: [{ key: stranger.vkey, url: stranger.url }] }, 'a');
      await log.record(event(0));
      expect(await log.seal()).toMatchObject({
        witnessed: false,
        problems: [expect.stringContaining('it answered 404')],
        alarms: [],
      });
    } finally {
      await stranger.stop();
    }
  });
});
