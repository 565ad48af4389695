import { z } from 'zod';
import { publishedKey, sequencedKey } from '../../shared/audit/layout.ts';
import { decodeSequence, endOf } from '../../shared/audit/sealing/sequence.ts';
import { verifierKey } from '../../shared/audit/tlog/note.ts';
import { verifyLog, type VerifyLogOptions } from '../../shared/audit/verify/verify.ts';
import { canonicalJson, sha256 } from '../../shared/base/canonical.ts';
import { asLockkeeperError, LockkeeperError } from '../../shared/base/error.ts';
import { day } from '../../shared/base/time.ts';
import { MemoryBucket, memoryObjects } from '../../shared/objects/memory.ts';
import { event, identity, place, runOn, stored, tamper, type LogPlace } from '../audit/place.ts';
import { seeded } from '../audit/seeded.ts';
import { startWitnessServer } from '../audit/witness-server.ts';
import { testWorld } from '../world.ts';
import type { Tampering } from './tamper-flips.ts';
import { keysIn } from './tamper-forgery.ts';
import { blindHands, pick } from './tamper-hands.ts';

/** What both stores held at a moment. */
type Moment = readonly ReadonlyMap<string, { readonly bytes: Uint8Array; readonly version: string }>[];

interface Lived {
  readonly at: LogPlace;
  readonly moments: readonly Moment[];
  readonly witnessKey: string;
  /** What an auditor saved at the end. */
  readonly since: string;
}

/**
 * Both stores taken back to an earlier moment; then left so, or gone on with by whoever holds the key; or another log
 * put in their place that was signed with the stolen key. A saved checkpoint or an anchor tells; a witness does once
 * the log goes on, since it cosigns no other tree. Nobody sees it who has none of them, nor who has only a witness's
 * key while the old checkpoint is still the newest.
 */
export async function rollBackAtRandom({
  seed,
  rounds,
}: {
  readonly seed: number;
  readonly rounds: number;
}): Promise<{ readonly [name: string]: Tampering }> {
  const random = seeded(seed);
  const witness = await startWitnessServer({ logs: [verifierKey(identity.origin, await identity.signer.publicKey())] });
  const [told, untold]: readonly [Tampering, Tampering] = [
    { made: 0, unseen: [] },
    { made: 0, unseen: [] },
  ];
  try {
    const lived = await life(random, witness);
    for (let round = 0; round < rounds; round += 1) {
      const how = pick(['left', 'gone on with', 'signed anew'] as const, random);
      await takenBack(lived, { how, random });
      for (const [name, given] of Object.entries(givenBy(lived))) {
        const isBlind = name === 'nothing' || (name === 'a witness' && how === 'left');
        const isOk = await isSound(lived.at, given);
        const done = isBlind ? untold : told;
        done.made += 1;
        if (isOk !== isBlind) done.unseen.push(`round ${round} of ${seed}: taken back and ${how}, with ${name}`);
      }
    }
  } finally {
    await witness.stop();
  }
  return { 'rolled-back': told, 'rolled-back-not-to-be-seen': untold };
}

/** Twelve runs, some of which have no end, and what the stores held after each. */
async function life(random: () => number, witness: { readonly key: string; readonly url: string }): Promise<Lived> {
  const at = {
    ...place(),
    witnesses: [{ key: witness.key, url: witness.url }],
    anchors: [{ name: 'other-cloud', store: memoryObjects(new MemoryBucket()) }],
  };
  const moments: Moment[] = [];
  for (let turn = 0; turn < 12; turn += 1) {
    const log = runOn(at, `run-${turn}`);
    await Promise.all(Array.from({ length: 1 + Math.floor(random() * 60) }, (_, number) => log.record(event(number))));
    await (random() < 0.3 ? log.seal() : log.end());
    moments.push(momentOf(at));
  }
  return { at, moments, witnessKey: witness.key, since: Buffer.from(stored(at.heads, publishedKey)).toString() };
}

function momentOf({ bucket, heads }: LogPlace): Moment {
  return [new Map(bucket.objects), new Map(heads.objects)];
}

function bringBack({ bucket, heads }: LogPlace, moment: Moment): void {
  for (const [index, { objects }] of [bucket, heads].entries()) {
    objects.clear();
    for (const [key, object] of moment[index] ?? []) objects.set(key, object);
  }
}

async function takenBack(
  { at, moments }: Lived,
  { how, random }: { readonly how: string; readonly random: () => number },
): Promise<void> {
  const other = how === 'signed anew' ? place() : at;
  if (other === at) bringBack(at, pick(moments.slice(0, -1), random));
  if (how !== 'left') {
    // Whoever does this does not show it to the anchor; the witness he asks in vain.
    const log = runOn({ ...at, ...other, anchors: [] }, `later-${Math.floor(random() * 1e9)}`);
    await Promise.all(Array.from({ length: 1 + Math.floor(random() * 400) }, (_, number) => log.record(event(number))));
    await log.end();
  }
  if (other !== at) bringBack(at, momentOf(other));
}

