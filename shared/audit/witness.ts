import { asLockkeeperError, LockkeeperError } from '../base/error.ts';
import type { SignedCheckpoint } from './checkpoints.ts';
import { cosignatureKey, partialPrefix } from './layout.ts';
import type { LogRooms, Witness } from './log-rooms.ts';
import { encodeBase64 } from './tlog/base64.ts';
import { formatNote, parseNote, parseVerifierKey, type NoteSignature } from './tlog/note.ts';
import { consistencyProof, subtreeReader } from './tlog/proof.ts';
import { tilePath, tileWidth } from './tlog/tile.ts';
import { cosignatureIn, decodeCosignature, encodeCosignature } from './witness-line.ts';

/** A checkpoint with every cosignature it has by now, and which witnesses gave none. */
export interface Witnessed {
  readonly note: string;
  readonly problems: readonly string[];
}

/**
 * Has the checkpoint cosigned by every witness (C2SP tlog-witness), each asked once: what it gave is kept in the log store. A
 * witness that is away is a problem and no error: the log goes on, and the next checkpoint covers this one.
 */
export async function witnessed(rooms: LogRooms, checkpoint: SignedCheckpoint): Promise<Witnessed> {
  const { text, signatures } = parseNote(checkpoint.note);
  const asked = await Promise.all((rooms.witnesses ?? []).map((witness) => cosignedBy(rooms, checkpoint, witness)));
  const given = asked.filter((one) => typeof one !== 'string');
  return { note: formatNote(text, [...signatures, ...given]), problems: asked.filter((one) => typeof one === 'string') };
}

async function cosignedBy(rooms: LogRooms, checkpoint: SignedCheckpoint, witness: Witness): Promise<NoteSignature | string> {
  const key = parseVerifierKey(witness.key);
  const place = cosignatureKey(checkpoint.size, key.id);
  const kept = await rooms.log.get(place);
  if (kept) return decodeCosignature(kept.bytes, checkpoint.note).signature;
  try {
    const signature = cosignatureIn(checkpoint.note, await ask(rooms, checkpoint, { witness, old: 0 }), key);
    const line = formatNote('x\n', [signature]).slice('x\n\n'.length);
    const { outcome } = await rooms.log.create(place, encodeCosignature(witness.key, line));
    return outcome === 'done' ? signature : await cosignedBy(rooms, checkpoint, witness);
  } catch (thrown) {
    const { message } = asLockkeeperError(thrown);
    return `witness ${key.name} did not cosign the checkpoint of ${checkpoint.size} entries: ${message}`;
  }
}

/** A witness that knows another size answers 409 with it: then the proof is made from there. */
async function ask(rooms: LogRooms, checkpoint: SignedCheckpoint, { witness, old }: { readonly witness: Witness; readonly old: number }): Promise<string> {
  const body = `old ${old}\n${(await proofOf(rooms, old, checkpoint.size)).map((hash) => `${encodeBase64(hash)}\n`).join('')}\n${checkpoint.note}`;
  const answer = await post(`${witness.url.replace(/\/$/, '')}/add-checkpoint`, body);
  if (answer.status === 200) return answer.text;
  const known = answer.status === 409 && answer.type.startsWith('text/x.tlog.size') ? Number(answer.text.trim()) : NaN;
  if (Number.isSafeInteger(known) && known !== old && known <= checkpoint.size) return await ask(rooms, checkpoint, { witness, old: known });
  throw new LockkeeperError('rejected', `it answered ${answer.status} ${answer.text.trim().slice(0, 200)}${Number.isSafeInteger(known) ? ' (the size it knows)' : ''}`, {
    hint: 'A witness that knows a larger log, or another tree, has seen what this log does not have: run `lockkeeper audit verify`.',
  });
}

async function proofOf({ log, state }: LogRooms, from: number, to: number): Promise<readonly Uint8Array[]> {
  if (from === 0 || from === to) return [];
  const read = subtreeReader(to, async (level, index, width) => {
    const path = tilePath(level, index, width);
    const stored = width === tileWidth ? await log.get(path) : await state.get(`${partialPrefix}${path}`);
    if (stored) return stored.bytes;
    throw new LockkeeperError('not-found', `${path} is gone`, { hint: 'Run `lockkeeper audit verify`.' });
  });
  return await consistencyProof(from, to, read);
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

async function post(url: string, body: string): Promise<Answer> {
  try {
    const answer = await fetch(url, { method: 'POST', body, redirect: 'error', signal: AbortSignal.timeout(10_000) });
    return { status: answer.status, type: answer.headers.get('content-type') ?? '', text: (await answer.text()).slice(0, 64_000) };
  } catch (cause) {
    throw new LockkeeperError('unreachable', `${url} did not answer`, { cause, hint: 'Check the witness’s url and that it runs.' });
  }
}
