import { sign } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { tiledLog } from '../../shared/audit/export/tiled-log.ts';
import { proveEntry } from '../../shared/audit/export/prove.ts';
import { readCheckpoint } from '../../shared/audit/sealing/checkpoints.ts';
import { checkProof, formatProof, parseProof } from '../../shared/audit/tlog/proof.ts';
import { formatNote, keyId, parseVerifierKey, verifierKey } from '../../shared/audit/tlog/note.ts';
import { verifyTiles } from '../../shared/audit/verify/verify.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { rawEd25519 } from '../../shared/base/ed25519.ts';
import { MemoryBucket, memoryObjects } from '../../shared/objects/memory.ts';
import { contentsOf, exportTo } from '../audit/export-place.ts';
import { filled, identity, tamper } from '../audit/place.ts';
import { seeded } from '../audit/seeded.ts';
import { blindHands, pick, type Ground } from '../proofs/tamper-hands.ts';
import { logKey, logVkey, namedKey, origin, rootOf, signedCheckpoint } from './plain-log.ts';
import { xModDirectory, xModProof } from './x-mod.ts';

/** What one of the two accepts and the other refuses, each time. */
export type Disagreements = readonly string[];

const rewrites = ['truncate', 'empty', 'putAfter', 'extend', 'splice', 'flip'] as const;

/** An export of lockkeeper's in a directory, with one to three random changes; both are given the key. */
export async function changedExports(
  directory: string,
  { seed, rounds }: { readonly seed: number; readonly rounds: number },
): Promise<Disagreements> {
  const [at, log] = [await filled(600, 50), join(directory, 'export')];
  await exportTo(log, at);
  const whole = await contentsOf(log);
  const vkey = verifierKey(identity.origin, await identity.signer.publicKey());
  const said: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const [bucket, random] = [bucketOf(whole), seeded(seed * 100_003 + round)];
    // The key was given: what lies beside the log as its key is for lockkeeper alone to look at.
    const ground: Ground = {
      stores: [{ bucket, keys: () => [...bucket.objects.keys()].filter((key) => key !== 'log.vkey') }],
      other: bucket,
      random,
    };
    const names = Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
      pick(['delete', 'swap', 'copyOver', ...rewrites], random),
    );
    const touched = names.flatMap((name) => blindHands[name]?.(ground) ?? []);
    await put(log, touched, bucket);
    const [ours, theirs] = [
      (await verifyTiles({ store: memoryObjects(bucket), verifierKey: vkey })).ok,
      await xModDirectory(log, vkey),
    ];
    if (ours !== theirs.isAccepted)
      said.push(
        `round ${round} of ${seed}: ${names.join(', ')} of ${touched.join(', ')}: lockkeeper ${ours}, x-mod ${theirs.said}`,
      );
    await put(log, touched, bucketOf(whole));
  }
  return said;
}

function bucketOf(files: ReadonlyMap<string, Uint8Array>): MemoryBucket {
  const bucket = new MemoryBucket();
  for (const [path, bytes] of files) tamper(bucket, path, bytes);
  return bucket;
}

async function put(directory: string, paths: readonly string[], { objects }: MemoryBucket): Promise<void> {
  for (const path of paths) {
    const [file, bytes] = [join(directory, path), objects.get(path)?.bytes];
    await mkdir(dirname(file), { recursive: true });
    await (bytes ? writeFile(file, bytes) : rm(file, { force: true }));
  }
}

/** Texts that the key of the log signed, and which of the two takes them for the checkpoint of an empty log. */
export async function signedSpellings(
  directory: string,
  texts: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const said: Record<string, string> = {};
  for (const text of texts) {
    const line = {
      name: origin,
      id: keyId(origin, 0x01, rawEd25519(logKey)),
      bytes: sign(null, Buffer.from(text), logKey),
    };
    const note = formatNote(text, [line]);
    await writeFile(join(directory, 'checkpoint'), note);
    said[text] = verdictOf(
      isRead(() => readCheckpoint(note, parseVerifierKey(logVkey))),
      (await xModDirectory(directory, logVkey)).isAccepted,
    );
  }
  return said;
}

function verdictOf(ours: boolean, theirs: boolean): string {
  if (ours !== theirs) return ours ? 'lockkeeper' : 'x-mod';
  return ours ? 'both' : 'neither';
}

function isRead(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (thrown) {
    if (thrown instanceof LockkeeperError && thrown.code === 'invalid') return false;
    throw thrown;
  }
}

