import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { memorySigner } from '../../shared/signers/memory.ts';
import { decodeBase64 } from '../../shared/audit/tlog/base64.ts';
import { parseCheckpoint, type Checkpoint } from '../../shared/audit/tlog/checkpoint.ts';
import { cosignedText, formatCosignature } from '../../shared/audit/tlog/cosignature.ts';
import { emptyRoot, verifyConsistency, type Hash } from '../../shared/audit/tlog/merkle.ts';
import {
  formatNote,
  keyId,
  parseNote,
  parseVerifierKey,
  verifierKey,
  verifyNote,
  type Note,
} from '../../shared/audit/tlog/note.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { listenOnLoopback } from '../clouds/loopback.ts';

/** What a witness has on its disk: the newest tree that it cosigned, by origin. It outlives the server. */
export type WitnessBook = Map<string, { readonly size: number; readonly root: Hash }>;

/** An answer of the protocol. */
export interface WitnessAnswer {
  readonly status: number;
  readonly type?: string;
  readonly body?: string;
}

export interface WitnessOptions {
  readonly name?: string;
  /** Verifier keys of the logs it knows. */
  readonly logs: readonly string[];
  readonly book?: WitnessBook;
  /** Takes the place of what the specification says, of which it is given the answer; may wait. */
  readonly mood?: ((proper: WitnessAnswer) => WitnessAnswer | Promise<WitnessAnswer>) | undefined;
}

/** A running witness. */
export interface WitnessServer {
  readonly url: string;
  readonly key: string;
  /** Every request: the size it said was old, that of its checkpoint, and the status it got. */
  readonly asked: readonly { readonly old: number; readonly size: number; readonly status: number }[];
  stop(): Promise<void>;
}

/** The seconds that a cosignature of this witness states; the next one states the next. */
const firstSecond = 1_790_000_000;

/** A witness that keeps https://c2sp.org/tlog-witness to the letter, on a free port of 127.0.0.1. */
export async function startWitnessServer({
  mood = (proper) => proper,
  ...options
}: WitnessOptions): Promise<WitnessServer> {
  const { key, asked, answer } = await witnessWithoutServer(options);
  const server = await listenOnLoopback(
    (request, response) => void respond(request, response, async (body) => await mood(await answer(body))),
  );
  return { url: `${server.url}/witness/`, key, asked, stop: () => server.close() };
}

/** What the server answers with: `answer` takes the body of an `add-checkpoint`. */
export async function witnessWithoutServer({
  name = 'witness.test/one',
  logs,
  book = new Map(),
}: Omit<WitnessOptions, 'mood'>) {
  const signer = memorySigner(Uint8Array.from({ length: 32 }, (_, at) => name.charCodeAt(at % name.length)));
  const publicKey = await signer.publicKey();
  const asked: { old: number; size: number; status: number }[] = [];
  let time = firstSecond;
  const answer = async (body: string): Promise<WitnessAnswer> => {
    const { answer: proper, old, next } = judge(body, logs, book);
    asked.push({ old, size: next?.size ?? NaN, status: proper.status });
    if (proper.status !== 200 || !next) return proper;
    book.set(next.origin, next);
    const text = body.slice(body.indexOf('\n\n') + 2);
    const signed = parseNote(text).text;
    const signature = await signer.sign(Buffer.from(cosignedText((time += 1), signed)));
    const line = { name, id: keyId(name, 0x04, publicKey), bytes: formatCosignature({ time, signature }) };
    return { status: 200, body: formatNote('x\n', [line]).slice('x\n\n'.length) };
  };
  return { key: verifierKey(name, publicKey, 0x04), asked, answer };
}

/** What a witness that hangs does; long enough for any test's patience. */
export async function late(proper: WitnessAnswer): Promise<WitnessAnswer> {
  await pause(30_000, undefined, { ref: false });
  return proper;
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (body: string) => Promise<WitnessAnswer>,
): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) if (Buffer.isBuffer(part)) parts.push(part);
  const isRight = request.method === 'POST' && request.url === '/witness/add-checkpoint';
  const {
    status,
    type = 'text/plain',
    body = '',
  } = isRight ? await answer(Buffer.concat(parts).toString()) : { status: 405 };
  response.writeHead(status, { 'content-type': type }).end(body);
}

interface Judged {
  readonly answer: WitnessAnswer;
  readonly old: number;
  /** What it cosigns; undefined where it cannot be read. */
  readonly next: Checkpoint | undefined;
}

function judge(body: string, logs: readonly string[], book: WitnessBook): Judged {
  const asked = parseRequest(body);
  if (!asked) return { answer: { status: 400, body: 'bad request' }, old: NaN, next: undefined };
  const { old, proof, note } = asked;
  const next = parseCheckpoint(note.text);
  const refuse = (status: number, said: string, type?: string): Judged => ({
    answer: { status, body: said, ...(type !== undefined && { type }) },
    old,
    next,
  });
  const keys = logs.map((log) => parseVerifierKey(log)).filter((key) => key.name === next.origin);
  if (keys.length === 0) return refuse(404, 'unknown log');
  if (!isSigned(note, keys)) return refuse(403, 'bad signature');
  if (old > next.size) return refuse(400, 'old size is larger');
  const known = book.get(next.origin) ?? { size: 0, root: emptyRoot };
  const conflict = (): Judged => refuse(409, `${known.size}\n`, 'text/x.tlog.size');
  if (old !== known.size) return conflict();
  if (old === next.size && Buffer.compare(known.root, next.root) !== 0) return conflict();
  const isConsistent = verifyConsistency({
    oldSize: old,
    newSize: next.size,
    proof,
    oldRoot: known.root,
    newRoot: next.root,
  });
  return isConsistent ? { answer: { status: 200 }, old, next } : refuse(422, 'the proof proves nothing');
}

interface Asked {
  readonly old: number;
  readonly proof: readonly Hash[];
  readonly note: Note;
}

/** Undefined unless it has exactly the form of the specification. */
function parseRequest(body: string): Asked | undefined {
  const blank = body.indexOf('\n\n');
  const [first = '', ...lines] = body.slice(0, blank).split('\n');
  const old = /^old (0|[1-9]\d*)$/.exec(first)?.[1];
  const proof = lines
    .map((line) => decodeBase64(line))
    .filter((hash) => hash?.length === 32)
    .filter((hash) => hash !== undefined);
  if (blank < 0 || old === undefined || proof.length !== lines.length || lines.length > 63) return undefined;
  if (old === '0' && lines.length > 0) return undefined;
  return { old: Number(old), proof, note: parseNote(body.slice(blank + 2)) };
}

function isSigned(note: Note, keys: Parameters<typeof verifyNote>[1]): boolean {
  try {
    return verifyNote(note, keys).length > 0;
  } catch (thrown) {
    if (thrown instanceof LockkeeperError) return false;
    throw thrown;
  }
}
