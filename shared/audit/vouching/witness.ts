import { asLockkeeperError, hasCode, LockkeeperError } from '../../base/error.ts';
import { second } from '../../base/time.ts';
import type { SignedCheckpoint } from '../sealing/checkpoints.ts';
import { checkpointKey, cosignatureKey, partialPrefix } from '../layout.ts';
import type { LogDeps, Witness } from '../log-deps.ts';
import { encodeBase64 } from '../tlog/base64.ts';
import { hashBytes } from '../tlog/merkle.ts';
import { formatNote, parseNote, parseVerifierKey, type NoteSignature, type VerifierKey } from '../tlog/note.ts';
import { consistencyProof, subtreeReader } from '../tlog/proof.ts';
import { tilePath, tileWidth } from '../tlog/tile.ts';
import { cosignatureIn, decodeCosignature, encodeCosignature } from './witness-line.ts';

/** A checkpoint with every cosignature it has by now. */
export interface Witnessed {
  readonly note: string;
  /** How many witnesses vouch for it: they cosigned it, or a later one that covers it. */
  readonly cosigned: number;
  /** Why the others did not. */
  readonly problems: readonly string[];
  /** Those of the problems that say that the log was cut off or forked. */
  readonly alarms: readonly string[];
}

/** Why a witness gave nothing. */
interface Silence {
  readonly problem: string;
  readonly isAlarm: boolean;
}

/** What a witness gave: its line; undefined where a later checkpoint of this log has overtaken this one. */
type Given = { readonly signature: NoteSignature | undefined } | Silence;

/**
 * Has the checkpoint cosigned by every witness (C2SP tlog-witness), each asked once: what it gave is kept in the log
 * store. A witness that is away, or says nonsense, is a problem and no error: the log goes on, and the next checkpoint
 * covers this one. Throws what the stores throw.
 */
export async function witnessed(deps: LogDeps, checkpoint: SignedCheckpoint): Promise<Witnessed> {
  const { text, signatures } = parseNote(checkpoint.note);
  const asked = await Promise.all((deps.witnesses ?? []).map((witness) => cosignedBy(deps, checkpoint, witness)));
  const vouching = asked.filter((one) => 'signature' in one);
  const silent = asked.filter((one) => 'problem' in one);
  const given = vouching.flatMap(({ signature }) => signature ?? []);
  return {
    note: formatNote(text, [...signatures, ...given]),
    cosigned: vouching.length,
    problems: silent.map(({ problem }) => problem),
    alarms: silent.filter(({ isAlarm }) => isAlarm).map(({ problem }) => problem),
  };
}

async function cosignedBy(deps: LogDeps, checkpoint: SignedCheckpoint, witness: Witness): Promise<Given> {
  const key = parseVerifierKey(witness.key);
  const place = cosignatureKey(checkpoint.size, key.id);
  const kept = await deps.log.get(place);
  const own = kept && ownLine(key, kept.bytes, checkpoint.note);
  if (own) return { signature: own };
  const answer = await ask(deps, checkpoint, { ...witness, name: key.name });
  if (answer === undefined) return { signature: undefined };
  if (typeof answer !== 'string') return answer;
  const given = lineIn(key, () => cosignatureIn(checkpoint.note, answer, key));
  if (!('signature' in given) || !given.signature) return given;
  const line = formatNote('x\n', [given.signature]).slice('x\n\n'.length);
  const { outcome } = await deps.log.create(place, encodeCosignature(witness.key, line));
  // Another integrator was faster: the line that is kept is the one to publish, unless it is none of this witness.
  return outcome === 'done' || kept ? given : await cosignedBy(deps, checkpoint, witness);
}

/** What is kept, where this witness gave it: anybody who may write to the log store can have put something there. */
function ownLine(key: VerifierKey, kept: Uint8Array, note: string): NoteSignature | undefined {
  try {
    const { key: by, signature } = decodeCosignature(kept, note);
    return by.name === key.name && Buffer.compare(by.publicKey, key.publicKey) === 0 ? signature : undefined;
  } catch (thrown) {
    if (hasCode(thrown, 'invalid') || hasCode(thrown, 'unsupported')) return undefined;
    throw thrown;
  }
}

function lineIn({ name }: VerifierKey, read: () => NoteSignature): Given {
  try {
    return { signature: read() };
  } catch (thrown) {
    const { code, message } = asLockkeeperError(thrown);
    if (code !== 'invalid') throw thrown;
    return didNot(name, `what it answered does not count: ${message}`);
  }
}

function didNot(name: string, why: string): Silence {
  return { problem: `witness ${name} did not cosign: ${why}`, isAlarm: false };
}

function hasSeenAnother(name: string, what: string): Silence {
  return {
    problem: `witness ${name} has seen another log than this: ${what}; run \`lockkeeper audit verify\``,
    isAlarm: true,
  };
}