/** Proofs of entries, with one to three random changes. */
export async function changedProofs(
  directory: string,
  { seed, rounds }: { readonly seed: number; readonly rounds: number },
): Promise<Disagreements> {
  const at = await filled(600, 50);
  const vkey = verifierKey(identity.origin, await identity.signer.publicKey());
  const [file, entryFile] = [join(directory, 'proof'), join(directory, 'proven')];
  const said: string[] = [];
  const tiles = await tiledLog(at);
  for (let round = 0; round < rounds; round += 1) {
    const random = seeded(seed * 100_003 + round);
    const { entry, proof } = await proveEntry(tiles, Math.floor(random() * 602));
    const bucket = bucketOf(
      new Map([
        ['proof', Buffer.from(formatProof(proof))],
        ['proven', entry],
      ]),
    );
    const ground: Ground = {
      stores: [{ bucket, keys: () => (random() < 0.9 ? ['proof'] : ['proven']) }],
      other: bucket,
      random,
    };
    const names = Array.from({ length: Math.floor(random() * 3) }, () => pick(rewrites, random));
    for (const name of names) blindHands[name]?.(ground);
    await put(directory, ['proof', 'proven'], bucket);
    const [text, bytes] = [
      bucket.objects.get('proof')?.bytes ?? new Uint8Array(),
      bucket.objects.get('proven')?.bytes ?? new Uint8Array(),
    ];
    const ours = isRead(() =>
      checkProof({ proof: parseProof(Buffer.from(text).toString()), entry: bytes, keys: [parseVerifierKey(vkey)] }),
    );
    const theirs = await xModProof(file, vkey, entryFile);
    if (ours !== theirs.isAccepted)
      said.push(
        `round ${round} of ${seed}: ${names.join(', ')}: lockkeeper ${ours}, x-mod ${theirs.said}: ${Buffer.from(text).toString()}`,
      );
  }
  return said;
}

/**
 * The signed checkpoint of an empty log, its signature line said twice, put elsewhere, or one to three characters put
 * in or changed.
 */
export async function changedNotes(
  directory: string,
  { seed, rounds }: { readonly seed: number; readonly rounds: number },
): Promise<Disagreements> {
  const whole = signedCheckpoint(0, rootOf([]));
  const other = signedCheckpoint(0, rootOf([]), namedKey('somebody else'));
  const lines = [whole, other].flatMap((note) => note.split('\n').slice(4, 5));
  const said: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const random = seeded(seed * 100_003 + round);
    let note = whole;
    for (let left = 1 + Math.floor(random() * 3); left > 0; left -= 1)
      note = pick(noteHands, random)(note, { random, line: `${pick(lines, random)}\n` });
    await writeFile(join(directory, 'checkpoint'), note);
    const [ours, theirs] = [
      isRead(() => readCheckpoint(note, parseVerifierKey(logVkey))),
      await xModDirectory(directory, logVkey),
    ];
    if (ours !== theirs.isAccepted && (ours || !isRefusedByUsAlone(note)))
      said.push(`round ${round} of ${seed}: lockkeeper ${ours}, x-mod ${theirs.said}: ${JSON.stringify(note)}`);
  }
  return said;
}

/**
 * What is known: lockkeeper checks every line in the name of a key and x-mod the first; lockkeeper takes base64 only as
 * it would write it, and x-mod whatever the unused bits are; in a key's name U+FEFF is a space to lockkeeper, and
 * U+007F a control character.
 */
function isRefusedByUsAlone(note: string): boolean {
  const lines = note.split('\n').filter((line) => line.startsWith('— '));
  const ids = lines.map((line) =>
    line
      .split(' ')
      .slice(1)
      .join(' ')
      .slice(0, origin.length + 6),
  );
  const isSpelledOtherwise = lines.some((line) => {
    const encoded = line.split(' ')[2] ?? '';
    return Buffer.from(encoded, 'base64').toString('base64') !== encoded;
  });
  return new Set(ids).size < ids.length || isSpelledOtherwise || ['\u007f', '\ufeff'].some((one) => note.includes(one));
}

type NoteHand = (note: string, more: { readonly random: () => number; readonly line: string }) => string;

const odd = [
  '\n',
  ' ',
  '—',
  '— ',
  '=',
  '+',
  '\r',
  '\t',
  '\u00a0',
  '\u2003',
  '\u0085',
  '\u2028',
  'é',
  'A',
  '/',
  '\ufeff',
  '\u007f',
  '\0',
];

const noteHands: readonly NoteHand[] = [
  (note, { line }) => note + line,
  (note, { line }) => note.replace('\n\n', `\n\n${line}`),
  (note, { random }) => withAt(note, Math.floor(random() * note.length), { taken: 0, put: pick(odd, random) }),
  (note, { random }) => withAt(note, Math.floor(random() * note.length), { taken: 1, put: pick([...odd, ''], random) }),
  (note, { random }) =>
    withAt(note, note.length - 1 - Math.floor(random() * 4), {
      taken: 1,
      put: pick('ABCDEFGHQRSTghwx=048+/'.split(''), random),
    }),
];

function withAt(
  text: string,
  at: number,
  { taken, put: added }: { readonly taken: number; readonly put: string },
): string {
  return text.slice(0, at) + added + text.slice(at + taken);
}
