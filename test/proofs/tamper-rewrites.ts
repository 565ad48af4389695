import { parseBatchKey } from '../../shared/audit/layout.ts';
import { decodeBatch } from '../../shared/audit/sealing/batch.ts';
import { encodeBundle } from '../../shared/audit/tlog/bundle.ts';
import type { LongLog } from '../audit/long-log.ts';
import { stored, tamper } from '../audit/place.ts';
import { recordsOf, rederive, resequence, resign } from './tamper-forgery.ts';
import type { Attack } from './tamper-attacks.ts';

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

/** The run of a batch. */
export function runOf(key: string): string {
  return parseBatchKey(key)?.run ?? '';
}