/** So often a witness may name another size, while others have it cosign too. */
const mostSizes = 4;

/**
 * Its answer: signature lines, or undefined where it has cosigned a later checkpoint of this log. It is asked as by one
 * that does not know what it has seen, and answers 409 with that size: then the proof is made from there.
 */
async function ask(
  deps: LogDeps,
  checkpoint: SignedCheckpoint,
  { url, name, waitMs }: Witness & { readonly name: string },
): Promise<string | undefined | Silence> {
  for (let [old, asked] = [0, 0]; asked < mostSizes; asked += 1) {
    const proof = (await proofOf(deps, old, checkpoint.size)).map((hash) => `${encodeBase64(hash)}\n`).join('');
    const answer = await post(`${url.replace(/\/$/, '')}/add-checkpoint`, {
      body: `old ${old}\n${proof}\n${checkpoint.note}`,
      waitMs,
    });
    if (typeof answer === 'string') return didNot(name, answer);
    if (answer.status === 200) return answer.text;
    const known = answer.status === 409 && answer.type.startsWith('text/x.tlog.size') ? sizeIn(answer.text) : undefined;
    if (answer.status === 422)
      return hasSeenAnother(name, `it refuses the proof that the ${old} entries it knows are the first of this log`);
    if (known === undefined) return didNot(name, refusal(answer));
    if (known === old) return hasSeenAnother(name, `its tree of ${old} entries is another one`);
    if (known > checkpoint.size) return await overtaken(deps, name, known);
    old = known;
  }
  return didNot(name, `it named another size ${mostSizes} times`);
}

/** Somebody else may have sealed meanwhile; a size that this log never had is another matter. */
async function overtaken({ log }: LogDeps, name: string, known: number): Promise<undefined | Silence> {
  if (await log.get(checkpointKey(known))) return undefined;
  return hasSeenAnother(
    name,
    `it knows ${known} entries, of which there is no checkpoint here: the log was cut off, or signed elsewhere too`,
  );
}

function refusal({ status, text }: Answer): string {
  const hints: Readonly<Record<number, string>> = {
    403: '; its operator needs the key in log.vkey',
    404: '; its operator has to add this log, with the key in log.vkey',
  };
  const said = shownPart(text);
  return `it answered ${`${status} ${said}`.trim()}${hints[status] ?? ''}`;
}

/** What of an answer is shown to people: its beginning, in one line. */
function shownPart(text: string): string {
  const beginning = text.trim().slice(0, 200);
  // oxlint-disable-next-line no-control-regex -- it is shown to people
  return beginning.replaceAll(/[\0-\x1f\x7f]+/g, ' ');
}

function sizeIn(text: string): number | undefined {
  const size = /^(0|[1-9]\d{0,15})\n?$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(size) ? size : undefined;
}

async function proofOf({ log, state }: LogDeps, from: number, to: number): Promise<readonly Uint8Array[]> {
  if (from === 0 || from === to) return [];
  const read = subtreeReader(to, async (level, index, width) => {
    const path = tilePath(level, index, width);
    const partial = width === tileWidth ? undefined : await state.get(`${partialPrefix}${path}`);
    // Another integrator may have filled the tile, and swept the partial one away.
    const stored = partial ?? (await log.get(tilePath(level, index, tileWidth)));
    if (stored) return stored.bytes.subarray(0, width * hashBytes);
    throw new LockkeeperError('not-found', `${path} is gone`, { hint: 'Run `lockkeeper audit verify`.' });
  });
  return await consistencyProof(from, to, read);
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** Signatures of a hundred witnesses take less. */
const longestAnswer = 64_000;

/** Its answer, or what happened instead. */
async function post(
  url: string,
  { body, waitMs = 10 * second }: { readonly body: string; readonly waitMs: number | undefined },
): Promise<Answer | string> {
  try {
    const answer = await fetch(url, { method: 'POST', body, redirect: 'manual', signal: AbortSignal.timeout(waitMs) });
    return { status: answer.status, type: answer.headers.get('content-type') ?? '', text: await textOf(answer) };
  } catch (thrown) {
    return `${url} did not answer${isLate(thrown) ? ` within ${waitMs / second} s` : ''}`;
  }
}

function isLate(thrown: unknown): boolean {
  return typeof thrown === 'object' && thrown !== null && 'name' in thrown && thrown.name === 'TimeoutError';
}

/** What comes after the limit is not read: an answer without end would fill the memory. */
async function textOf({ body }: { readonly body: AsyncIterable<Uint8Array> | null }): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body ?? []) {
    parts.push(part);
    length += part.length;
    if (length > longestAnswer) break;
  }
  return Buffer.concat(parts).toString().slice(0, longestAnswer);
}
