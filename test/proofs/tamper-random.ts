import { parseBatchKey, partialPrefix, publishedKey, verifierKeyKey } from '../../shared/audit/layout.ts';
import { tiledLog } from '../../shared/audit/export/tiled-log.ts';
import { decodeSequence } from '../../shared/audit/sealing/sequence.ts';
import { bundlePath, tilePath, tilesOf } from '../../shared/audit/tlog/tile.ts';
import type { VerifyReport } from '../../shared/audit/verify/report.ts';
import { verifyLog, verifyTiles } from '../../shared/audit/verify/verify.ts';
import { MemoryBucket, memoryObjects } from '../../shared/objects/memory.ts';
import { longLog, type LongLog } from '../audit/long-log.ts';
import { event, runOn, stored, tamper } from '../audit/place.ts';
import { seeded } from '../audit/seeded.ts';
import { testWorld } from '../world.ts';
import type { Tampering } from './tamper-flips.ts';
import { keysIn } from './tamper-forgery.ts';
import { blindHands, hands, pick, type Ground, type Hand } from './tamper-hands.ts';
import { targetsOf, verifyWhole } from './tamper-log.ts';

/** A log in the midst of its life, and what came out of it. */
export interface LivelyLog {
  readonly at: LongLog;
  /** Its export as plain tiles. */
  readonly exported: MemoryBucket;
  /** Another log with the same keys. */
  readonly other: MemoryBucket;
  /** The checkpoints that it published so far, as an auditor may have saved them, oldest first. */
  readonly saved: readonly string[];
}

/**
 * With runs that ended, that go on and that were killed, batches without a place, witnesses, an anchor, evidence,
 * partial tiles.
 */
export async function livelyLog(): Promise<LivelyLog> {
  const at = await longLog({ turns: 2 });
  const killed = runOn(at, 'killed', testWorld('2026-10-01T20:00:00Z', 'killed'));
  for (let number = 0; number < 5; number += 1) await killed.record(event(number));
  const late = runOn({ ...at, witnesses: [] }, 'late', testWorld('2026-10-01T21:00:00Z', 'late'));
  await late.record(event(1));
  await late.seal();
  const waiting = runOn(at, 'waiting', testWorld('2026-10-01T22:00:00Z', 'waiting'));
  for (let number = 5; number < 9; number += 1)
    await Promise.all([killed.record(event(number)), waiting.record(event(number))]);
  const saved = keysIn(at.bucket, 'cp/').map((key) => textAt(at.bucket, key) ?? '');
  return { at, exported: await exportOf(at), other: (await longLog({ turns: 2, isWitnessed: false })).bucket, saved };
}

async function exportOf(at: LongLog): Promise<MemoryBucket> {
  const out = new MemoryBucket();
  const tiles = await tiledLog(at);
  for (const { level, index, width } of tilesOf(tiles.checkpoint.size)) {
    for (const path of [tilePath(level, index, width), ...(level === 0 ? [bundlePath(index, width)] : [])])
      tamper(out, path, await tiles.tile(path));
  }
  for (const key of ['log.vkey', ...keysIn(at.bucket, 'evidence/')]) tamper(out, key, stored(at.bucket, key));
  tamper(out, 'checkpoint', Buffer.from(tiles.checkpoint.note));
  return out;
}

/** A way to look at it, and the changed objects that nobody can miss who looks so. */
interface Look {
  readonly verify: () => Promise<VerifyReport>;
  readonly sees: (key: string) => boolean;
}

/** What was done to what in so many rounds of one to three changes. */
export async function tamperAtRandom(
  lively: LivelyLog,
  { seed, rounds }: { readonly seed: number; readonly rounds: number },
): Promise<{ readonly [name: string]: Tampering }> {
  const { at, exported, other } = lively;
  const live = liveLooks(lively, seeded(seed));
  // The published checkpoint, and the partial tiles of the tree that it signs.
  const heads = targetsOf(at)
    .filter(({ bucket }) => bucket === at.heads)
    .map(({ key }) => key);
  const stores = [
    { bucket: at.bucket, keys: () => [...at.bucket.objects.keys()] },
    { bucket: at.heads, keys: () => heads.filter((key) => at.heads.objects.has(key)) },
  ];
  const ofExport: Look = {
    verify: () => verifyTiles({ store: memoryObjects(exported), verifierKey: at.verifierKey }),
    sees: isSeenInExport(exported),
  };
  const inExport = [{ bucket: exported, keys: () => [...exported.objects.keys()] }];
  const whole: Tampering = { made: 0, unseen: [] };
  for (const [name, { verify }] of Object.entries({ ...live, export: ofExport }))
    await expectSound(name, verify, whole);
  return {
    'random-whole': whole,
    random: await manyRounds({ stores, other }, { buckets: [at.bucket, at.heads], hands, looks: live, seed, rounds }),
    'random-export': await manyRounds(
      { stores: inExport, other },
      { buckets: [exported], hands: blindHands, looks: { export: ofExport }, seed, rounds: Math.ceil(rounds / 3) },
    ),
  };
}

async function expectSound(name: string, verify: Look['verify'], done: Tampering): Promise<void> {
  const { ok, findings } = await verify();
  done.made += 1;
  if (!ok) done.unseen.push(`a false alarm with ${name}: ${JSON.stringify(findings.slice(0, 3))}`);
}

