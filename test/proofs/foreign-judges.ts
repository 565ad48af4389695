import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseNote, parseVerifierKey, verifyNote } from '../../shared/audit/tlog/note.ts';
import { consistencyProof, formatProof, inclusionProof, subtreeReader } from '../../shared/audit/tlog/proof.ts';
import { tilePath } from '../../shared/audit/tlog/tile.ts';
import { withFlippedByte } from '../judges/flip.ts';
import { fsckDirectory } from '../judges/fsck.ts';
import { addCheckpoint, startWitness, type Witness } from '../judges/litewitness.ts';
import { ocsfEvents } from '../judges/ocsf.ts';
import { xModDirectory, xModProof } from '../judges/x-mod.ts';
import type { ExportedLog } from './foreign-logs.ts';

/** Takes one judgement: did it come out as it must? Says which one did not. */
export type Note = (what: string, isRight: boolean, said: string) => void;

/** The logs, largest last, and the line of their key. */
export interface Logs {
  readonly all: readonly ExportedLog[];
  readonly largest: ExportedLog;
  readonly origin: string;
  readonly vkey: string;
}

/** Files of the largest log, of each kind, and where in them a bit is flipped. */
const places = [
  ['tile/entries/000', 2],
  ['tile/entries/137', 30_000],
  ['tile/entries/273.p/112', -2],
  ['tile/0/000', 0],
  ['tile/0/137', 4_097],
  ['tile/0/273.p/112', -1],
  ['tile/1/000', 8_000],
  ['tile/1/001.p/17', 17],
  ['tile/2/000.p/1', 31],
  ['checkpoint', 3],
  ['checkpoint', 30],
  ['checkpoint', -40],
] as const;

/** golang.org/x/mod: each log with all before it as its beginnings, some proofs, and each flipped bit. */
export async function judgeByXMod({ all, largest, vkey }: Logs, note: Note): Promise<void> {
  for (const [at, { size, directory }] of all.entries()) {
    const older = all.slice(0, at).map((log) => join(log.directory, 'checkpoint'));
    const { isAccepted, said } = await xModDirectory(directory, vkey, older);
    note(`x-mod, ${size} entries`, isAccepted && said === `ok size=${size}`, said);
  }
  for (const index of [0, 255, 256, 69_887, 69_999]) {
    const proof = await writeProof(largest, index);
    const right = await xModProof(proof.file, vkey, proof.entry);
    note(`x-mod, proof of ${index}`, right.isAccepted, right.said);
    const wrong = await withFlippedByte(proof.entry, 100, async () => xModProof(proof.file, vkey, proof.entry));
    note(`x-mod, proof of ${index} for other bytes`, !wrong.isAccepted, wrong.said);
  }
  for (const [file, at] of places) {
    const { isAccepted, said } = await withFlippedByte(join(largest.directory, file), at, async () =>
      xModDirectory(largest.directory, vkey),
    );
    note(`x-mod, ${file} changed at ${at}`, !isAccepted, said);
  }
}

/** Tessera's fsck: each log, and each flipped bit. */
export async function judgeByFsck({ all, largest, vkey }: Logs, note: Note): Promise<void> {
  for (const { size, directory } of all) {
    const { isAccepted, said } = await fsckDirectory(directory, vkey);
    note(`fsck, ${size} entries`, isAccepted && said.includes(`log with size ${size} and`), said);
  }
  for (const [file, at] of places) {
    const { isAccepted, said } = await withFlippedByte(join(largest.directory, file), at, async () =>
      fsckDirectory(largest.directory, vkey),
    );
    note(`fsck, ${file} changed at ${at}`, !isAccepted && /fsck failed|panic/.test(said), said);
  }
}

