import { checkpointKey, parseBatchKey, publishedKey } from '../../shared/audit/layout.ts';
import { decodeBatch } from '../../shared/audit/sealing/batch.ts';
import { encodeBundle } from '../../shared/audit/tlog/bundle.ts';
import type { VerifyLogOptions } from '../../shared/audit/verify/verify.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { memorySigner } from '../../shared/signers/memory.ts';
import type { LongLog } from '../audit/long-log.ts';
import { event, runOn, stored, tamper } from '../audit/place.ts';
import { testWorld } from '../world.ts';
import type { Tampering } from './tamper-flips.ts';
import { keysIn, recordsOf, rederive, resequence, resign, truncate } from './tamper-forgery.ts';
import { onACopy, targetsOf, verifyWhole } from './tamper-log.ts';

/** What somebody does to a whole log, and what verification must then say, as patterns of "kind key". */
export interface Attack {
  readonly name: string;
  readonly change: (at: LongLog) => Promise<readonly (string | RegExp)[]>;
  /** What the auditor gives beside the log; the key, the witness and the anchor if it is left out. */
  readonly given?: (at: LongLog) => Partial<VerifyLogOptions>;
}

/** Carries attacks out, each on the log as it was made; every pattern must be found. */
export async function carryOut(at: LongLog, attacks: readonly Attack[]): Promise<Tampering> {
  const done: Tampering = { made: 0, unseen: [] };
  for (const { name, change, given } of attacks) {
    const more = given?.(at);
    await onACopy(at, async () => {
      const expected = await change(at);
      const said = await saidOf(at, more);
      done.made += 1;
      const unseen = expected.filter(
        (pattern) =>
          !said.some((one) => (typeof pattern === 'string' ? one.endsWith(` ${pattern}`) : pattern.test(one))),
      );
      if (unseen.length > 0 || expected.length === 0)
        done.unseen.push(`${name}: not found: ${unseen.join(', ')}; found: ${said.slice(0, 5).join(', ')}`);
    });
  }
  return done;
}

/** Findings as "kind key"; an auditor whose own checkpoint is refused knows as much. */
async function saidOf(at: LongLog, more: Partial<VerifyLogOptions> | undefined): Promise<readonly string[]> {
  try {
    return (await verifyWhole(at, more)).findings.map(({ kind, key }) => `${kind} ${key}`);
  } catch (thrown) {
    if (thrown instanceof LockkeeperError) return [`error ${thrown.message}`];
    throw thrown;
  }
}

const alone = { anchors: [], trustedWitnesses: undefined };
const saved = (at: LongLog) => ({ ...alone, since: Buffer.from(stored(at.heads, publishedKey)).toString() });
const lastCheckpoint = (at: LongLog) => keysIn(at.bucket, 'cp/').at(-1) ?? '';
const some = <T>(all: readonly T[], count: number) =>
  all.filter((_, at) => at % Math.max(1, Math.ceil(all.length / count)) === 0);

/** Objects that are gone. What nothing refers to, the store's past shows: see the attack on S3. */
export function deletions(at: LongLog): readonly Attack[] {
  const kinds = Map.groupBy(
    targetsOf(at).filter(({ kind }) => !['self-test', 'cosig', 'published'].includes(kind)),
    ({ kind }) => kind,
  );
  const chosen = [...kinds.values()].flatMap((targets) => some(targets, 4));
  return chosen.map(({ bucket, key }) => ({
    name: `${key} deleted`,
    change: async () => {
      bucket.objects.delete(key);
      return [key];
    },
  }));
}

/** Two objects of a kind in each other's place, and one under another key as well. */
export function moves(at: LongLog): readonly Attack[] {
  const kinds = ['inbox/', 'seq/', 'cp/', 'cosig/', 'tile/0/', 'tile/entries/', 'evidence/'];
  const swapped = kinds.map((prefix): Attack => {
    const [one = '', other = ''] = keysIn(at.bucket, prefix).slice(3);
    return {
      name: `${one} and ${other} swapped`,
      change: async ({ bucket }) => {
        const [first, second] = [stored(bucket, one), stored(bucket, other)];
        tamper(bucket, one, second);
        tamper(bucket, other, first);
        return [one, other];
      },
    };
  });
  const [batch = ''] = keysIn(at.bucket, 'inbox/').slice(-1);
  const name = parseBatchKey(batch);
  const next = batch.replace(/\d+$/, (digits) => String(Number(digits) + 1).padStart(digits.length, '0'));
  const copies: readonly (readonly [string, string])[] = [
    [batch, next],
    [batch, `inbox/${name?.day}/another.0123456789ab/00000000`],
    [keysIn(at.bucket, 'seq/')[5] ?? '', 'seq/00000000000000000007'],
    [keysIn(at.bucket, 'cp/')[5] ?? '', checkpointKey(7)],
    ['tile/0/000', 'tile/0/900'],
    ['tile/entries/000', 'tile/entries/900'],
    [keysIn(at.bucket, 'evidence/')[0] ?? '', `evidence/${'ab'.repeat(32)}.json`],
    [keysIn(at.bucket, 'cosig/')[5] ?? '', `${keysIn(at.bucket, 'cosig/')[5]?.slice(0, -8)}01234567`],
    ['log.vkey', 'notes.txt'],
  ];
  return [
    ...swapped,
    ...copies.map(([from, to]) => ({
      name: `${from} also under ${to}`,
      change: async ({ bucket }: LongLog) => (tamper(bucket, to, stored(bucket, from)), [to]),
    })),
  ];
}