function liveLooks({ at, saved }: LivelyLog, random: () => number): Readonly<Record<string, Look>> {
  const [sees, { log, state }, newest] = [isSeen(at), at, keysIn(at.bucket, 'cp/').at(-1)];
  return {
    everything: { verify: () => verifyWhole(at, { trustedWitnesses: { keys: [at.witnessKey], needed: 0 } }), sees },
    'both stores': { verify: () => verifyLog({ log, state }), sees },
    'the log store': {
      verify: () => verifyLog({ log }),
      sees: (key) => !key.startsWith('audit/') && (key !== newest || at.bucket.objects.has(key)) && sees(key),
    },
    // What was before is not read again.
    'a saved checkpoint': { verify: () => verifyLog({ log, state, since: pick(saved, random) }), sees: () => false },
  };
}

/**
 * Nobody misses what is gone where nothing refers to it; nor that an earlier checkpoint is shown, which is the log's
 * own too; nor does anybody look for
 * what is put into the state store besides. */
function isSeen({ bucket, heads, verifierKey }: LongLog): (key: string) => boolean {
  const placed = new Set(
    keysIn(bucket, 'seq/').flatMap((key) => decodeSequence(stored(bucket, key)).batches.map((batch) => batch.key)),
  );
  const known = new Set([...keysIn(heads, partialPrefix), publishedKey]);
  const genuine = new Set(keysIn(bucket, 'cp/').map((key) => textAt(bucket, key)));
  return (key) => {
    if (key === verifierKeyKey) return textAt(bucket, key)?.trimEnd() !== verifierKey;
    if (key === publishedKey) return heads.objects.has(key) && !genuine.has(textAt(heads, key));
    if (key.startsWith('audit/')) return known.has(key);
    if (bucket.objects.has(key) || placed.has(key)) return true;
    const name = parseBatchKey(key);
    if (name) return keysIn(bucket, `inbox/${name.day}/${name.run}/`).some((other) => other > key);
    return !key.startsWith('cosig/') && !key.startsWith('self-test/');
  };
}

function textAt({ objects }: MemoryBucket, key: string): string | undefined {
  const object = objects.get(key);
  return object && Buffer.from(object.bytes).toString();
}

/** What is put beside an export is no part of it; its key was given by another way. */
function isSeenInExport({ objects }: MemoryBucket): (key: string) => boolean {
  const own = new Set(objects.keys());
  return (key) => own.has(key) && (key !== 'log.vkey' || objects.has(key));
}

interface Rounds {
  readonly buckets: readonly MemoryBucket[];
  readonly hands: Readonly<Record<string, Hand>>;
  readonly looks: Readonly<Record<string, Look>>;
  readonly seed: number;
  readonly rounds: number;
}

async function manyRounds(
  ground: Omit<Ground, 'random'>,
  { buckets, looks, seed, rounds, ...more }: Rounds,
): Promise<Tampering> {
  const done: Tampering = { made: 0, unseen: [] };
  const before = buckets.map(({ objects }) => new Map(objects));
  for (let round = 0; round < rounds; round += 1) {
    const random = seeded(seed * 100_003 + round);
    const [names, touched] = someChanges({ ...ground, random }, more.hands);
    const changed = [...touched].filter((key) =>
      buckets.some(({ objects }, at) => isOther(before[at]?.get(key)?.bytes, objects.get(key)?.bytes)),
    );
    const [way, { verify, sees }] = pick(Object.entries(looks), random);
    const fault = await faultOf(verify, {
      changed,
      seen: changed.filter(sees),
      isOne: names.length === 1 && names[0] !== 'resequence',
    });
    done.made += 1;
    if (fault !== undefined)
      done.unseen.push(`round ${round} of ${seed}, ${way}: ${names.join(', ')} of ${changed.join(', ')}: ${fault}`);
    for (const [at, { objects }] of buckets.entries()) {
      objects.clear();
      for (const [key, object] of before[at] ?? []) objects.set(key, object);
    }
  }
  return done;
}

function someChanges(
  ground: Ground,
  from: Readonly<Record<string, Hand>>,
): readonly [readonly string[], ReadonlySet<string>] {
  const [names, touched]: [string[], Set<string>] = [[], new Set()];
  for (let left = 1 + Math.floor(ground.random() * 3); left > 0; left -= 1) {
    const [name, hand] = pick(Object.entries(from), ground.random);
    names.push(name);
    for (const key of hand(ground)) touched.add(key);
  }
  return [names, touched];
}

function isOther(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one === undefined || other === undefined ? one !== other : Buffer.compare(one, other) !== 0;
}

interface Expected {
  readonly changed: readonly string[];
  readonly seen: readonly string[];
  readonly isOne: boolean;
}

async function faultOf(verify: Look['verify'], { changed, seen, isOne }: Expected): Promise<string | undefined> {
  const { found, findings } = await verify();
  if (changed.length === 0) return found > 0 ? `a false alarm: ${JSON.stringify(findings.slice(0, 3))}` : undefined;
  if (seen.length === 0) return undefined;
  if (found === 0) return `not found: ${seen.join(', ')}`;
  const isNamed = findings.some(({ key, what }) => changed.some((one) => one === key || what.includes(one)));
  return isOne && !isNamed ? `not named: ${JSON.stringify(findings.slice(0, 3))}` : undefined;
}
