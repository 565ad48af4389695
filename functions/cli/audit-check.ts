import { decodeEntry } from '../../shared/audit/entries/codec.ts';
import type { IndexedEntry } from '../../shared/audit/read.ts';
import { parseCosignature } from '../../shared/audit/tlog/cosignature.ts';
import { parseNote, parseVerifierKey, type VerifierKey } from '../../shared/audit/tlog/note.ts';
import { checkProof, parseProof, type Proof, type Proven } from '../../shared/audit/tlog/proof.ts';
import { hasCode, LockkeeperError } from '../../shared/base/error.ts';
import { formatInstant, instant, second } from '../../shared/base/time.ts';
import type { AuditFiles } from './audit.ts';
import { entryTable, jsonOf } from './entry-table.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';
import { visible } from '../../shared/base/visible.ts';

export interface AuditCheckOptions {
  /** A .tlog-proof file. */
  readonly proof: string;
  /** A file with the entry's exact bytes. */
  readonly entry: string;
  /**
   * Verifier keys, NAME+ID+KEY: of the log, and of witnesses that must have cosigned. The configured one of the log
   * where there is none.
   */
  readonly keys: readonly string[];
}

/** What the wiring provides. */
export interface CheckDeps extends Pick<AuditFiles, 'bytes'> {
  /** The key of the log that the configuration trusts; undefined where it names none, or there is none. */
  configuredKey(): Promise<string | undefined>;
}

/**
 * `lockkeeper audit check PROOF --entry FILE`: whether these bytes are an entry of the log, from the two files and the
 * key alone. Needs no log and no network. `invalid`, with why, where it is not proven, or one of the witnesses did not
 * cosign. JSON: {index, origin, size, root, signers, entry}; `entry` is null where it is none of lockkeeper's.
 */
export async function auditCheckVerb(
  { proof: file, entry: entryFile, keys: given }: AuditCheckOptions,
  deps: CheckDeps,
  terminal: Terminal,
): Promise<ExitCode> {
  const keys = (await keysOf(given, deps)).map(parseVerifierKey);
  const [proof, bytes] = [parseProof(Buffer.from(await deps.bytes(file)).toString()), await deps.bytes(entryFile)];
  const proven = checkProof({ proof, entry: bytes, keys });
  const silent = keys.find((key) => key.type === 0x04 && !proven.signers.includes(key));
  if (silent)
    throw new LockkeeperError(
      'invalid',
      `the witness ${silent.name} (${silent.id}) did not cosign the checkpoint of this proof`,
      { hint: 'Ask for a newer proof: a checkpoint is cosigned when the witness can be reached.' },
    );
  const entry = entryIn(bytes, proof.index);
  const signers = proven.signers.map((key) => signerOf(key, proof));
  if (terminal.json) terminal.out(jsonOfProven(proof, proven, { signers, entry: entry ? jsonOf(entry) : null }));
  else for (const line of [...told(proof, proven, signers), ...(entry ? entryTable([entry]) : [])]) terminal.out(line);
  return exitCode.done;
}

async function keysOf(given: readonly string[], deps: CheckDeps): Promise<readonly string[]> {
  if (given.length > 0) return given;
  const configured = await deps.configuredKey();
  if (configured !== undefined) return [configured];
  throw new LockkeeperError('invalid', 'a proof can only be checked with the key of its log', {
    hint: 'Give --key NAME+ID+KEY, as you got it from whoever runs the log: it is the line in log.vkey.',
  });
}

interface Signer {
  readonly name: string;
  readonly id: string;
  /** When a witness cosigned, RFC 3339; null for the log itself. */
  readonly at: string | null;
}

function signerOf({ name, id, type }: VerifierKey, { checkpoint }: Proof): Signer {
  const line = parseNote(checkpoint).signatures.find((one) => one.name === name && one.id === id);
  const time = type === 0x04 && line ? parseCosignature(line.bytes).time : undefined;
  return { name, id, at: time === undefined ? null : formatInstant(instant(time * second)) };
}

function jsonOfProven({ index }: Proof, { checkpoint: { origin, size, root } }: Proven, more: object): string {
  return JSON.stringify({ index, origin, size, root: Buffer.from(root).toString('hex'), ...more });
}

function told(
  { index }: Proof,
  { checkpoint: { origin, size } }: Proven,
  signers: readonly Signer[],
): readonly string[] {
  const by = signers.map(
    ({ name, id, at }) => `${at === null ? 'signed' : 'cosigned'} by ${name} (${id})${at === null ? '' : ` at ${at}`}`,
  );
  return [`proven: this is entry ${index} of ${origin}, as of ${size} entries`, ...by].map(visible);
}

/** Entries of other logs are proven just as well, and only not told. */
function entryIn(bytes: Uint8Array, index: number): IndexedEntry | undefined {
  try {
    return { ...decodeEntry(bytes), index };
  } catch (thrown) {
    if (hasCode(thrown, 'invalid')) return undefined;
    throw thrown;
  }
}