function givenBy({ at, witnessKey, since }: Lived): Readonly<Record<string, Partial<VerifyLogOptions>>> {
  return {
    nothing: {},
    'a saved checkpoint': { since },
    'an anchor': { anchors: at.anchors ?? [] },
    'a witness': { trustedWitnesses: { keys: [witnessKey], needed: 1 } },
  };
}

async function isSound({ log, state }: LogPlace, given: Partial<VerifyLogOptions>): Promise<boolean> {
  return (await verifyLog({ log, state, ...given })).ok;
}

/**
 * The extract of the state store, changed blindly, taken back, or forged with a right sum; then somebody seals. What
 * was broken or old does no harm: every batch has its place once. What was forged does none either, or it is found, or
 * whoever seals refuses.
 */
export async function forgeExtracts({
  seed,
  rounds,
}: {
  readonly seed: number;
  readonly rounds: number;
}): Promise<Tampering> {
  const done: Tampering = { made: 0, unseen: [] };
  for (let round = 0; round < rounds; round += 1) {
    const random = seeded(seed * 100_003 + round);
    const { at, older } = await begunLog(random);
    const how = pick(Object.keys(extractHands), random);
    extractHands[how]?.(at, { random, older });
    const refused = await sealed(at, '2026-10-03T12:00:00Z');
    // What still waits while runs of much later days have their place was left out, which verify tells by then.
    if (how === 'forge') for (const later of ['2026-10-07T12:00:00Z', '2026-10-08T12:00:00Z']) await sealed(at, later);
    const { found, waiting } = await verifyLog(at);
    const isWhole = refused === undefined && found === 0 && waiting.batches === 0;
    done.made += 1;
    if (!isWhole && (how !== 'forge' || (refused === undefined && found === 0)))
      done.unseen.push(
        `round ${round} of ${seed}: extract, ${how}: ${refused ?? 'not refused'}, ${found} findings, ${waiting.batches} batches wait`,
      );
  }
  return done;
}

async function begunLog(random: () => number): Promise<{ readonly at: LogPlace; readonly older: Uint8Array }> {
  const at = place();
  const logs = [0, 1, 2, 3].map((writer) =>
    runOn(at, `run-${writer}`, testWorld(`2026-10-0${1 + Math.floor(writer / 2)}T00:00:00Z`, `${writer}`)),
  );
  const olders: Uint8Array[] = [];
  for (let step = 0; step < 6; step += 1) {
    for (const log of logs) if (step === 0 || random() < 0.7) await log.record(event(step));
    await pick(logs, random).seal();
    olders.push(stored(at.heads, sequencedKey));
  }
  for (const log of logs) if (random() < 0.7) await log.record(event(9));
  return { at, older: pick(olders, random) };
}

/** Why whoever seals then refused, if he did. */
async function sealed(at: LogPlace, now: string): Promise<string | undefined> {
  try {
    const log = runOn(at, 'sealer', testWorld(now, now));
    await log.record(event(1));
    await log.end();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof LockkeeperError && thrown.code === 'conflict') return thrown.message;
    throw asLockkeeperError(thrown);
  }
}

type ExtractHand = (at: LogPlace, more: { readonly random: () => number; readonly older: Uint8Array }) => void;

const extractHands: Readonly<Record<string, ExtractHand>> = {
  delete: ({ heads }) => heads.objects.delete(sequencedKey),
  'take back': ({ heads }, { older }) => tamper(heads, sequencedKey, older),
  break({ heads }, { random }) {
    const ground = { stores: [{ bucket: heads, keys: () => [sequencedKey] }], other: heads, random };
    blindHands[pick(['truncate', 'extend', 'splice', 'flip'], random)]?.(ground);
  },
  forge,
};

const extract = z.looseObject({
  size: z.number(),
  last: z.string(),
  lastFirst: z.number(),
  doneBefore: z.string(),
  runs: z.array(z.tuple([z.string(), z.string(), z.number()])),
});

function forge({ bucket, heads }: LogPlace, { random }: { readonly random: () => number }): void {
  const { sum: _, ...held } = extract.parse(JSON.parse(Buffer.from(stored(heads, sequencedKey)).toString()));
  const [run, key] = [Math.floor(random() * held.runs.length), pick(keysIn(bucket, 'seq/'), random)];
  const record = decodeSequence(stored(bucket, key));
  const forged = pick(
    [
      {
        ...held,
        runs: held.runs.map(([name, began, next], at) => [
          name,
          began,
          at === run ? Math.max(0, next + Math.floor(random() * 4) - 2) : next,
        ]),
      },
      { ...held, runs: held.runs.toSpliced(run, 1) },
      { ...held, runs: held.runs.map(([name, began, next], at) => [name, at === run ? '2026-10-05' : began, next]) },
      {
        ...held,
        doneBefore: new Date(Date.parse('2026-09-30T00:00:00Z') + Math.floor(random() * 5) * day)
          .toISOString()
          .slice(0, 10),
      },
      { ...held, size: endOf(record), lastFirst: record.first, last: sha256(stored(bucket, key)) },
    ],
    random,
  );
  const open = { ...forged };
  tamper(
    heads,
    sequencedKey,
    Uint8Array.from(Buffer.from(canonicalJson({ ...open, sum: sha256(canonicalJson(open)) }))),
  );
}