/** litewitness: sees the log grow with our proofs; what it must refuse it is asked before the last step. */
export async function judgeByLitewitness({ all, largest, origin, vkey }: Logs, note: Note): Promise<void> {
  const witness = await startWitness(origin, vkey);
  try {
    let old = 0;
    for (const log of all) {
      if (log === largest) await refusedByLitewitness(witness, { log, old }, note);
      const { status, body } = await offer(witness, { log, old });
      const signers = status === 200 ? await signersOf(log, body, [vkey, witness.vkey]) : [];
      note(`litewitness, from ${old} to ${log.size}`, signers.length === 2, `${status} ${body}`);
      old = log.size;
    }
  } finally {
    await witness.stop();
  }
}

/** What the way from 257 to 70,000 entries is proved with, and the status that a change of it must have. */
const witnessPlaces = [
  ['tile/0/001', 33, 422],
  ['tile/1/000', 100, 422],
  ['tile/1/001.p/17', 3, 422],
  ['checkpoint', 30, 403],
  ['checkpoint', -40, 403],
] as const;

/**
 * What it says of a note that cannot be taken apart, as one whose signature is no base64 any more: which letter a bit
 * makes of another is chance.
 */
const isMalformed = ({ status, body }: { readonly status: number; readonly body: string }): boolean =>
  status === 500 && body.startsWith('malformed note');

async function refusedByLitewitness(witness: Witness, step: Step, note: Note): Promise<void> {
  const { directory } = step.log;
  for (const [file, at, status] of witnessPlaces) {
    const answer = await withFlippedByte(join(directory, file), at, async () => offer(witness, step));
    note(
      `litewitness, ${file} changed at ${at}`,
      answer.status === status || (file === 'checkpoint' && isMalformed(answer)),
      `${answer.status} ${answer.body}`,
    );
  }
  const stale = await offer(witness, { ...step, old: 1 });
  note(
    'litewitness, a size that it is past',
    stale.status === 409 && stale.body === `${step.old}\n`,
    `${stale.status} ${stale.body}`,
  );
}

interface Step {
  readonly log: ExportedLog;
  readonly old: number;
}

async function offer(witness: Witness, { log, old }: Step): ReturnType<typeof addCheckpoint> {
  const proof = await consistencyProof(old, log.size, readerOf(log));
  return await addCheckpoint(witness, { old, proof, checkpoint: await checkpointOf(log) });
}

async function signersOf(
  log: ExportedLog,
  cosignatures: string,
  vkeys: readonly string[],
): Promise<readonly unknown[]> {
  return verifyNote(parseNote((await checkpointOf(log)) + cosignatures), vkeys.map(parseVerifierKey));
}

/** The OCSF schema: the entries of a small log, and the first of them with one bit changed where it matters. */
export async function judgeByOcsf({ all }: Logs, note: Note): Promise<void> {
  const entries = all.find(({ size }) => size === 257)?.entries ?? [];
  const { isAccepted, said } = await ocsfEvents(entries);
  note(`ocsf, ${entries.length} entries`, isAccepted, said);
  const changed = Buffer.from(entries[0] ?? []);
  const at = changed.indexOf('"time":') + 1;
  changed[at] = (changed[at] ?? 0) ^ 1;
  const refused = await ocsfEvents([changed]);
  note(
    'ocsf, an attribute with another name',
    !refused.isAccepted && refused.said.includes("'time' is a required property"),
    refused.said,
  );
}

/** A proof file of the entry at `index`, and the entry's bytes in a file. */
async function writeProof(log: ExportedLog, index: number): Promise<{ readonly file: string; readonly entry: string }> {
  const hashes = await inclusionProof(index, log.size, readerOf(log));
  const [file, entry] = [`${log.directory}-${index}.tlog-proof`, `${log.directory}-${index}.json`];
  await writeFile(file, formatProof({ index, hashes, checkpoint: await checkpointOf(log) }));
  await writeFile(entry, log.entries[index] ?? '');
  return { file, entry };
}

function readerOf({ size, directory }: ExportedLog): ReturnType<typeof subtreeReader> {
  return subtreeReader(size, async (level, index, width) => readFile(join(directory, tilePath(level, index, width))));
}

async function checkpointOf({ directory }: ExportedLog): Promise<string> {
  return await readFile(join(directory, 'checkpoint'), 'utf8');
}