/** A batch of at least three entries that holds neither begin nor end of a run. */
function middleBatch(at: LongLog): string {
  const found = recordsOf(at)
    .slice(20)
    .flat()
    .find(({ key, count }) => count >= 3 && Number(key.slice(-8)) > 2);
  if (!found) throw new Error('no batch of three');
  return found.key;
}

/** Puts other entries into a batch, and the rest of the log in line with it. */
function rewritten(
  name: string,
  change: (entries: readonly Uint8Array[]) => readonly Uint8Array[],
  more: { readonly isSigned: boolean; readonly expected: readonly (string | RegExp)[] },
): Attack {
  return {
    name,
    change: async (at) => {
      const key = middleBatch(at);
      tamper(at.bucket, key, encodeBundle(change(decodeBatch(stored(at.bucket, key)).entries)));
      resequence(at, recordsOf(at));
      await (more.isSigned ? resign(at) : rederive(at));
      return more.expected;
    },
  };
}

const turned = (entries: readonly Uint8Array[]) => entries.toReversed();
const doubled = (entries: readonly Uint8Array[]) => entries.flatMap((entry) => [entry, entry]);
const shortened = (entries: readonly Uint8Array[]) => entries.slice(0, -1);

/** Entries in another order, put in, or taken out, with all that follows from them made anew. */
export const rewrites: readonly Attack[] = [
  {
    name: 'entries of a batch in another order',
    change: async (at) => (
      tamper(at.bucket, middleBatch(at), encodeBundle(turned(decodeBatch(stored(at.bucket, middleBatch(at))).entries))),
      [middleBatch(at)]
    ),
  },
  rewritten('entries in another order, all but the signatures made anew', turned, {
    isSigned: false,
    expected: [/^forked cp\//, /^(chain|omitted) /],
  }),
  rewritten('entries in another order, signed with the right key', turned, {
    isSigned: true,
    expected: [/^(chain|omitted) tile\/entries\//, /^forked anchor|^forked cp\//],
  }),
  rewritten('an entry put in twice, all but the signatures made anew', doubled, {
    isSigned: false,
    expected: [/^(forked|missing|foreign) cp\//, /^chain /],
  }),
  rewritten('an entry put in twice, signed with the right key', doubled, {
    isSigned: true,
    expected: [/^chain tile\/entries\//, /cp\//],
  }),
  rewritten('an entry taken out, signed with the right key', shortened, {
    isSigned: true,
    expected: [/^omitted tile\/entries\//, /cp\//],
  }),
  {
    name: 'batches of one run in another order, signed with the right key',
    change: async (at) => {
      const records = recordsOf(at).map((batches) => batches.toSorted((a, b) => (a.key < b.key ? 1 : -1)));
      resequence(at, records);
      await resign(at);
      return [/^omitted inbox\//];
    },
  },
  {
    name: 'batches of two runs in another order, signed with the right key',
    change: async (at) => {
      const mixed = recordsOf(at).findIndex(
        (batches, record) => record > 30 && Map.groupBy(batches, ({ key }) => runOf(key)).size > 1,
      );
      resequence(
        at,
        recordsOf(at).map((batches, record) =>
          record === mixed
            ? batches.toSorted((a, b) => (runOf(a.key) === runOf(b.key) ? 0 : runOf(a.key) < runOf(b.key) ? 1 : -1))
            : batches,
        ),
      );
      await resign(at);
      return [/^forked cp\//, /^(changed|foreign) cosig\//];
    },
  },
];

function runOf(key: string): string {
  return parseBatchKey(key)?.run ?? '';
}

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
