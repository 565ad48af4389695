import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseNote, parseVerifierKey, verifyNote } from '../../shared/audit/tlog/note.ts';
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
    const { status, body } = await addCheckpoint(witness, { old, proof: await consistencyBetween(old, next), checkpoint: checkpoint(next) });
    expect([next, status, body]).toEqual([next, 200, expect.stringContaining('— example.com/witness ')]);
    cosigned = checkpoint(next) + body;
    old = next;
  }
  return verifyNote(parseNote(cosigned), [parseVerifierKey(logVkey), parseVerifierKey(witness.vkey)]).map(({ name }) => name);
}

describe('litewitness', () => {
  test('cosigns the growing log, and the cosignatures verify', async () => {
    expect(await grow(70_000)).toEqual([origin, 'example.com/witness']);
  });

  test('tells the size it knows to one who does not', async () => {
    await grow(255);
    const answer = await addCheckpoint(witness, { old: 1, proof: await consistencyBetween(1, 257), checkpoint: checkpoint(257) });
    expect(answer).toEqual({ status: 409, body: '255\n' });
  });

  test('refuses a proof with one changed bit, and a fork', async () => {
    await grow(257);
    const proof = (await consistencyBetween(257, 70_000)).map((hash) => Uint8Array.from(hash));
    const [first] = proof;
    if (first) first[0] = (first[0] ?? 0) ^ 1;
    expect((await addCheckpoint(witness, { old: 257, proof, checkpoint: checkpoint(70_000) })).status).toBe(422);
    const forked = signedCheckpoint(70_000, rootOf(vectorEntries(69_999)));
    expect((await addCheckpoint(witness, { old: 257, proof: await consistencyBetween(257, 70_000), checkpoint: forked })).status).toBe(422);
  });

  test('refuses a checkpoint with one changed bit, and one of another key', async () => {
    const changed = checkpoint(257).replace('257\n', '256\n');
    expect((await addCheckpoint(witness, { old: 0, proof: [], checkpoint: changed })).status).toBe(403);
    const theirs = signedCheckpoint(257, rootOf(vectorEntries(257)), namedKey('somebody else'));
    expect((await addCheckpoint(witness, { old: 0, proof: [], checkpoint: theirs })).status).toBe(403);
  });
});
