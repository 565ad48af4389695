import { z } from 'zod';
import { canonicalJson, sha256 } from '../../base/canonical.ts';
import { hasCode } from '../../base/error.ts';
import { dayOf, type Instant } from '../../base/time.ts';
import type { ObjectStore, ObjectVersion } from '../../objects/contract.ts';
import { parseBatchKey, sequencedKey } from '../layout.ts';
import {
  endOf,
  noSequence,
  readOwnSequence,
  sequencesFrom,
  type SequenceTrust,
  type StoredSequence,
} from './sequence.ts';
import { tampered } from '../tampered.ts';

/**
 * Which entries have their place, and so which batches are next. The truth is in the sequence records; what the state
 * store keeps is an extract of them up to some size, which saves reading them all. Where it is lost or behind, they are
 * read on from there.
 */
export interface Sequenced {
  /** How many entries have their place. */
  readonly size: number;
  /** Hash of the last record, and the index of its first entry. */
  readonly last: string;
  readonly lastFirst: number;
  /** Runs that began on an earlier day are done with: all of their batches have their place, and no more may come. */
  readonly doneBefore: string;
  /** Next batch of each run that began since. */
  readonly runs: ReadonlyMap<string, { readonly day: string; readonly next: number }>;
}

/** An extract as the state store has it. */
export interface HeldSequenced extends Sequenced {
  readonly version: ObjectVersion | undefined;
  /** What it says in `doneBefore`, believed or not. */
  readonly saidDone: string;
}

/** What is known of a log before its records are read. */
export const nothingSequenced: HeldSequenced = {
  size: 0,
  last: noSequence,
  lastFirst: 0,
  doneBefore: '',
  runs: new Map(),
  version: undefined,
  saidDone: '',
};

/**
 * What the state store remembers; nothing where it remembers none, or what it has is not as it was written: then all is
 * read anew.
 */
async function remembered(state: ObjectStore): Promise<HeldSequenced> {
  const stored = await state.get(sequencedKey);
  if (!stored) return nothingSequenced;
  const parsed = schema.safeParse(parse(stored.bytes));
  if (!parsed.success) return { ...nothingSequenced, version: stored.version };
  const { size, last, lastFirst, doneBefore, runs, forgotten } = parsed.data;
  const extract = {
    size,
    last,
    lastFirst,
    doneBefore,
    runs: new Map(runs.map(([run, day, next]) => [run, { day, next }])),
  };
  const isWhole = Buffer.compare(encodeExtract(extract, forgotten), stored.bytes) === 0;
  const held = { version: stored.version, saidDone: isWhole ? doneBefore : '' };
  return isWhole && forgotten === undefined ? { ...extract, ...held } : { ...nothingSequenced, ...held };
}

/**
 * With a sum over all of it: a wrong number here would give a batch two places, or none, in a log that nobody can
 * repair.
 */
function encodeExtract({ size, last, lastFirst, doneBefore, runs }: Sequenced, forgotten?: string): Uint8Array {
  const known = { size, last, lastFirst, doneBefore, runs: [...runs].map(([run, { day, next }]) => [run, day, next]) };
  const open = forgotten === undefined ? known : { ...known, forgotten };
  return Uint8Array.from(Buffer.from(canonicalJson({ ...open, sum: sha256(canonicalJson(open)) })));
}

/** The day before which the integrator is done with every run, as far as the state store remembers. */
export async function rememberedDone(state: ObjectStore): Promise<string> {
  return (await remembered(state)).saidDone;
}

/**
 * What is sequenced by now. An extract that does not fit the records is not believed: then all of them are read. Nor is
 * one that is done with days that are not over `now`: whoever kept it has a clock that is more than a day ahead, and
 * others still write.
 */
export async function readSequenced({
  log,
  state,
  now,
  trust,
}: {
  readonly log: ObjectStore;
  readonly state: ObjectStore;
  readonly now?: Instant;
  readonly trust: SequenceTrust;
}): Promise<HeldSequenced> {
  const held = await remembered(state);
  const isAhead = now !== undefined && held.doneBefore >= dayOf(now);
  const record = held.size > 0 ? await readOwnSequence(log, held.lastFirst, trust) : undefined;
  const fits =
    held.size === 0 ||
    (record !== undefined && record !== 'planted' && record.hash === held.last && endOf(record) === held.size);
  return await catchUp(
    log,
    fits && !isAhead ? held : { ...nothingSequenced, version: held.version, saidDone: held.saidDone },
    trust,
  );
}

/**
 * Keeps an extract that knows more than the one it was read from. Somebody else's newer one is left: it is only an
 * extract.
 */
export async function keepSequenced(state: ObjectStore, held: HeldSequenced, now: Sequenced): Promise<void> {
  if (now.size === held.size && now.doneBefore === held.saidDone && held.version !== undefined) return;
  const bytes = encodeExtract({ ...now, runs: new Map([...now.runs].filter(([, { day }]) => day >= now.doneBefore)) });
  try {
    await (held.version === undefined
      ? state.create(sequencedKey, bytes)
      : state.replace(sequencedKey, bytes, held.version));
  } catch (thrown) {
    if (!hasCode(thrown, 'uncertain')) throw thrown;
  }
}

/**
 * Has whoever seals next read all records and list the whole inbox: what came too late for its day has its place then.
 * Nobody who seals already keeps what it knows: so `mark` is new each time, as stores may name a version after its
 * content.
 */
export async function forgetSequenced(state: ObjectStore, mark: string): Promise<void> {
  for (;;) {
    const { saidDone, version } = await remembered(state);
    const bytes = encodeExtract({ ...nothingSequenced, doneBefore: saidDone }, mark);
    const { outcome } = await (version === undefined
      ? state.create(sequencedKey, bytes)
      : state.replace(sequencedKey, bytes, version));
    if (outcome === 'done') return;
  }
}

/**
 * `known` moved on over every record that was written since and counts; `conflict` where one does not follow the one
 * before.
 */
export async function catchUp<Known extends Sequenced>(
  log: ObjectStore,
  known: Known,
  trust: SequenceTrust,
): Promise<Known> {
  let now = known;
  for await (const next of sequencesFrom(log, now.size, trust)) {
    if (next.previous !== now.last)
      throw tampered(`the record of entry ${next.first} does not follow the one before it`);
    now = { ...now, ...follow(now, next) };
  }
  return now;
}

/** `known` after one more record. */
export function follow(
  known: Sequenced,
  record: StoredSequence,
): Pick<Sequenced, 'size' | 'last' | 'lastFirst' | 'runs'> {
  const runs = new Map(known.runs);
  for (const { key } of record.batches) {
    const name = parseBatchKey(key);
    if (name) runs.set(name.run, { day: name.day, next: name.batch + 1 });
  }
  return { size: endOf(record), last: record.hash, lastFirst: record.first, runs };
}

const schema = z.object({
  size: z.number().int().nonnegative(),
  last: z.string(),
  lastFirst: z.number().int().nonnegative(),
  doneBefore: z.union([z.literal(''), z.iso.date()]),
  runs: z.array(z.tuple([z.string(), z.string(), z.number().int().nonnegative()])),
  /** It is to be read anew; only `doneBefore` counts. */
  forgotten: z.string().optional(),
  sum: z.string(),
});

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch (thrown) {
    if (
      thrown instanceof SyntaxError ||
      (typeof thrown === 'object' && thrown !== null && 'name' in thrown && thrown.name === 'SyntaxError')
    )
      return undefined;
    throw thrown;
  }
}
