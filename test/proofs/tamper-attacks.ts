import { checkpointKey, parseBatchKey } from '../../shared/audit/layout.ts';
import type { VerifyLogOptions } from '../../shared/audit/verify/verify.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import type { LongLog } from '../audit/long-log.ts';
import { stored, tamper } from '../audit/place.ts';
import type { Tampering } from './tamper-flips.ts';
import { keysIn } from './tamper-forgery.ts';
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
export async function saidOf(at: LongLog, more: Partial<VerifyLogOptions> | undefined): Promise<readonly string[]> {
  try {
    return (await verifyWhole(at, more)).findings.map(({ kind, key }) => `${kind} ${key}`);
  } catch (thrown) {
    if (thrown instanceof LockkeeperError) return [`error ${thrown.message}`];
    throw thrown;
  }
}

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
