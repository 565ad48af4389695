import { publishedKey } from '../../shared/audit/layout.ts';
import { decodeBatch } from '../../shared/audit/sealing/batch.ts';
import { encodeBundle } from '../../shared/audit/tlog/bundle.ts';
import { memorySigner } from '../../shared/signers/memory.ts';
import type { LongLog } from '../audit/long-log.ts';
import { event, runOn, stored, tamper } from '../audit/place.ts';
import { testWorld } from '../world.ts';
import type { Tampering } from './tamper-flips.ts';
import { keysIn, recordsOf, resequence, resign, truncate } from './tamper-forgery.ts';
import { saidOf, type Attack } from './tamper-attacks.ts';
import { runOf } from './tamper-rewrites.ts';
import { onACopy } from './tamper-log.ts';

const alone = { anchors: [], trustedWitnesses: undefined };
const saved = (at: LongLog) => ({ ...alone, since: Buffer.from(stored(at.heads, publishedKey)).toString() });
const lastCheckpoint = (at: LongLog) => keysIn(at.bucket, 'cp/').at(-1) ?? '';
const otherSigner = memorySigner(new Uint8Array(32).fill(7));
const forgeAll = async (at: LongLog) => {
  withoutWitness(at);
  await resign(at, otherSigner);
};

/** The whole log signed with another key. */
export const resignings: readonly Attack[] = [
  {
    name: 'signed with another key, the right key given',
    change: async (at) => (await forgeAll(at), ['log.vkey', lastCheckpoint(at)]),
    given: () => alone,
  },
  {
    name: 'signed with another key, which is believed, and an anchor',
    change: async (at) => (await forgeAll(at), [/^unsigned anchor other-cloud: cp\//]),
    given: () => ({ verifierKey: undefined, trustedWitnesses: undefined }),
  },
  {
    name: 'signed with another key, which is believed, and a saved checkpoint',
    change: async (at) => (await forgeAll(at), [/^error .*does not count/]),
    given: (at) => ({ ...saved(at), verifierKey: undefined }),
  },
];

/** The end of the log cut off in both stores, in line with itself. */
export const truncations: readonly Attack[] = [
  { name: 'cut off, and a saved checkpoint', change: async (at) => await cutOff(at, (last) => [last]), given: saved },
  {
    name: 'cut off, and an anchor',
    change: async (at) => await cutOff(at, (last) => [new RegExp(`^cut-off ${last}$`)]),
    given: (at) => ({ ...alone, anchors: at.anchors ?? [] }),
  },
  {
    name: 'cut off in the log store only',
    change: async (at) => await cutOff(at, () => [/^cut-off seq\//], true),
    given: () => alone,
  },
  { name: 'cut off in the midst of runs', change: cutRuns, given: () => alone },
];

async function cutOff(
  at: LongLog,
  expected: (last: string) => readonly (string | RegExp)[],
  keepsHead = false,
): Promise<readonly (string | RegExp)[]> {
  const [last, head] = [lastCheckpoint(at), stored(at.heads, publishedKey)];
  await truncate(at, 5);
  if (keepsHead) tamper(at.heads, publishedKey, head);
  return expected(last);
}

/** Of the batches that were cut off the later ones are left. */
async function cutRuns(at: LongLog): Promise<readonly (string | RegExp)[]> {
  const cut = recordsOf(at)
    .slice(-9)
    .flat()
    .map(({ key }) => key);
  const first = [...Map.groupBy(cut, (key) => runOf(key)).values()].map(([key = '']) => key);
  await truncate(at, 9, (key) => !first.includes(key));
  return [/^omitted inbox\//];
}

const fork = async (at: LongLog) => {
  const [last] = recordsOf(at).slice(-1).flat().slice(-1);
  if (!last) throw new Error('the log is empty');
  const { entries } = decodeBatch(stored(at.bucket, last.key));
  const text = Buffer.from(entries[0] ?? new Uint8Array()).toString();
  tamper(
    at.bucket,
    last.key,
    encodeBundle([
      Buffer.from(
        text
          .replace('lockkeeper.test', 'lockkeeper.tost')
          .replace('"actor":{"user":{"name":"lockkeeper"}}', '"actor":{"user":{"name":"lockkeeqer"}}'),
      ),
      ...entries.slice(1),
    ]),
  );
  resequence(at, recordsOf(at));
  await resign(at);
};

function withoutWitness({ bucket }: LongLog): void {
  for (const key of keysIn(bucket, 'cosig/')) bucket.objects.delete(key);
}

/** Another end of the log, signed with the right key: what only its holder can do. */
export const forks: readonly Attack[] = [
  {
    name: 'forked, and an anchor',
    change: async (at) => (await fork(at), withoutWitness(at), [lastCheckpoint(at)]),
    given: (at) => ({ ...alone, anchors: at.anchors ?? [] }),
  },
  {
    name: 'forked, and a saved checkpoint',
    change: async (at) => (await fork(at), withoutWitness(at), ['the checkpoint given']),
    given: saved,
  },
  {
    name: 'forked, and what the witness put to it',
    change: async (at) => (
      await fork(at),
      [lastCheckpoint(at).replace('cp/', 'cosig/')].map((key) => new RegExp(`^(changed|foreign) ${key}`))
    ),
    given: () => alone,
  },
  {
    name: 'one checkpoint of another tree, signed with the right key',
    change: async (at) => {
      const key = lastCheckpoint(at);
      await onACopyOf(at, key, fork);
      return [key];
    },
    given: () => alone,
  },
];

/** Takes one object of the log as it is after the change, and nothing else of it. */
async function onACopyOf(at: LongLog, key: string, change: (at: LongLog) => Promise<void>): Promise<void> {
  const bytes = await onACopy(at, async () => {
    await change(at);
    return stored(at.bucket, key);
  });
  tamper(at.bucket, key, bytes);
}

/** Entries of a run taken away before they got their place. */
export const omissions: readonly Attack[] = [
  { name: 'a batch taken away before it got its place', change: async (at) => await omit(at, 1) },
  { name: 'the last entries of a run but its end taken away', change: async (at) => await omit(at, 3) },
  { name: 'the first batch of a run taken away', change: async (at) => await omit(at, 0) },
];

/** The run goes on and ends, and what is left is sealed: whoever seals does not see what there was. */
async function omit(at: LongLog, batch: number): Promise<readonly string[]> {
  const log = runOn(at, 'robbed', testWorld('2026-10-20T00:00:00Z', 'robbed'));
  for (let number = 0; number < 4; number += 1) await log.record(event(number));
  const taken = keysIn(at.bucket, 'inbox/2026-10-20/robbed')[batch] ?? '';
  at.bucket.objects.delete(taken);
  await log.end();
  return [taken.replace(/\d$/, String(batch + 1))];
}

/**
 * What nobody can see who has only the log, though all of it was done by whoever holds the key or rules both stores:
 * the reason to keep a checkpoint, an anchor or a witness. `unseen` holds what was seen all the same.
 */
export async function blindSpots(at: LongLog): Promise<Tampering> {
  const changes = {
    'cut off in both stores': () => truncate(at, 5),
    'forked by the key’s holder': () => fork(at).then(() => withoutWitness(at)),
    'signed anew with a key that is believed': () => forgeAll(at),
  };
  const done: Tampering = { made: 0, unseen: [] };
  for (const [name, change] of Object.entries(changes)) {
    await onACopy(at, async () => {
      await change();
      done.made += 1;
      const said = await saidOf(at, { ...alone, verifierKey: undefined });
      if (said.length > 0) done.unseen.push(`${name} is seen: ${said.slice(0, 3).join(', ')}`);
    });
  }
  return done;
}
